"""Dora: m (A + s B A) / |A + s B A|, a base weight with the update of a DoRA adapter, box by box.

The norms are those of whole rows, or of all outputs of an input channel (LyCORIS), which no box
has: a first pass over the base measures them. m has the shape (rows, 1), or (1, input channels).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...geometry import Axis, Box, Shape
from ...sending import sent
from ..entry import Entry, Span
from .values import common, laid_out, values

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Dora:
    """The adapted weight, or with `change` its difference to `of`; computed in float64."""

    of: Entry
    update: Entry
    magnitudes: Entry  # m
    axis: Axis = 0  # whose lines have a magnitude: rows or columns
    norms: Any = field(default=None, compare=False)  # float64, one for each of m; None: unknown
    change: bool = False

    @property
    def name(self) -> str:
        """The name of the base weight."""
        return self.of.name

    @property
    def dtype(self) -> str:
        """The type of the result, not of its terms."""
        return common((self.of.dtype, self.update.dtype))

    @property
    def shape(self) -> Shape:
        """Of the base weight."""
        return self.of.shape

    @property
    def cut(self) -> Axis:
        """As of the base weight, whose layout the values have."""
        return self.of.cut

    @property
    def kernel(self) -> int:
        """Rows or columns that share a magnitude: those of a kernel."""
        return self.shape[self.axis] // self.magnitudes.shape[self.axis]

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The spans of the base weight, of the update and of the magnitudes."""
        terms = self.of.needs(box) + self.update.needs(box)
        return terms + self.magnitudes.needs(self._of_magnitudes(box))

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """f (A + s B A) with f = m / norm, or (f - 1) A + f s B A, in new memory."""
        of_base = len(self.of.needs(box))
        of_update = of_base + len(self.update.needs(box))
        base = self.of.make(box, stored[:of_base])
        update = self.update.make(box, stored[of_base:of_update])
        factors = self._factors(box, stored[of_update:])
        wide = values(base, self.of.dtype, "F64")
        terms = values(laid_out(update, base), self.update.dtype, "F64") * factors
        kept = factors - 1 if self.change else factors
        return values(terms.addcmul_(wide, kept), "F64", self.dtype)

    def _of_magnitudes(self, box: Box) -> Box:
        """The magnitudes of the rows or columns of a box."""
        first, last = box.cols if self.axis else box.rows
        lines = (first // self.kernel, -(-last // self.kernel))
        return Box((0, 1), lines) if self.axis else Box(lines, (0, 1))

    def _factors(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """m / norm of each row or column of a box, (rows, 1) or (1, columns), float64."""
        inner = self._of_magnitudes(box)
        made = self.magnitudes.make(inner, stored)
        m = values(made, self.magnitudes.dtype, "F64").flatten()
        first, last = inner.cols if self.axis else inner.rows
        factors: Tensor = m / sent(self.norms[first:last], m.device)
        begin, end = box.cols if self.axis else box.rows
        skipped = begin - first * self.kernel
        factors = factors.repeat_interleave(self.kernel)[skipped : skipped + end - begin]
        return factors[None, :] if self.axis else factors[:, None]
