"""Blocks of a matrix, counted from its first corner, and how a tile is split at their borders.

A tile is split at the borders of blocks into at most nine parts, so that every block of a part has
the same number of elements in it and a part is a plain view (b, block rows, rows, block columns,
columns). Rows and columns are those of memory: a column-major tile is split as its transpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ..geometry import Shape
from ..lazy import torch
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

Block = tuple[int | None, int | None]  # rows and columns of a block; None: as many as the matrix
Run = tuple[slice, slice]  # rows or columns of a tile, and the blocks of the matrix they belong to


@dataclass(frozen=True, eq=False)
class Part:
    """`values` (b, rows, columns) of the blocks `at`; `turned`: of the transpose, columns first."""

    values: Tensor
    at: tuple[slice, slice]
    turned: bool

    def apart(self, elements: Tensor) -> Tensor:
        """Elements of the part as (b, block rows, rows, block columns, columns), a view."""
        b, rows, cols = elements.shape
        block_rows, block_cols = (_length(span) for span in self.at)
        height, width = rows // block_rows, cols // block_cols
        return elements.view(b, block_rows, height, block_cols, width)

    def of(self, field: Tensor) -> Tensor:
        """The part's blocks of a field (b, block rows, block columns) of the matrix, a view."""
        if self.turned:
            field = field.mT
        block_rows, block_cols = self.at
        return field[:, block_rows, block_cols]


def _length(blocks: slice) -> int:
    length: int = blocks.stop - blocks.start
    return length


def number(shape: Shape, block: Block) -> Shape:
    """Numbers of rows and columns of blocks of a matrix; the last blocks may be cut off.

    >>> number((300, 70), (1, 32)), number((300, 70), (None, None))
    ((300, 3), (1, 1))
    """
    rows = _number(shape[0], block[0])
    cols = _number(shape[1], block[1])
    return rows, cols


def _number(side: int, step: int | None) -> int:
    if step is None:
        return 1
    return -(-side // step)  # rounded up


def parts(elements: Tensor, tile: Tile, block: Block) -> Iterator[Part]:
    """Elements of a non-empty tile, split at the borders of blocks.

    `elements` is (b, rows, columns) in memory order.
    """
    row_runs, col_runs = _runs(tile.box.rows, block[0]), _runs(tile.box.cols, block[1])
    if tile.mirrored:
        # `elements` are those of the transpose.
        row_runs, col_runs = col_runs, row_runs
    for rows, block_rows in row_runs:
        for cols, block_cols in col_runs:
            yield Part(elements[:, rows, cols], (block_rows, block_cols), tile.mirrored)


def peaks(magnitudes: Tensor) -> Tensor:
    """The maximum of each block of (b, block rows, rows, block columns, columns), finite.

    Non-negative floats have the order of their bits, and torch is four times as fast on short runs
    of integers.
    """
    word = torch.int32
    if magnitudes.dtype == torch.float64:
        word = torch.int64
    largest = magnitudes.view(word).amax((2, 4))
    return largest.view(magnitudes.dtype)


def _runs(span: tuple[int, int], step: int | None) -> list[Run]:
    """The end of a first block, whole blocks, the beginning of a last block; those that exist.

    >>> [(r.start, r.stop, i.start, i.stop) for r, i in _runs((24, 100), 32)]
    [(0, 8, 0, 1), (8, 72, 1, 3), (72, 76, 3, 4)]
    """
    first, last = span
    if step is None:
        return [(slice(0, last - first), slice(0, 1))]
    whole_from = -(-first // step) * step
    whole_to = last // step * step
    edges = sorted({first, min(whole_from, last), max(whole_to, first), last})
    runs = []
    for start, end in pairwise(edges):
        lines = slice(start - first, end - first)
        blocks = slice(start // step, -(-end // step))
        runs.append((lines, blocks))
    return runs
