"""Adapted: a base weight with the update of an adapter added, A + s B A, box by box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape
from ..entry import Entry, Span
from .values import common, laid_out, values

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Adapted:
    """`of` + `update` in float32; in float64 with `wide` or where float32 cannot hold a part."""

    of: Entry
    update: Entry
    wide: bool = False

    @property
    def name(self) -> str:
        """The name of the base weight."""
        return self.of.name

    @property
    def dtype(self) -> str:
        """The type of the sum, not of its terms."""
        if self.wide:
            return "F64"
        return common((self.of.dtype, self.update.dtype))

    @property
    def shape(self) -> Shape:
        """Of both terms."""
        return self.of.shape

    @property
    def cut(self) -> Axis:
        """As of the base weight, whose layout the sums have."""
        return self.of.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The spans of the base weight, then those of the update."""
        return self.of.needs(box) + self.update.needs(box)

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The sum in new memory."""
        of_base = len(self.of.needs(box))
        base = self.of.make(box, stored[:of_base])
        update = self.update.make(box, stored[of_base:])
        update = values(laid_out(update, base), self.update.dtype, self.dtype)
        return values(base, self.of.dtype, self.dtype).add(update)
