"""Product: a low-rank update scale * B A (LoRA), made box by box; a spectrum takes `b` and `a` and stays r x r."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape
from ...lazy import torch
from ..entry import Entry, Span

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Product:
    """B is (out, r), A is (r, in); the values are float32 whatever the factors are stored in (float64 for F64)."""

    b: Entry
    a: Entry
    scale: float = 1.0

    @property
    def name(self) -> str:
        """A's."""
        return self.a.name

    @property
    def dtype(self) -> str:
        """Of the product, not of the factors."""
        return "F64" if "F64" in (self.a.dtype, self.b.dtype) else "F32"

    @property
    def shape(self) -> Shape:
        """out x in."""
        return self.b.shape[0], self.a.shape[1]

    @property
    def cut(self) -> Axis:
        """Rows: a run of rows of B, and all of A."""
        return 0

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The rows of B and the columns of A."""
        b, a = self._boxes(box)
        return self.b.needs(b) + self.a.needs(a)

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """scale * B[rows] A[:, cols], multiplied in float64."""
        b, a = self._boxes(box)
        used = len(self.b.needs(b))
        left, right = self.b.make(b, stored[:used]), self.a.make(a, stored[used:])
        made = self.scale * (left.double() @ right.double())
        return made if self.dtype == "F64" else made.to(torch.float32)

    def _boxes(self, box: Box) -> tuple[Box, Box]:
        rank = self.a.shape[0]
        return Box(box.rows, (0, rank)), Box((0, rank), box.cols)
