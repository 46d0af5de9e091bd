"""Transpose: a tensor stored (in, out) seen as (out, in)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape
from ..entry import Entry, Span

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Transpose:
    """W^T: rows of a box are columns of `of`."""

    of: Entry

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
        """Sides exchanged."""
        return self.of.shape[::-1]

    @property
    def cut(self) -> Axis:
        """The other axis."""
        return 0 if self.of.cut else 1

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The spans of the transposed box."""
        return self.of.needs(box.T)

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """A view, column-major."""
        return self.of.make(box.T, stored).mT
