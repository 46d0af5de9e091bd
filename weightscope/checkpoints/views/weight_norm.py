"""WeightNorm: the weight g * v / |v| that a model computes where its weight is normed, made box by
box.

|v| is the root of the sum of squares over all dimensions but one, as in torch's `weight_norm`;
zeros in v give NaN, as there. The norms of rows come from the rows of the box. Norms across rows
come from a reading of their own, once and chunk by chunk, when the first box is made: the one
place where making reads, since no box has what they need.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape, tiles, whole
from ...lazy import torch
from ..entry import Span, Stored, lines_in_memory
from ..files import read_into

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class WeightNorm:
    """`g` has an element for each index of dimension `dim` of `v`, one alone for None."""

    g: Stored
    v: Stored
    dim: int | None = 0

    @property
    def name(self) -> str:
        """V's."""
        return self.v.name

    @property
    def dims(self) -> tuple[int, ...]:
        """V's."""
        return self.v.dims

    @property
    def params(self) -> int:
        """V's."""
        return self.v.params

    @property
    def dtype(self) -> str:
        """Of the product, not of what is stored."""
        return "F64" if "F64" in (self.g.dtype, self.v.dtype) else "F32"

    @property
    def shape(self) -> Shape:
        """V's: first dimension by the product of the others."""
        return self.v.shape

    @property
    def cut(self) -> Axis:
        """V's."""
        return self.v.cut

    @property
    def _by_rows(self) -> bool:
        """Whether whole rows, which hold their norms, are what is read."""
        return self.dim == 0 and self.v.cut == 0

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The lines of v, and their elements of g where a box can tell its norms."""
        lines = self.v.needs(self._read(box))
        return lines + self.g.needs(self._box_of_g(box)) if self._by_rows else lines

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """v times g / |v|, computed in float64."""
        read = self._read(box)
        used = len(self.v.needs(read))
        values = self.v.make(read, stored[:used]).double()
        if self._by_rows:
            g = self.g.make(self._box_of_g(box), stored[used:]).double()  # (rows, 1)
            factors = g / values.norm(dim=1, keepdim=True)
            made = (values * factors)[:, slice(*box.cols)]
        else:
            made = values * self._factors_of(box, values.device)
        converted: Tensor = made if self.dtype == "F64" else made.to(torch.float32)
        return converted

    def _read(self, box: Box) -> Box:
        return Box(box.rows, (0, self.shape[1])) if self._by_rows else box

    def _box_of_g(self, box: Box) -> Box:
        """The elements of g for some rows: g is (rows, 1, ...)."""
        return Box(box.rows, (0, 1))

    def _factors_of(self, box: Box, device: torch.device) -> Tensor:
        """What the elements of a box are multiplied by, to be broadcast over it."""
        factors = self._factors.to(device)
        if self.dim is None:
            return factors
        if self.dim == 0:
            return factors[slice(*box.rows), None]
        return factors[None, slice(*box.cols)]

    @cached_property
    def _factors(self) -> Tensor:
        """g / |v| in float64: one number, or one for each row or column of the matrix."""
        g = _values(self.g, whole(self.g.shape)).flatten().double()
        sums = torch.zeros(self.shape[0] if self.dim == 0 else self.shape[1], dtype=torch.float64)
        for box in tiles(whole(self.shape), self.v.cut):
            squares = (
                _values(self.v, box).double().square()
            )  # a copy: it may be the caller's tensor
            lines = slice(*(box.rows if self.dim == 0 else box.cols))
            sums[lines] += squares.sum(dim=1 if self.dim == 0 else 0)
        if self.dim is None:
            return g[0] / sums.sum().sqrt()
        if self.dim == 0:
            return g / sums.sqrt()
        return self._along_columns(g, sums)

    def _along_columns(self, g: Tensor, sums: Tensor) -> Tensor:
        """One factor for each column: an index of the dimensions after the first, laid out flat."""
        assert self.dim
        before, size, after = (
            prod(self.dims[1 : self.dim]),
            self.dims[self.dim],
            prod(self.dims[self.dim + 1 :]),
        )
        norms = sums.reshape(before, size, after).sum(dim=(0, 2)).sqrt()  # (size,)
        factors = (g / norms)[None, :, None]  # (1, size, 1)
        return factors.expand(before, size, after).reshape(-1)


def _values(leaf: Stored, box: Box) -> Tensor:
    """A box of a stored tensor, read by itself, on the host."""
    return leaf.make(box, tuple(_read(span) for span in leaf.needs(box))).cpu()


def _read(span: Span) -> Tensor:
    if span.leaf.tensor is not None:
        return lines_in_memory(span)
    offset, length = span.bytes
    raw = bytearray(length)
    read_into(span.leaf.file, offset, memoryview(raw))
    return span.typed(torch.frombuffer(raw, dtype=torch.uint8))
