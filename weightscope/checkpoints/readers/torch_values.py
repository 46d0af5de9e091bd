"""The inert values of a torch pickle: positions of tensors, and nothing that can be executed.

A tensor is a `Found`: a window of a `Storage`, checked against the size of that storage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TypeGuard

from ...escape import shown
from ...notes import Note, Notes, united
from .. import limits
from ..entry import run_length
from .unread import expanded

STRIDED = Note("type-not-decoded", "4-bit numbers in a strided view")
REPEATS = 8  # elements of an expanded view for each stored one, where there are many


class RefusedError(Exception):
    """A well-formed value that torch.save never writes; the interpreter adds its position."""


@dataclass(frozen=True, slots=True)
class Kind:
    """An element type of torch."""

    dtype: str  # name in dtypes.py
    width: int  # bytes per element in the file
    note: Note | None = None  # why it cannot be measured

    @property
    def notes(self) -> Notes:
        """The notes of every tensor of the type."""
        return united(self.note)


@dataclass(frozen=True, slots=True)
class Word:
    """A name without a value: it can be an argument, never be called."""

    name: str


@dataclass(frozen=True, slots=True)
class Inert:
    """A value that is no tensor (a device, a numpy scalar): only its presence counts."""

    name: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A class or a function of unknown origin, by its name alone."""

    name: str


@dataclass(eq=False, slots=True)
class Placeholder:
    """An object of an unknown class: what the pickle puts into it, and nothing of what it does."""

    name: str  # of the class
    parts: list[object]  # arguments, state and items


@dataclass(frozen=True, slots=True)
class Encoded:
    """Bytes as protocol 2 writes them: the text whose latin-1 encoding they are, not copied."""

    text: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of bytes named by the pickle."""

    key: str
    kind: Kind
    nbytes: int
    start: int = 0  # bytes from the start of its record: old files name views of storages


@dataclass(frozen=True, slots=True)
class Found:
    """A tensor as the pickle describes it: a view of a storage, in elements of its own type."""

    kind: Kind
    dims: tuple[int, ...]
    storage: Storage | None = None  # None: there is no data to read
    offset: int = 0
    strides: tuple[int, ...] | None = None  # None = row-major
    notes: Notes = ()
    measurable: bool = True
    negated: bool = False  # its values are the negatives of the stored ones
    coded: str = ""  # the quantised type whose codes it holds

    @property
    def params(self) -> int:
        """Number of elements."""
        return prod(self.dims)


def sizes(value: object, what: str) -> tuple[int, ...]:
    """A tuple of non-negative 64-bit integers, at most limits.RANK of them."""
    if not isinstance(value, (tuple, list)) or not all(_is_size(item) for item in value):
        raise RefusedError(f"a tensor whose {what} is no tuple of non-negative integers")
    if len(value) > limits.RANK:
        raise RefusedError(f"a tensor of rank {len(value)} (at most {limits.RANK})")
    return tuple(value)


def _is_size(value: object) -> TypeGuard[int]:
    # by the exact type: booleans are integers in Python
    return type(value) is int and 0 <= value < 1 << 63


def shape(value: object) -> tuple[int, ...]:
    """Sizes whose product, the number of elements, fits in 63 bits."""
    dims = sizes(value, "shape")
    if prod(max(extent, 1) for extent in dims) >= 1 << 63:
        raise RefusedError("a tensor of more than 2^63 elements")
    return dims


def _row_major(dims: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    step = 1
    for extent, stride in zip(reversed(dims), reversed(strides), strict=True):
        if extent != 1 and stride != step:
            return False
        step *= extent
    return True


def view(
    storage: object, offset: object, size: object, stride: object, kind: Kind | None = None
) -> Found:
    """A view into a storage; the last element it reaches must lie inside.

    Its reach in elements is offset + 1 + sum((d - 1) * s), 0 for an empty one.
    """
    if not isinstance(storage, Storage) or not _is_size(offset):
        raise RefusedError("a tensor whose storage or offset is none")
    kind = kind or storage.kind
    dims = shape(size)
    strides = sizes(stride, "strides")
    if len(dims) != len(strides):
        raise RefusedError(f"a tensor of {len(dims)} dimensions with {len(strides)} strides")
    if 0 in dims:
        return Found(kind, dims, storage, 0, None, kind.notes, not kind.note)
    run = run_length(dims, strides)
    reach = (offset + run) * kind.width
    if reach > storage.nbytes:
        raise RefusedError(
            f"a tensor outside its storage {shown(storage.key)} (byte {reach} of {storage.nbytes})"
        )
    other_strides = None if _row_major(dims, strides) else strides
    found = Found(kind, dims, storage, offset, other_strides, kind.notes, not kind.note)
    return _with_expansion(_in_halves(found), run)


def _with_expansion(found: Found, run: int) -> Found:
    """Note a view that repeats stored elements; one that repeats them too often is not read."""
    if found.params <= run or found.notes:
        return found
    note = expanded(run, found.params)
    return replace(found, notes=(note,), measurable=found.params <= most_expanded(run))


def most_expanded(stored: int) -> int:
    """Elements of a view of so many stored ones that are still read, so that reading is bounded."""
    return max(limits.EXPANDED, REPEATS * stored)


def _in_halves(found: Found) -> Found:
    """Two 4-bit numbers share a byte in torch: the last dimension counts pairs."""
    if found.kind.dtype != "F4":
        return found
    if found.strides is not None or not found.dims:
        return replace(found, notes=(STRIDED,), measurable=False)
    return replace(found, dims=(*found.dims[:-1], 2 * found.dims[-1]))
