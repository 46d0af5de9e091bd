"""|w| of a tile in memory order, finite, with the sums of its squares.

float32 is used where squares keep their digits. A matrix whose squares overflow, underflow or
contain NaN or Inf is converted to float64 with zeros for the non-finite values. Such matrices are
rare, so the conversion costs nothing on ordinary tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lazy import torch
from .margin_sums import SAFE
from .tile import Tile

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

RUN = 1 << 14  # elements of a row summed in float32: sums of millions would be off by 1e-3


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """`values` (b, rows, columns) of the matrices `which`; transposed in a column-major tile."""

    which: slice
    values: Tensor
    finite: int | Tensor  # elements of each matrix
    squares: Tensor  # (b,) float64


def magnitudes(tile: Tile) -> Iterator[Magnitudes]:
    """All matrices of a tile, one by one where some need float64.

    Buffers are reused: a result is valid until the next is requested.
    """
    x = tile.values
    if tile.mirrored:
        x = x.mT
    buffer = tile.scratch.take("magnitudes", tuple(x.shape), x.dtype)
    w = torch.abs(x, out=buffer)
    together = Magnitudes(slice(0, len(w)), w, tile.box.size, squares(w))
    mean = together.squares / tile.box.size
    sound = ((mean > SAFE[0]) & (mean < SAFE[1])).tolist()
    if all(sound):
        yield together
        return
    for i, is_sound in enumerate(sound):
        one = slice(i, i + 1)
        if is_sound:
            yield Magnitudes(one, w[one], together.finite, together.squares[one])
        else:
            yield _finite(tile, one, w[one])


def squares(x: Tensor) -> Tensor:
    """(b,) sums of squares: float32 along rows, float64 across."""
    return over_lines(x, _squares)


def _squares(run: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(run, dim=-1)
    return norm.square_()


def over_lines(x: Tensor, fold: Callable[[Tensor], Tensor]) -> Tensor:
    """(b,) sums over all rows of `fold(row)`; long rows are folded in runs."""
    sums = []
    for first in range(0, x.shape[-1], RUN):
        run = x[..., first : first + RUN]
        sums.append(fold(run).sum(-1, dtype=torch.float64))
    return torch.stack(sums, -1).sum(-1)


def _finite(tile: Tile, one: slice, w: Tensor) -> Magnitudes:
    """One matrix in float64, with zeros for its non-finite values."""
    wide = tile.scratch.take("finite", tuple(w.shape), torch.float64).copy_(w)
    finite: int | Tensor = wide.isfinite().sum()
    if tile.scratch.device == "cpu":
        finite = int(finite)  # on a GPU the host would wait for it
    wide.nan_to_num_(0.0, 0.0)
    return Magnitudes(one, wide, finite, squares(wide))
