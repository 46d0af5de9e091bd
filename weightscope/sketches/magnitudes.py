"""|w| of a tile as it lies in memory, finite and with its squares summed, for measures that work on magnitudes.

float32 serves where squares keep their digits. A matrix whose squares overflow, vanish or hold NaN or Inf is taken
again in float64 with zeros for what is not finite: rare, and so for free.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lazy import torch
from .lines import SAFE
from .tile import Tile

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

RUN = 1 << 14  # elements of a line that float32 adds up: sums of millions would lose 1e-3


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """`values` (b, rows, columns) of those matrices of the stack, transposed where the tile is column-major."""

    which: slice
    values: Tensor
    finite: int  # elements of each matrix
    squares: Tensor  # (b,) float64


def magnitudes(tile: Tile) -> Iterator[Magnitudes]:
    """All matrices of a tile, one by one where some need float64; buffers last until the next is asked for."""
    x = tile.values.mT if tile.mirrored else tile.values
    w = torch.abs(x, out=tile.scratch.take("magnitudes", tuple(x.shape), x.dtype))
    found = Magnitudes(slice(0, len(w)), w, tile.box.size, squares(w))
    mean = found.squares / tile.box.size
    sound = ((mean > SAFE[0]) & (mean < SAFE[1])).tolist()
    if all(sound):
        yield found
        return
    for i, ok in enumerate(sound):
        one = slice(i, i + 1)
        yield (
            Magnitudes(one, w[one], found.finite, found.squares[one])
            if ok
            else _finite(tile, one, w[one])
        )


def squares(x: Tensor) -> Tensor:
    """(b,) sums of squares: float32 along lines, float64 across."""
    return over_lines(x, lambda run: torch.linalg.vector_norm(run, dim=-1).square_())


def over_lines(x: Tensor, fold: Callable[[Tensor], Tensor]) -> Tensor:
    """(b,) sums of what `fold` makes of each line; long ones go in runs."""
    runs = [x[..., i : i + RUN] for i in range(0, x.shape[-1], RUN)]
    return torch.stack([fold(run).sum(-1, dtype=torch.float64) for run in runs], -1).sum(-1)


def _finite(tile: Tile, one: slice, w: Tensor) -> Magnitudes:
    wide = tile.scratch.take("finite", tuple(w.shape), torch.float64).copy_(w)
    many = int(wide.isfinite().sum())
    return Magnitudes(one, wide.nan_to_num_(0.0, 0.0), many, squares(wide))
