"""Part: some rows of a matrix, by an index set: q of a fused qkv, gate of gate_up, one head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Index, Shape
from ...lazy import torch
from ..entry import Entry, Span
from .boxes import made, needed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Part:
    """The rows of `of` in an index set, in its order; all columns."""

    of: Entry
    rows: Index

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
        """The rows of the set by all columns."""
        _, columns = self.of.shape
        return self.rows.size, columns

    @property
    def cut(self) -> Axis:
        """As stored."""
        return self.of.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The spans of each contiguous run of stored rows."""
        return needed(self.of, self._boxes(box))

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The runs below each other: a view where there is one run."""
        parts = [values for _, values in made(self.of, self._boxes(box), stored)]
        if len(parts) == 1:  # without a copy
            return parts[0]
        if self.cut == 1:  # keep the layout: join column-major parts column-major
            return torch.cat([part.mT for part in parts], 1).mT
        return torch.cat(parts)

    def _boxes(self, box: Box) -> Iterator[Box]:
        """A box of `of` for each run of stored rows; one without rows for a box without rows."""
        first, last = box.rows
        if first >= last:
            start = self.rows.start
            yield Box((start, start), box.cols)
        for run in self.rows.runs(first, last):
            yield Box(run, box.cols)
