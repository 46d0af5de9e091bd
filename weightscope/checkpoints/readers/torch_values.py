"""The inert values that a torch pickle turns into: where a tensor lies, and nothing that could act.

A tensor is a `Found`: a window of a `Storage`, checked against the size of that storage before it is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from ...escape import shown
from ...notes import Note, Notes, united
from .. import limits
from .unread import expanded

STRIDED = Note("type-not-decoded", "4-bit numbers in a strided view")
REPEATS = 8  # elements that a stored one may stand for where they are many


class RefusedError(Exception):
    """Something well-formed that no file written by torch.save holds; the interpreter adds where."""


@dataclass(frozen=True, slots=True)
class Kind:
    """An element type: name in dtypes.py, bytes per element in the file, and why it cannot be measured."""

    dtype: str
    width: int
    note: Note | None = None

    @property
    def notes(self) -> Notes:
        """Those of every tensor of the type."""
        return united(self.note)


@dataclass(frozen=True, slots=True)
class Word:
    """A name that stands for itself: it can be an argument, never be called."""

    name: str


@dataclass(frozen=True, slots=True)
class Inert:
    """A value that is no tensor (a device, a numpy scalar): kept so that it can be passed over."""

    name: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Bytes as protocol 2 writes them: the text whose latin-1 encoding they are, which is shared and not copied."""

    text: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of bytes named by the pickle: key, element type, bytes, and where a view of it starts (in bytes)."""

    key: str
    kind: Kind
    nbytes: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A tensor as the pickle describes it: where it lies in which storage, in elements of its own type."""

    kind: Kind
    dims: tuple[int, ...]
    storage: Storage | None = None  # None: there is nothing that could be read
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
    if not isinstance(value, (tuple, list)) or any(
        type(v) is not int or not 0 <= v < 1 << 63 for v in value
    ):
        raise RefusedError(f"a tensor whose {what} is no tuple of non-negative integers")
    if len(value) > limits.RANK:
        raise RefusedError(f"a tensor of rank {len(value)} (at most {limits.RANK})")
    return tuple(value)


def shape(value: object) -> tuple[int, ...]:
    """Sizes whose product, the number of elements, fits in 63 bits."""
    dims = sizes(value, "shape")
    if prod(d or 1 for d in dims) >= 1 << 63:
        raise RefusedError("a tensor of more than 2^63 elements")
    return dims


def _row_major(dims: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    step = 1
    for d, s in zip(reversed(dims), reversed(strides), strict=True):
        if d != 1 and s != step:
            return False
        step *= d
    return True


def view(
    storage: object, offset: object, size: object, stride: object, kind: Kind | None = None
) -> Found:
    """A view into a storage; the last element it reaches must lie inside.

    Its reach in elements is offset + 1 + sum((d - 1) * s), 0 for an empty one.
    """
    if not isinstance(storage, Storage) or type(offset) is not int or not 0 <= offset < 1 << 63:
        raise RefusedError("a tensor whose storage or offset is none")
    kind, dims, strides = kind or storage.kind, shape(size), sizes(stride, "strides")
    if len(dims) != len(strides):
        raise RefusedError(f"a tensor of {len(dims)} dimensions with {len(strides)} strides")
    if 0 in dims:
        return Found(kind, dims, storage, 0, None, kind.notes, not kind.note)
    run = 1 + sum((d - 1) * s for d, s in zip(dims, strides, strict=True))
    reach = (offset + run) * kind.width
    if reach > storage.nbytes:
        raise RefusedError(
            f"a tensor outside its storage {shown(storage.key)} (byte {reach} of {storage.nbytes})"
        )
    whole = Found(
        kind,
        dims,
        storage,
        offset,
        None if _row_major(dims, strides) else strides,
        kind.notes,
        not kind.note,
    )
    return _expanded(_paired(whole), run)


def _expanded(found: Found, run: int) -> Found:
    """Name a view that repeats stored elements; one that stands for very many more is not read."""
    if found.params <= run or found.notes:
        return found
    return replace(
        found, notes=(expanded(run, found.params),), measurable=found.params <= most_expanded(run)
    )


def most_expanded(stored: int) -> int:
    """Elements that a view of so many stored ones may stand for and still be read: what is read is bounded by them."""
    return max(limits.EXPANDED, REPEATS * stored)


def _paired(found: Found) -> Found:
    """Two 4-bit numbers share a byte in torch: the last dimension counts pairs."""
    if found.kind.dtype != "F4":
        return found
    if found.strides is not None or not found.dims:
        return replace(found, notes=(STRIDED,), measurable=False)
    return replace(found, dims=(*found.dims[:-1], 2 * found.dims[-1]))
