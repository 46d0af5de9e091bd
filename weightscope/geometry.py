"""Boxes, index sets and the fixed tiling of a matrix: shape arithmetic that every room shares.

Tiles and segments follow from the shape alone, never from budget or threads, so that every run adds the
same numbers in the same order (a GPU has larger ones: `size`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, int]
Axis = Literal[0, 1]

TILE = 1 << 19  # elements: long enough calls for two threads, near enough to the cache
SEGMENT = 1 << 24  # elements: what one worker folds alone; 32 tiles make its merge free
LONG_LINES = (
    128  # lines of a tile across the long side, at least: products of thin ones wait for memory
)


@dataclass(frozen=True)
class Index:
    """Which lines of an axis: `groups` runs of `length`, `period` apart, from `start`.

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
        """How many lines the set has."""
        return self.length * self.groups

    def runs(self, lo: int, hi: int) -> Iterator[tuple[int, int]]:
        """Contiguous stored runs (first, last) behind lines lo..hi of this set."""
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
    def T(self) -> Box:  # the field's letter for a transpose
        """The same rectangle of the transposed matrix."""
        return Box(self.cols, self.rows)

    @property
    def shape(self) -> Shape:
        """(rows, columns) of the rectangle."""
        return self.rows[1] - self.rows[0], self.cols[1] - self.cols[0]

    @property
    def size(self) -> int:
        """Elements of the rectangle."""
        return self.shape[0] * self.shape[1]


def whole(shape: Shape) -> Box:
    """The box that is the whole matrix."""
    return Box((0, shape[0]), (0, shape[1]))


def long_side(shape: Shape) -> Axis:
    """The axis with more lines; rows, as most are stored, where there are as many.

    >>> long_side((4, 8)), long_side((4, 4))
    (1, 0)
    """
    return 0 if shape[0] >= shape[1] else 1


def tiles(box: Box, axis: Axis, size: int = TILE) -> tuple[Box, ...]:
    """Cuts a box into runs of whole lines along `axis`, multiples of 8 where short, about `size` elements each.

    >>> [b.rows for b in tiles(Box((0, 100), (0, 1 << 14)), 0)]
    [(0, 32), (32, 64), (64, 96), (96, 100)]
    """
    return _cut(box, axis, size)


def segments(shape: Shape, axis: Axis, size: int = SEGMENT) -> tuple[Box, ...]:
    """Cuts a matrix into runs of about `size` elements: what workers fold apart, merged left to right."""
    return _cut(whole(shape), axis, size)


def _cut(box: Box, axis: Axis, size: int) -> tuple[Box, ...]:
    if not box.size:  # however many lines it claims to have
        return (box,)
    first, last = (box.rows, box.cols)[axis]
    lines = max(1, round(size / max(1, box.shape[1 - axis])))
    step = (
        lines if lines < 8 else round(lines / 8) * 8
    )  # very long lines go one by one, so that tiles stay bounded
    spans = [(at, min(at + step, last)) for at in range(first, last, step)]
    return tuple(Box(s, box.cols) if axis == 0 else Box(box.rows, s) for s in spans)
