"""Blocks of a matrix, counted from its corner, and how a tile that cuts through them is taken apart.

A tile is split at the borders of blocks into at most nine parts, so that all blocks of a part show equally many of
their elements and a part is a plain view (b, block rows, rows, block columns, columns). Rows and columns are those of
memory: a column-major tile is taken apart as its transpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

from ..geometry import Shape
from ..lazy import torch
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

Block = tuple[
    int | None, int | None
]  # rows and columns of a block; None: as many as the matrix has
Run = tuple[slice, slice]  # lines of a tile, and the blocks of the matrix that they belong to


@dataclass(frozen=True, eq=False)
class Part:
    """`values` (b, rows, columns) of the blocks `at`; `turned`: of the transpose, columns first."""

    values: Tensor
    at: tuple[slice, slice]
    turned: bool

    def apart(self, elements: Tensor) -> Tensor:
        """Elements of the part as (b, block rows, rows, block columns, columns), a view."""
        (high, wide), (b, rows, cols) = (i.stop - i.start for i in self.at), elements.shape
        return elements.view(b, high, rows // high, wide, cols // wide)

    def of(self, known: Tensor) -> Tensor:
        """What is known of the part's blocks, out of (b, block rows, block columns) of the matrix, a view."""
        return (known.mT if self.turned else known)[:, *self.at]


def number(shape: Shape, block: Block) -> Shape:
    """How many blocks a matrix has, the last ones perhaps short.

    >>> number((300, 70), (1, 32)), number((300, 70), (None, None))
    ((300, 3), (1, 1))
    """
    rows, cols = (
        1 if step is None else -(-side // step) for side, step in zip(shape, block, strict=True)
    )
    return rows, cols


def parts(elements: Tensor, tile: Tile, block: Block) -> Iterator[Part]:
    """Elements of a tile as they lie, (b, rows, columns) and not empty, split at the borders of blocks."""
    turned = tile.mirrored
    runs = [
        _runs(span, step) for span, step in zip((tile.box.rows, tile.box.cols), block, strict=True)
    ]
    for (r, i), (c, j) in product(*(runs[::-1] if turned else runs)):
        yield Part(elements[:, r, c], (i, j), turned)


def peaks(magnitudes: Tensor) -> Tensor:
    """The largest of each block of (b, block rows, rows, block columns, columns), finite.

    Non-negative floats are ordered as their bits are, and torch is four times as fast on short runs of integers.
    """
    word = torch.int64 if magnitudes.dtype == torch.float64 else torch.int32
    return magnitudes.view(word).amax((2, 4)).view(magnitudes.dtype)


def _runs(span: tuple[int, int], step: int | None) -> list[Run]:
    """What is left of a first block, whole blocks, what there is of a last.

    >>> [(r.start, r.stop, i.start, i.stop) for r, i in _runs((24, 100), 32)]
    [(0, 8, 0, 1), (8, 72, 1, 3), (72, 76, 3, 4)]
    """
    first, last = span
    if step is None:
        return [(slice(0, last - first), slice(0, 1))]
    edges = sorted(
        {first, min(-(-first // step) * step, last), max(last // step * step, first), last}
    )
    return [
        (slice(a - first, b - first), slice(a // step, -(-b // step))) for a, b in pairwise(edges)
    ]
