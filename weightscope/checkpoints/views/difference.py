"""Difference: B - A of two entries of one shape, box by box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...dtypes import DTYPES
from ...geometry import Axis, Box, Shape
from ..entry import Entry, Span, same
from .adapted import Adapted
from .dora import Dora
from .part import Part
from .transpose import Transpose
from .values import common, laid_out, values

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Difference:
    """B - A in float32; in float64 where a type has values that float32 cannot hold."""

    a: Entry
    b: Entry

    @property
    def name(self) -> str:
        """The name of A."""
        return self.a.name

    @property
    def dtype(self) -> str:
        """The type of the difference, not of its terms."""
        return common((self.a.dtype, self.b.dtype))

    @property
    def shape(self) -> Shape:
        """Of both."""
        return self.a.shape

    @property
    def cut(self) -> Axis:
        """As of A, whose layout the differences have."""
        return self.a.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The spans of A, then those of B."""
        return self.a.needs(box) + self.b.needs(box)

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """B - A in new memory: narrow types are converted first, so that nothing is rounded."""
        of_a = len(self.a.needs(box))
        made_a = self.a.make(box, stored[:of_a])
        made_b = self.b.make(box, stored[of_a:])
        made_b = laid_out(made_b, made_a)  # before the conversion: fewer bytes are moved
        a = made_a
        if DTYPES[self.a.dtype].kind != "float":  # torch widens floats while it subtracts them
            a = values(made_a, self.a.dtype, self.dtype)
        b = values(made_b, self.b.dtype, self.dtype)
        if b is made_b:  # the words may be the caller's
            return b.sub(a)
        return b.sub_(a)


def difference(a: Entry, b: Entry) -> Entry:
    """B - A; where B is A with an update the update itself, which no subtraction rounds."""
    update = _update(a, b)
    if update is not None:
        return update
    return Difference(a, b)


def _update(a: Entry, b: Entry) -> Entry | None:
    """The update of an adapted A, cut as A is; None where B is no adapted A."""
    if isinstance(b, Adapted):
        return b.update if same(b.of, a) else None
    if isinstance(b, Dora):
        return replace(b, change=True) if same(b.of, a) else None
    if isinstance(a, Part) and isinstance(b, Part) and a.rows == b.rows:
        update = _update(a.of, b.of)
        return None if update is None else Part(update, a.rows)
    if isinstance(a, Transpose) and isinstance(b, Transpose):
        update = _update(a.of, b.of)
        return None if update is None else Transpose(update)
    return None
