"""Product: a low-rank update scale * B A (LoRA), box by box; a spectrum uses `b` and `a`, r x r."""

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
    """B is (out, r), A is (r, in); the values are float32, or float64 where a factor is F64."""

    b: Entry
    a: Entry
    scale: float = 1.0

    @property
    def name(self) -> str:
        """The name of A."""
        return self.a.name

    @property
    def dtype(self) -> str:
        """The type of the product, not of the factors."""
        stored = (self.a.dtype, self.b.dtype)
        return "F64" if "F64" in stored else "F32"

    @property
    def shape(self) -> Shape:
        """out x in."""
        outputs, _ = self.b.shape
        _, inputs = self.a.shape
        return outputs, inputs

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
        of_b = len(self.b.needs(b))
        left = self.b.make(b, stored[:of_b])  # (rows, r)
        right = self.a.make(a, stored[of_b:])  # (r, columns)
        product = self.scale * (left.double() @ right.double())
        if self.dtype == "F64":
            return product
        return product.to(torch.float32)

    def _boxes(self, box: Box) -> tuple[Box, Box]:
        """The boxes of B and of A."""
        rank, _ = self.a.shape
        all_ranks = (0, rank)
        return Box(box.rows, all_ranks), Box(all_ranks, box.cols)
