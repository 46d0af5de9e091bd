"""Difference: B - A of two entries of one shape, box by box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...dtypes import DTYPES
from ...geometry import Axis, Box, Shape
from ...lazy import torch
from ..entry import Entry, Span, same
from .adapted import Adapted
from .dora import Dora
from .part import Part
from .transpose import Transpose
from .values import common, is_mirrored, laid_out, values

if TYPE_CHECKING:
    from torch import Tensor


Take = Callable[[tuple[int, ...], Any], "Tensor"]  # (shape, type) -> a buffer


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
        made_a, made_b = self._terms(box, stored)
        made_b = laid_out(made_b, made_a)  # before the conversion: fewer bytes are moved
        a = values(made_a, self.a.dtype, self.dtype)
        b = values(made_b, self.b.dtype, self.dtype)
        if b is made_b:  # the words may be the caller's
            return b.sub(a)
        return b.sub_(a)

    def make_into(self, box: Box, stored: tuple[Tensor, ...], take: Take) -> Tensor:
        """B - A in a buffer that the caller reuses: new memory costs more than the difference.

        `take(shape, dtype)` is a dense buffer. Types other than floats are made in new memory.
        """
        if not all(DTYPES[dtype].kind == "float" for dtype in (self.a.dtype, self.b.dtype)):
            return self.make(box, stored)
        made_a, made_b = self._terms(box, stored)
        wide = getattr(torch, DTYPES[self.dtype].store)
        rows, columns = box.shape
        if is_mirrored(made_a):
            out = take((columns, rows), wide).mT
        else:
            out = take((rows, columns), wide)
        return out.copy_(made_b).sub_(made_a)  # torch widens floats while it subtracts them

    def _terms(self, box: Box, stored: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """A and B as they are stored."""
        of_a = len(self.a.needs(box))
        return self.a.make(box, stored[:of_a]), self.b.make(box, stored[of_a:])


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
