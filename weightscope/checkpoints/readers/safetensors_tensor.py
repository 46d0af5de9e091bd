"""One tensor of a safetensors header, every field of it checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn, TypeGuard

from ...dtypes import DTYPES, Dtype
from ...escape import LISTED, NAMED, escaped, quoted
from ...notes import Note
from .. import limits
from ..entry import Stored
from .safetensors_header import DAMAGED, Header, doubled, refuse, type_name
from .unread import complex_numbers, too_many_dimensions

_FIELDS = ("dtype", "shape", "data_offsets")
_WORD = 1 << 64  # sizes and positions are unsigned 64-bit in the format
_IMPLAUSIBLE = 48  # bits of the size beside a zero in a shape: no file holds as much
_OTHERS = ("C32", "C128")  # types of torch that the format lacks
_TYPES = {name: dtype for name, dtype in DTYPES.items() if name not in _OTHERS}


Shapes = dict[tuple[int, ...], tuple[int, ...]]  # each shape of a file, as one object


def tensor_of(header: Header, name: str, fields: object, shapes: Shapes) -> Stored:
    """The tensor of a name and the value under it; raises CheckpointError."""
    _check_name(header, name)
    entry = _entry(header, name, fields)
    dtype = _dtype(header, name, entry["dtype"])
    shape, begin, end = _extent(header, name, entry)
    size = _size(header, name, shape, dtype)
    if end - begin != size:
        _refuse_tensor(
            header, name, f"{size} bytes for shape {_text(shape)} of {dtype.name}", f"{end - begin}"
        )
    dims = tuple(shape)
    return Stored(
        name,
        shapes.setdefault(dims, dims),
        dtype.name,
        header.path,
        header.start + begin,
        notes=tuple(_notes(entry, shape, dtype)),
        measurable=dtype.kind != "none" and len(shape) <= limits.RANK,
    )


def _check_name(header: Header, name: str) -> None:
    # no character takes more than four bytes: most names need no encoding to be short enough
    may_be_long = len(name) > limits.NAME // 4
    if may_be_long and len(name.encode("utf-8")) > limits.NAME:
        refuse(
            f"expected names of at most {limits.NAME} bytes",
            f"{len(name)} characters at byte {header.position(name)}",
            DAMAGED,
        )


def _entry(header: Header, name: str, fields: object) -> dict[str, object]:
    """The fields of one tensor, each once, the three of the format present."""
    if type(fields) is not tuple:
        _refuse_tensor(
            header, name, "an object with dtype, shape and data_offsets", type_name(fields)
        )
    entry = dict(fields)
    if len(entry) != len(fields):
        duplicates = doubled(field for field, _ in fields)
        _refuse_tensor(header, name, "every field once", f"{quoted(duplicates[0])} twice")
    for field in _FIELDS:
        if field not in entry:
            _refuse_tensor(header, name, f"a field {field!r}", "none")
    return entry


def _dtype(header: Header, name: str, value: object) -> Dtype:
    dtype = None
    if type(value) is str:
        dtype = _TYPES.get(value)
    if dtype is None:
        _refuse_tensor(
            header, name, f"a dtype of the format ({', '.join(_TYPES)})", f"dtype {_text(value)}"
        )
    return dtype


def _extent(header: Header, name: str, entry: Mapping[str, object]) -> tuple[list[int], int, int]:
    """(shape, begin, end) of a tensor, their types and ranges checked."""
    shape = entry["shape"]
    offsets = entry["data_offsets"]
    if not _are_sizes(shape):
        _refuse_tensor(header, name, "a shape of non-negative integers", f"shape {_text(shape)}")
    if not _are_sizes(offsets) or len(offsets) != 2 or max(offsets) >= _WORD:
        _refuse_tensor(
            header, name, "data_offsets of two non-negative integers below 2^64", _text(offsets)
        )
    if len(shape) > limits.LISTED_RANK:
        _refuse_tensor(
            header, name, f"a shape of at most {limits.LISTED_RANK} dimensions", _text(shape)
        )
    begin, end = offsets
    if end < begin:
        _refuse_tensor(header, name, "data_offsets that end after they begin", _text(offsets))
    return shape, begin, end


def _are_sizes(value: object) -> TypeGuard[list[int]]:
    if type(value) is not list:
        return False
    # by the exact type: booleans are integers in Python
    return all(type(item) is int and item >= 0 for item in value)


def _size(header: Header, name: str, shape: Sequence[int], dtype: Dtype) -> int:
    """Bytes of a shape; what overflows the format's 64-bit word is refused."""
    elements = 1  # checked at each step: Python's integers do not overflow
    for extent in shape:
        elements *= extent
        if elements >= _WORD or extent >= _WORD:
            _refuse_tensor(
                header, name, "a shape below 2^64 elements", f"overflow in {_text(shape)}"
            )
    bits = elements * dtype.bits
    if bits >= _WORD * 8:
        _refuse_tensor(
            header,
            name,
            "a tensor below 2^64 bytes",
            f"overflow in {_text(shape)} of {dtype.name}",
        )
    if bits % 8:  # types of 4 and 6 bits
        _refuse_tensor(
            header,
            name,
            f"whole bytes of {dtype.name}",
            f"{elements} elements of {dtype.bits} bits",
        )
    return bits // 8


def _notes(entry: Mapping[str, object], shape: Sequence[int], dtype: Dtype) -> Iterator[Note]:
    """Notes of oddities that the format allows."""
    if dtype.name == "C64":
        yield complex_numbers(dtype.name)
    elif dtype.kind == "none":
        yield Note.of("type-not-decoded", "dtype not decodable: {dtype}", dtype=dtype.name)
    if len(shape) > limits.RANK:
        yield too_many_dimensions(len(shape))
    if _hides_size(shape):
        yield Note("implausible-shape", "implausible shape: a zero hides an impossible size")
    if len(entry) > len(_FIELDS):
        unknown = [repr(field[:NAMED]) for field in entry if field not in _FIELDS]
        fields = ", ".join(unknown[:LISTED])[:NAMED]
        yield Note.of("unknown-field", "unknown field in the header: {fields}", fields=fields)


def _hides_size(shape: Sequence[int]) -> bool:
    """Whether the other extents of an empty shape multiply to more than any file holds."""
    if 0 not in shape:
        return False
    bits = sum(extent.bit_length() - 1 for extent in shape if extent)
    return bits >= _IMPLAUSIBLE


def _text(value: object) -> str:
    """A value of the header, short and safe to print."""
    if isinstance(value, list) and len(value) > limits.RANK:
        return f"an array of {len(value)}"
    if type(value) is tuple:
        return "an object"
    text = json.dumps(value)
    if len(text) > 80:
        text = text[:77] + "..."
    return escaped(text)


def _refuse_tensor(header: Header, name: str, expected: str, found: str) -> NoReturn:
    position = header.position(name)
    refuse(f"tensor {quoted(name)}: expected {expected}", f"{found} (byte {position})", DAMAGED)
