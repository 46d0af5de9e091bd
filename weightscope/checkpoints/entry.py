"""An entry is one lazy matrix: which stored bytes a box of it needs, and how the box is made of them.

Nothing here does I/O or knows a device: `needs` is arithmetic, `make` is a pure function on tensors wherever they
lie. Stored is the only leaf; every other entry (views/) is made of entries and forwards to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
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
        """Type of the values that `make` returns, as safetensors spells it (dtypes.py)."""

    @property
    def cut(self) -> Axis:
        """The axis along which lines are cheap to read."""

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Whole lines of leaves."""

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The box, (rows, columns), in the storage dtype of `dtype` (codes for 8 bits and less)."""


@dataclass(frozen=True)
class Stored:
    """A tensor as it lies in a file, or in memory: the only leaf."""

    name: str
    dims: tuple[int, ...]  # as stored; () is a scalar
    dtype: str
    file: str = ""
    offset: int = 0  # bytes from the start of the file to element [0, 0, ...]
    strides: tuple[int, ...] | None = None  # in elements; None = row-major
    swapped: bool = False  # big-endian bytes in the file
    negated: bool = False  # the file holds the negatives of the values
    tensor: Any = None  # in memory: the tensor itself, nothing is read
    notes: Notes = ()  # what is odd about it, or why it cannot be measured
    measurable: bool = True
    coded: str = ""  # the quantised layout whose codes it holds, "" for values
    weight: str = ""  # the name of the weight that it stands for: codes, v of a weight norm

    @cached_property
    def matrix(self) -> tuple[int, ...]:
        """`dims` with a leading 1 where there are fewer than two."""
        return (1,) * (2 - len(self.dims)) + self.dims

    @cached_property
    def shape(self) -> Shape:
        """First dimension by the product of the others."""
        return self.matrix[0], prod(self.matrix[1:])

    @property
    def params(self) -> int:
        """Number of elements."""
        return prod(self.dims)

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take, views expanded."""
        return -(-self.params * DTYPES[self.dtype].bits // 8)

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Strides of `matrix` in elements."""
        if self.strides is None:
            return tuple(prod(self.matrix[i + 1 :]) for i in range(len(self.matrix)))
        return (0,) * (2 - len(self.dims)) + self.strides

    @cached_property
    def cut(self) -> Axis:
        """Columns for vectors and for matrices stored column-major, else rows."""
        return (
            1
            if len(self.matrix) == 2 and (self.shape[0] == 1 or 0 < self.steps[0] < self.steps[1])
            else 0
        )

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The whole lines of the box along `cut`."""
        return (Span(self, *(box.rows, box.cols)[self.cut]),)

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The box as a view of the loaded lines wherever their strides allow."""
        lines = box.shape[self.cut]
        if self.tensor is None:
            dims = (lines, *self.matrix[1:]) if self.cut == 0 else (self.matrix[0], lines)
            made = stored[0].as_strided(dims, self.steps)
        else:
            made = stored[0]
        across = slice(*(box.cols, box.rows)[self.cut])
        return made.reshape(lines, self.shape[1])[:, across] if self.cut == 0 else made[across]


@dataclass(frozen=True)
class Span:
    """Lines first..last of a leaf along its cut: what is really read."""

    leaf: Stored
    first: int
    last: int

    @property
    def elements(self) -> tuple[int, int]:
        """(start, length) of the run of stored elements that holds the lines, counted from the leaf's offset."""
        leaf, lines = self.leaf, self.last - self.first
        if lines <= 0 or leaf.params == 0:
            return 0, 0
        dims = (lines, *leaf.matrix[1:]) if leaf.cut == 0 else (leaf.matrix[0], lines)
        return self.first * leaf.steps[leaf.cut], 1 + sum(
            (d - 1) * s for d, s in zip(dims, leaf.steps, strict=True)
        )

    @property
    def bytes(self) -> tuple[int, int]:
        """(offset in the file, length) of that run; half-byte elements are rounded outwards."""
        start, length = self.elements
        bits = DTYPES[self.leaf.dtype].bits
        first, last = start * bits // 8, -(-(start + length) * bits // 8)
        return self.leaf.offset + first, last - first

    def typed(self, raw: Tensor) -> Tensor:
        """The loaded bytes (uint8) as elements of the storage dtype; F4 as one code per element."""
        kind, (start, length) = DTYPES[self.leaf.dtype], self.elements
        if kind.bits == 4:
            codes = torch.stack((raw & 15, raw >> 4), -1).flatten()
            return codes[start % 2 : start % 2 + length]
        if self.leaf.swapped and kind.bits > 8:
            raw = raw.view(-1, kind.bits // 8).flip(-1).reshape(-1)
        elements = raw.view(getattr(torch, kind.store))
        return elements.neg() if self.leaf.negated else elements


def same(a: Any, b: Any) -> bool:
    """Whether two entries are made of the same leaves in the same way; of tensors in memory by identity.

    >>> same(Stored("w", (2,), "F32", "f", 8), Stored("w", (2,), "F32", "f", 8))
    True
    """
    if a is b:
        return True
    if type(a) is not type(b) or not is_dataclass(a):
        return False
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in fields(a)]
    return all(same(x, y) if _is_entry(x) else _equal(x, y) for x, y in pairs)


def _is_entry(value: object) -> bool:
    return is_dataclass(value) and hasattr(value, "needs")


def _equal(x: object, y: object) -> bool:
    """Plain values by their value, tensors by identity: comparing tensors compares their elements."""
    if hasattr(x, "data_ptr") or hasattr(y, "data_ptr"):
        return x is y
    return x == y


def joined(spans: Iterable[Span]) -> list[Span]:
    """The fewest spans that cover these: of one leaf, what overlaps or touches is one; none without bytes.

    >>> leaf = Stored("w", (9, 2), "F32", "f")
    >>> [(s.first, s.last) for s in joined([Span(leaf, 6, 9), Span(leaf, 0, 3), Span(leaf, 2, 4)])]
    [(0, 4), (6, 9)]
    """
    by_leaf: dict[Stored, list[Span]] = {}
    for span in dict.fromkeys(spans):
        if span.bytes[1]:
            by_leaf.setdefault(span.leaf, []).append(span)
    return [run for some in by_leaf.values() for run in _runs(some)]


def _runs(spans: list[Span]) -> list[Span]:
    """Joined spans of one leaf, in its order."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.first, s.last)):
        if found and _meet(found[-1], span):
            found[-1] = Span(span.leaf, found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return found


def _meet(a: Span, b: Span) -> bool:
    """Whether b, which begins no earlier, goes on where a ends; lines of strided leaves may also share bytes."""
    start, length = a.bytes
    return b.first <= a.last or b.bytes[0] < start + length


def lines_in_memory(span: Span) -> Tensor:
    """The lines of a tensor that is already there, in the storage dtype: a view, or negated where that is pending."""
    leaf = span.leaf
    whole: Tensor = leaf.tensor.detach().reshape(leaf.matrix)
    store = getattr(torch, DTYPES[leaf.dtype].store)
    whole = whole if whole.dtype == store else whole.view(store)
    return whole.narrow(leaf.cut, span.first, span.last - span.first).resolve_neg()
