"""Boxes, index sets and the fixed tiling of a matrix: shape arithmetic that all packages share.

Tiles and segments follow from the shape alone, never from budget or threads, so that every run adds
the same numbers in the same order (those of a GPU are larger: `size`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, int]
Axis = Literal[0, 1]

TILE = 1 << 19  # elements: long enough calls for two threads, near enough to the cache
TILE_GPU = 1 << 22  # elements: calls longer than their launch, in a quarter of 3.5 GiB
SEGMENT = 1 << 24  # elements: what one worker folds alone; 32 tiles make its merge free
# rows or columns of a tile across the long side, at least: products of thin tiles wait for memory
LONG_LINES = 128


@dataclass(frozen=True)
class Index:
    """A set of rows or columns: `groups` runs of `length`, `period` apart, from `start`.

    q of a NeoX query_key_value with heads of d rows is `Index(0, d, heads, 3 * d)`.

    >>> list(Index(2, 2, groups=2, period=5).runs(1, 4))
    [(3, 4), (7, 9)]
    """

    start: int
    length: int
    groups: int = 1
    period: int = 0

    @property
    def size(self) -> int:
        """The number of rows or columns in the set."""
        return self.length * self.groups

    def runs(self, lo: int, hi: int) -> Iterator[tuple[int, int]]:
        """Contiguous stored runs (first, last) of the members lo..hi of this set."""
        while lo < hi:
            group, inside = divmod(lo, self.length)
            stop = min(hi, (group + 1) * self.length)
            first = self.start + group * self.period + inside
            yield first, first + stop - lo
            lo = stop


@dataclass(frozen=True)
class Box:
    """A rectangle of a matrix: rows and columns, half open."""

    rows: tuple[int, int]
    cols: tuple[int, int]

    @property
    def T(self) -> Box:  # the usual letter for a transpose
        """The same rectangle of the transposed matrix."""
        return Box(self.cols, self.rows)

    @property
    def shape(self) -> Shape:
        """(rows, columns) of the rectangle."""
        first_row, last_row = self.rows
        first_col, last_col = self.cols
        return last_row - first_row, last_col - first_col

    @property
    def size(self) -> int:
        """Elements of the rectangle."""
        rows, cols = self.shape
        return rows * cols


def whole(shape: Shape) -> Box:
    """The box that is the whole matrix."""
    rows, cols = shape
    return Box((0, rows), (0, cols))


def long_side(shape: Shape) -> Axis:
    """The longer axis; for a square matrix rows, the usual storage order.

    >>> long_side((4, 8)), long_side((4, 4))
    (1, 0)
    """
    rows, cols = shape
    return 0 if rows >= cols else 1


def tile_size(device: str) -> int:
    """Elements of a tile on a device.

    >>> tile_size("cuda:0") > tile_size("cpu")
    True
    """
    if device == "cpu":
        return TILE
    return TILE_GPU


def tiles(box: Box, axis: Axis, size: int = TILE) -> tuple[Box, ...]:
    """Cut a box into runs of whole rows or columns along `axis`, of about `size` elements.

    The length of a run is a multiple of 8 where the rows are short.

    >>> [b.rows for b in tiles(Box((0, 100), (0, 1 << 14)), 0)]
    [(0, 32), (32, 64), (64, 96), (96, 100)]
    """
    return _cut(box, axis, size)


def segments(shape: Shape, axis: Axis, size: int = SEGMENT) -> tuple[Box, ...]:
    """Cut a matrix into runs of about `size` elements, which workers fold and merge in order."""
    return _cut(whole(shape), axis, size)


def _cut(box: Box, axis: Axis, size: int) -> tuple[Box, ...]:
    if not box.size:  # a header may claim any number of rows beside a zero
        return (box,)
    first, last = box.rows if axis == 0 else box.cols
    length = box.shape[1 - axis]  # of one row or column
    step = max(1, round(size / max(1, length)))
    if step >= 8:  # fewer are not rounded up, so that tiles stay bounded
        step = round(step / 8) * 8
    boxes = []
    for start in range(first, last, step):
        span = (start, min(start + step, last))
        boxes.append(Box(span, box.cols) if axis == 0 else Box(box.rows, span))
    return tuple(boxes)
