"""Part: some rows of a matrix, by an index set: q of a fused qkv, gate of gate_up, one head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Index, Shape
from ...lazy import torch
from ..entry import Entry, Span

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Part:
    """The rows of `of` that `rows` names, in its order; all columns."""

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
        """As many rows as the set has."""
        return self.rows.size, self.of.shape[1]

    @property
    def cut(self) -> Axis:
        """As stored."""
        return self.of.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """What each contiguous run of stored rows needs."""
        return tuple(span for inner in self._boxes(box) for span in self.of.needs(inner))

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The runs below each other: a view where there is one run."""
        made, at = [], 0
        for inner in self._boxes(box):
            used = len(self.of.needs(inner))
            made.append(self.of.make(inner, stored[at : at + used]))
            at += used
        if len(made) == 1:
            return made[0]
        if self.cut == 1:  # keep the layout: join column-major pieces column-major
            return torch.cat([m.mT for m in made], 1).mT
        return torch.cat(made)

    def _boxes(self, box: Box) -> Iterator[Box]:
        runs = list(self.rows.runs(*box.rows)) or [(self.rows.start, self.rows.start)]
        return (Box(run, box.cols) for run in runs)
