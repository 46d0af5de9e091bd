"""Halves: heads whose rows are stored interleaved, shown as transformers stores them.

A rotary embedding turns pairs of rows. Stored are x0, y0, x1, y1, ... of each head, and shown are
x0, x1, ..., y0, y1, ... of each head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape
from ...lazy import torch
from ..entry import Entry, Span
from .boxes import made, needed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Halves:
    """The rows of `of` with the even ones of each head before the odd ones."""

    of: Entry
    head: int  # rows of a head: even, and a divisor of all rows

    @property
    def name(self) -> str:
        """As stored."""
        return self.of.name

    @property
    def dtype(self) -> str:
        """As stored."""
        return self.of.dtype

    @property
    def shape(self) -> Shape:
        """As stored."""
        return self.of.shape

    @property
    def cut(self) -> Axis:
        """As stored."""
        return self.of.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Whole heads at once; of a head that the box cuts, its rows one by one."""
        return needed(self.of, self._boxes(box))

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The rows below each other."""
        parts = []
        for inner, values in made(self.of, self._boxes(box), stored):
            rows, _ = inner.shape
            is_heads = rows % self.head == 0
            parts.append(self._reordered(values) if is_heads else values)
        if self.cut == 1:
            (heads,) = parts
            first = box.rows[0] % self.head
            return heads[first : first + box.shape[0]]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _reordered(self, values: Tensor) -> Tensor:
        """Whole heads: even rows, then odd rows; column-major values stay column-major."""
        rows, columns = values.shape
        count = rows // self.head
        if self.cut == 1:
            lines = values.mT.reshape(columns, count, self.head)
            halves = torch.cat((lines[:, :, 0::2], lines[:, :, 1::2]), 2)
            return halves.reshape(columns, rows).mT
        heads = values.reshape(count, self.head, columns)
        halves = torch.cat((heads[:, 0::2], heads[:, 1::2]), 1)
        return halves.reshape(rows, columns)

    def _boxes(self, box: Box) -> Iterator[Box]:
        """Boxes of `of` in the order shown: single rows, whole heads, single rows."""
        first, last = box.rows
        below = first // self.head * self.head
        above = -(-last // self.head) * self.head
        if self.cut == 1:  # columns are read whole: rows cost nothing
            yield Box((below, above), box.cols)
            return
        if first == last:
            yield Box((below, below), box.cols)
            return
        begin = -(-first // self.head) * self.head  # of the first whole head
        end = last // self.head * self.head
        if begin > end:  # inside one head
            yield from self._rows(first, last, box)
            return
        yield from self._rows(first, begin, box)
        if begin < end:
            yield Box((begin, end), box.cols)
        yield from self._rows(end, last, box)

    def _rows(self, first: int, last: int, box: Box) -> Iterator[Box]:
        """A box for each shown row."""
        half = self.head // 2
        for shown in range(first, last):
            start = shown // self.head * self.head
            side, pair = divmod(shown - start, half)
            row = start + 2 * pair + side
            yield Box((row, row + 1), box.cols)
