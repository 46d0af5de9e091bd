"""WeightNorm: the weight g * v / |v| of a model with weight norm, box by box.

|v| is the root of the sum of squares over all dimensions but one, as in torch's `weight_norm`;
zeros in v give NaN, as there. The norms of rows are computed from the rows of the box. Norms across
rows need all of v, which no box has: they are computed once, chunk by chunk, when the first box is
made. Nowhere else does `make` read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape, tiles, whole
from ...lazy import torch
from ...sending import sent
from ..entry import Span, Stored, lines_in_memory
from ..files import read_into

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class WeightNorm:
    """`g` has an element for each index of dimension `dim` of `v`, a single one for None."""

    g: Stored
    v: Stored
    dim: int | None = 0

    @property
    def name(self) -> str:
        """As of v."""
        return self.v.name

    @property
    def dims(self) -> tuple[int, ...]:
        """As of v."""
        return self.v.dims

    @property
    def params(self) -> int:
        """As of v."""
        return self.v.params

    @property
    def dtype(self) -> str:
        """The type of the product, not of g and v."""
        stored = (self.g.dtype, self.v.dtype)
        return "F64" if "F64" in stored else "F32"

    @property
    def shape(self) -> Shape:
        """The shape of v: first dimension by the product of the others."""
        return self.v.shape

    @property
    def cut(self) -> Axis:
        """As of v."""
        return self.v.cut

    @property
    def _by_rows(self) -> bool:
        """Whether whole rows are read, from which their norms can be computed."""
        return self.dim == 0 and self.v.cut == 0

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The rows or columns of v, and the elements of g where norms come from the box."""
        spans = self.v.needs(self._box_of_v(box))
        if self._by_rows:
            spans += self.g.needs(self._box_of_g(box))
        return spans

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """v times g / |v|, computed in float64."""
        box_of_v = self._box_of_v(box)
        of_v = len(self.v.needs(box_of_v))
        values = self.v.make(box_of_v, stored[:of_v]).double()
        if self._by_rows:
            g = self.g.make(self._box_of_g(box), stored[of_v:]).double()  # (rows, 1)
            factors = g / values.norm(dim=1, keepdim=True)
            weight: Tensor = (values * factors)[:, slice(*box.cols)]
        else:
            weight = values * self._factors_of(box, values.device)
        if self.dtype == "F32":
            weight = weight.to(torch.float32)
        return weight

    def _box_of_v(self, box: Box) -> Box:
        """The whole rows of the box where norms are computed from them."""
        if not self._by_rows:
            return box
        _, columns = self.shape
        return Box(box.rows, (0, columns))

    def _box_of_g(self, box: Box) -> Box:
        """The elements of g for some rows: g is (rows, 1, ...)."""
        return Box(box.rows, (0, 1))

    def _factors_of(self, box: Box, device: torch.device) -> Tensor:
        """The factors of the elements of a box, in a shape that broadcasts over it."""
        factors = sent(self._factors, device)  # computed on the host once
        if self.dim is None:
            return factors
        if self.dim == 0:
            return factors[slice(*box.rows), None]
        return factors[None, slice(*box.cols)]

    @cached_property
    def _factors(self) -> Tensor:
        """g / |v| in float64: one number, or one for each row or column of the matrix."""
        g = _values(self.g, whole(self.g.shape)).flatten().double()
        sums = self._sums_of_squares()
        if self.dim is None:
            return g[0] / sums.sum().sqrt()
        if self.dim == 0:
            return g / sums.sqrt()
        return self._along_columns(g, sums)

    def _sums_of_squares(self) -> Tensor:
        """The sum of squares of each row for dimension 0, else of each column."""
        rows, columns = self.shape
        is_of_rows = self.dim == 0
        sums = torch.zeros(rows if is_of_rows else columns, dtype=torch.float64)
        for box in tiles(whole(self.shape), self.v.cut):
            # not in place: the values may be the caller's tensor
            squares = _values(self.v, box).double().square()
            if is_of_rows:
                sums[slice(*box.rows)] += squares.sum(dim=1)
            else:
                sums[slice(*box.cols)] += squares.sum(dim=0)
        return sums

    def _along_columns(self, g: Tensor, sums: Tensor) -> Tensor:
        """One factor for each column: the dimensions after the first, flattened."""
        assert self.dim
        before = prod(self.dims[1 : self.dim])
        size = self.dims[self.dim]
        after = prod(self.dims[self.dim + 1 :])
        squares = sums.reshape(before, size, after).sum(dim=(0, 2))  # (size,)
        factors = g / squares.sqrt()
        # The factor of an index of `dim` serves all columns with that index.
        repeated = factors[None, :, None].expand(before, size, after)
        return repeated.reshape(-1)


def _values(leaf: Stored, box: Box) -> Tensor:
    """A box of a stored tensor, read at once, on the host."""
    stored = tuple(_read(span) for span in leaf.needs(box))
    return leaf.make(box, stored).cpu()


def _read(span: Span) -> Tensor:
    if span.leaf.tensor is not None:
        return lines_in_memory(span)
    offset, length = span.bytes
    buffer = bytearray(length)
    read_into(span.leaf.file, offset, memoryview(buffer))
    raw = torch.frombuffer(buffer, dtype=torch.uint8)
    return span.typed(raw)
