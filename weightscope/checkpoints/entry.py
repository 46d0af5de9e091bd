"""An entry is one lazy matrix: the stored bytes that a box needs, and how they become the box.

Nothing here does I/O or knows a device: `needs` is arithmetic, `make` is a pure function of tensors
on any device. Stored is the only leaf; every other entry (views/) is made of entries and forwards
to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

from ..dtypes import DTYPES
from ..geometry import Axis, Box, Shape
from ..lazy import torch
from ..notes import Notes

if TYPE_CHECKING:
    from torch import Tensor


class Entry(Protocol):
    """Law: make(box, load(needs(box))) == make(whole, load(needs(whole)))[box], for every box."""

    @property
    def name(self) -> str:
        """As stored."""

    @property
    def shape(self) -> Shape:
        """Always a matrix; a vector is 1 x n, a scalar 1 x 1."""

    @property
    def dtype(self) -> str:
        """Type of the values that `make` returns, in the spelling of safetensors (dtypes.py)."""

    @property
    def cut(self) -> Axis:
        """The axis along which whole rows (0) or columns (1) are cheap to read."""

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Whole rows or columns of leaves."""

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The box, (rows, columns), in the storage dtype of `dtype` (codes for 8 bits and less)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as it is stored in a file, or in memory: the only leaf.

    Properties are not cached: a file may have a million tensors, and a cache is a dict of each.
    """

    name: str
    dims: tuple[int, ...]  # as stored; () is a scalar
    dtype: str
    file: str = ""
    offset: int = 0  # bytes from the start of the file to element [0, 0, ...]
    strides: tuple[int, ...] | None = None  # in elements; None = row-major
    swapped: bool = False  # big-endian bytes in the file
    negated: bool = False  # the file holds the negatives of the values
    tensor: Any = None  # in memory: the tensor itself, nothing is read
    notes: Notes = ()  # oddities, or why it cannot be measured
    measurable: bool = True
    coded: str = ""  # the quantised layout whose codes it holds, "" for values
    weight: str = ""  # the name of the weight that it represents: codes, v of a weight norm

    @property
    def matrix(self) -> tuple[int, ...]:
        """`dims` with leading ones where there are fewer than two."""
        padding = 2 - len(self.dims)
        return (1,) * padding + self.dims

    @property
    def shape(self) -> Shape:
        """First dimension by the product of the others."""
        rows, *others = self.matrix
        return rows, prod(others)

    @property
    def params(self) -> int:
        """Number of elements."""
        return prod(self.dims)

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take, views expanded."""
        bits = self.params * DTYPES[self.dtype].bits
        return -(-bits // 8)

    @property
    def steps(self) -> tuple[int, ...]:
        """Strides of `matrix` in elements."""
        if self.strides is None:
            return _row_major_strides(self.matrix)
        padding = 2 - len(self.dims)
        return (0,) * padding + self.strides

    @property
    def cut(self) -> Axis:
        """Columns for vectors and for matrices stored column-major, else rows."""
        rows, *others = self.matrix
        if len(others) > 1:
            return 0
        if rows == 1:
            return 1
        if self.strides is None:
            return 0  # row-major, and asked for at every tile
        row_step, column_step = self.strides
        return 1 if 0 < row_step < column_step else 0

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The whole rows or columns of the box, along `cut`."""
        first, last = box.cols if self.cut else box.rows
        return (Span(self, first, last),)

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The box as a view of the loaded rows or columns wherever their strides allow."""
        loaded = stored[0]
        count = box.shape[self.cut]
        if self.tensor is None:  # a flat run of elements; of tensors in memory a part
            loaded = loaded.as_strided(self.part_dims(count), self.steps)
        if self.cut == 1:
            return loaded[slice(*box.rows)]
        matrix = loaded.reshape(count, self.shape[1])  # (rows, columns) of flattened kernels
        return matrix[:, slice(*box.cols)]

    def part_dims(self, count: int) -> tuple[int, ...]:
        """The dimensions of `count` rows or columns along `cut`."""
        if self.cut == 1:
            return self.matrix[0], count
        return (count, *self.matrix[1:])


def _row_major_strides(dims: tuple[int, ...]) -> tuple[int, ...]:
    """Strides in elements: the product of the dimensions that follow each."""
    strides = []
    for axis in range(len(dims)):
        following = dims[axis + 1 :]
        strides.append(prod(following))
    return tuple(strides)


def run_length(dims: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Elements from the first to the last of a view that has some.

    >>> run_length((2, 3), (10, 2))
    15
    """
    last = sum((extent - 1) * stride for extent, stride in zip(dims, strides, strict=True))
    return last + 1


@dataclass(frozen=True)
class Span:
    """Rows or columns first..last of a leaf along its cut: the unit of reading."""

    leaf: Stored
    first: int
    last: int

    @property
    def elements(self) -> tuple[int, int]:
        """(start, length) of the stored elements that hold the span, from the leaf's offset."""
        leaf = self.leaf
        count = self.last - self.first
        if count <= 0 or leaf.params == 0:  # run_length would count one element
            return 0, 0
        start = self.first * leaf.steps[leaf.cut]
        return start, run_length(leaf.part_dims(count), leaf.steps)

    @property
    def bytes(self) -> tuple[int, int]:
        """(offset in the file, length) of that run; half-byte elements are rounded outwards."""
        start, length = self.elements
        bits = DTYPES[self.leaf.dtype].bits
        first = start * bits // 8
        last = -(-(start + length) * bits // 8)
        return self.leaf.offset + first, last - first

    def typed(self, raw: Tensor) -> Tensor:
        """The loaded bytes (uint8) as elements of the storage dtype; F4 as one code per element."""
        dtype = DTYPES[self.leaf.dtype]
        if dtype.bits == 4:
            return self._half_bytes(raw)
        if self.leaf.swapped and dtype.bits > 8:
            # F4 and 8-bit types have no byte order
            words = raw.view(-1, dtype.bits // 8)  # (elements, bytes of one)
            raw = words.flip(-1).reshape(-1)
        elements = raw.view(getattr(torch, dtype.store))
        if self.leaf.negated:
            return elements.neg()
        return elements

    def _half_bytes(self, raw: Tensor) -> Tensor:
        """Codes of 4 bits, the lower half of a byte first; the span may begin inside a byte."""
        start, length = self.elements
        codes = torch.stack((raw & 15, raw >> 4), -1).flatten()
        first = start % 2
        return codes[first : first + length]


def same(a: Any, b: Any) -> bool:
    """Whether two entries are made of the same leaves in the same way; in memory by identity.

    >>> same(Stored("w", (2,), "F32", "f", 8), Stored("w", (2,), "F32", "f", 8))
    True
    """
    if a is b:
        return True
    if type(a) is not type(b) or not is_dataclass(a):
        return False
    return all(_same_field(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))


def _same_field(x: object, y: object) -> bool:
    """Plain values by value, tensors by identity: comparing tensors compares their elements."""
    if is_dataclass(x) and hasattr(x, "needs"):
        return same(x, y)
    if hasattr(x, "data_ptr") or hasattr(y, "data_ptr"):
        return x is y
    return x == y


def joined(spans: Iterable[Span]) -> list[Span]:
    """The fewest spans that cover these; overlapping and adjacent ones join, empty ones vanish.

    >>> leaf = Stored("w", (9, 2), "F32", "f")
    >>> [(s.first, s.last) for s in joined([Span(leaf, 6, 9), Span(leaf, 0, 3), Span(leaf, 2, 4)])]
    [(0, 4), (6, 9)]
    """
    by_leaf: dict[Stored, list[Span]] = {}
    for span in dict.fromkeys(spans):
        _, length = span.bytes
        if length:
            by_leaf.setdefault(span.leaf, []).append(span)
    return [run for group in by_leaf.values() for run in _runs(group)]


def _runs(spans: list[Span]) -> list[Span]:
    """Joined spans of one leaf, in its order."""
    runs: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.first, s.last)):
        if runs and _meet(runs[-1], span):
            run = runs.pop()
            span = Span(run.leaf, run.first, max(run.last, span.last))
        runs.append(span)
    return runs


def _meet(a: Span, b: Span) -> bool:
    """Whether b, which begins no earlier, overlaps a or touches its end.

    The rows of strided leaves may also share bytes.
    """
    if b.first <= a.last:
        return True
    start, length = a.bytes
    next_start, _ = b.bytes
    return next_start < start + length


def lines_in_memory(span: Span) -> Tensor:
    """The span of a tensor in memory, in the storage dtype: a view, a copy where it is negated."""
    leaf = span.leaf
    matrix: Tensor = leaf.tensor.detach().reshape(leaf.matrix)
    store = getattr(torch, DTYPES[leaf.dtype].store)
    if matrix.dtype != store:
        matrix = matrix.view(store)
    part = matrix.narrow(leaf.cut, span.first, span.last - span.first)
    return part.resolve_neg()
