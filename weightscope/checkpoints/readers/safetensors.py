"""safetensors files through our own strict header parser; only the header is read.

The stock parser lets duplicate names, leading blanks, unknown fields and absurd shapes through. Here each is refused
or flagged, with the byte position, because two readers that see different tensors in one file are a way to hide one.
Leaves out: the payload, which the engine reads at positions, and BOOL bytes other than 0 and 1, seen when measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from ...dtypes import DTYPES, Dtype
from ...errors import CheckpointError
from ...escape import LISTED, NAMED, escaped, quoted, shown
from ...notes import Note
from .. import files, limits, strict_json
from ..checkpoint import Checkpoint
from ..entry import Stored
from .unread import complex_numbers, too_many_dimensions

_FIELDS = ("dtype", "shape", "data_offsets")
_DAMAGED = "the file is damaged or made to mislead: get it again from its source"
_AGAIN = "get the file again; --salvage measures what is whole"
BLANKS = 64  # bytes after a key in which its colon is looked for
_WORD = 1 << 64  # sizes and positions are unsigned 64-bit in the format
_IMPLAUSIBLE = 48  # bits of what a zero in a shape hides: no file holds as much

_TYPES = {
    name: dtype for name, dtype in DTYPES.items() if name not in ("C32", "C128")
}  # those of the format

Pairs = tuple[tuple[str, object], ...]
Run = tuple[int, int, str]  # first byte in the file, byte after the last, name


@dataclass(frozen=True)
class Header:
    """The header's bytes as they lie in the file, and where the payload starts and ends."""

    path: str
    raw: bytes
    size: int

    @property
    def start(self) -> int:
        """Position of the first byte of payload."""
        return 8 + len(self.raw)

    def at(self, name: str, last: bool = False) -> int:
        """Position in the file where a key stands, the header's own start where its spelling is escaped otherwise."""
        spelled = {
            json.dumps(name, ensure_ascii=a).encode("utf-8", "surrogatepass") for a in (True, False)
        }
        places = [place for word in spelled for place in self._keys(word)]
        return 8 + (max(places, default=0) if last else min(places, default=0))

    def _keys(self, word: bytes) -> Iterator[int]:
        """Where a word stands before a colon; no pattern is made of it, for it may have any length."""
        at = self.raw.find(word)
        while at >= 0:
            after = at + len(word)
            if self.raw[after : after + BLANKS].lstrip()[:1] == b":":
                yield at
            at = self.raw.find(word, after)


def read(path: str, strict: bool = False, salvage: bool = False) -> Checkpoint:
    """The tensors of a safetensors file, in the order of its header; raises CheckpointError."""
    size, known = files.identity(path)
    header = Header(path, _raw(path, size), size)
    flags = _leading(header, strict)
    pairs = _pairs(header)
    metadata, odd = _metadata(header, dict(pairs))
    leaves = tuple(_leaf(header, name, fields) for name, fields in pairs if name != "__metadata__")
    runs = sorted((leaf.offset, leaf.offset + leaf.nbytes, leaf.name) for leaf in leaves)
    _contiguous(header, runs)
    missing = _missing(header, runs, salvage)
    whole = (
        leaves
        if not missing
        else tuple(leaf for leaf in leaves if leaf.offset + leaf.nbytes <= size)
    )
    return Checkpoint(
        source=path,
        tensors=whole,
        metadata=metadata,
        files=((path, size, known),),
        flags=(*flags, *odd),
        missing=missing,
    )


def _raw(path: str, size: int) -> bytes:
    """The header's bytes, after its announced length was checked against the limit and the file."""
    if size < 8:
        _refuse(
            "expected 8 bytes that give the header's length",
            f"the file has {size} bytes",
            "the file is empty or cut short: get it again",
        )
    length = int.from_bytes(files.read_bytes(path, 0, 8), "little")
    if length > limits.HEADER:
        _refuse(
            f"expected a header of at most {limits.HEADER} bytes",
            f"{length} announced at byte 0, over the format limit",
            _DAMAGED,
        )
    if length == 0:
        _refuse("expected a header", "length 0 announced at byte 0", _DAMAGED)
    if length > size - 8:
        _refuse(
            f"expected a header of {length} bytes",
            f"truncated: {size - 8} of {length} present",
            "get it again",
        )
    return files.read_bytes(path, 8, length)


def _leading(header: Header, strict: bool) -> tuple[str, ...]:
    """The format wants `{` first; blanks before it are a flag, and an error under --strict."""
    if header.raw[:1] not in (b" ", b"\t", b"\n", b"\r"):
        return ()
    if strict:
        _refuse(
            "expected the header to start with {",
            "blank space at byte 8",
            "write it anew, or leave --strict",
        )
    return ("the header starts with blank space, not with { (byte 8)",)


def _pairs(header: Header) -> Pairs:
    """The header's (name, value) pairs, every name once."""
    value = strict_json.parse(header.raw, "safetensors header", base=8)
    if type(value) is not tuple:
        _refuse("expected a JSON object as header", f"{_kind(value)} at byte 8", _DAMAGED)
    if len(value) > limits.TENSORS:
        _refuse(f"expected at most {limits.TENSORS} tensors", str(len(value)), _DAMAGED)
    if twice := doubled(name for name, _ in value):
        _refuse(
            "expected every name once in the header",
            f"{quoted(twice[0])} twice (byte {header.at(twice[0], last=True)})",
            _DAMAGED,
        )
    return value


def _metadata(
    header: Header, entries: Mapping[str, object]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The free texts of `__metadata__`, and what is odd about them."""
    if "__metadata__" not in entries:
        return {}, ()
    value, where = entries["__metadata__"], header.at("__metadata__")
    if value is None:
        return {}, (f"__metadata__ is null (byte {where})",)
    if type(value) is not tuple:
        _refuse(
            "expected __metadata__ to be an object", f"{_kind(value)} at byte {where}", _DAMAGED
        )
    for key, text in value:
        if type(text) is not str:
            _refuse(
                "expected every value of __metadata__ to be a string",
                f"{_kind(text)} under {quoted(key)} at byte {header.at(key)}",
                _DAMAGED,
            )
    return dict(value), _twice(header, list(dict.fromkeys(doubled(key for key, _ in value))))


def _twice(header: Header, keys: Sequence[str]) -> tuple[str, ...]:
    """Keys of `__metadata__` that come again; their places are looked for as often as they are shown."""
    odd = [
        f"__metadata__ has {quoted(key)} twice, the last counts (byte {header.at(key, last=True)})"
        for key in keys[:LISTED]
    ]
    more = len(keys) - LISTED
    return (
        (*odd, f"__metadata__ has {more} more keys twice, the last of each counts")
        if more > 0
        else tuple(odd)
    )


def _leaf(header: Header, name: str, fields: object) -> Stored:
    """One tensor of the header, every field of it checked."""
    if len(name) > limits.NAME // 4 and len(name.encode("utf-8")) > limits.NAME:
        _refuse(
            f"expected names of at most {limits.NAME} bytes",
            f"{len(name)} characters at byte {header.at(name)}",
            _DAMAGED,
        )
    entry = _entry(header, name, fields)
    kind, shape, offsets = (entry[field] for field in _FIELDS)
    dtype = _TYPES.get(kind) if type(kind) is str else None
    if dtype is None:
        _wrong(
            header, name, f"a dtype of the format ({', '.join(_TYPES)})", f"dtype {_shown(kind)}"
        )
    if type(shape) is not list or not all(type(d) is int and d >= 0 for d in shape):
        _wrong(header, name, "a shape of non-negative integers", f"shape {_shown(shape)}")
    if (
        type(offsets) is not list
        or len(offsets) != 2
        or not all(type(o) is int and 0 <= o < _WORD for o in offsets)
    ):
        _wrong(
            header,
            name,
            "data_offsets of two non-negative integers below 2^64",
            f"{_shown(offsets)}",
        )
    if len(shape) > limits.LISTED_RANK:
        _wrong(header, name, f"a shape of at most {limits.LISTED_RANK} dimensions", _shown(shape))
    begin, end = offsets
    if end < begin:
        _wrong(header, name, "data_offsets that end after they begin", f"{_shown(offsets)}")
    if end - begin != (size := _bytes(header, name, shape, dtype)):
        _wrong(
            header,
            name,
            f"{size} bytes for shape {_shown(shape)} of {dtype.name}",
            f"{end - begin}",
        )
    measurable = dtype.kind != "none" and len(shape) <= limits.RANK
    return Stored(
        name,
        tuple(shape),
        dtype.name,
        header.path,
        header.start + begin,
        notes=tuple(_notes(entry, shape, dtype)),
        measurable=measurable,
    )


def _entry(header: Header, name: str, fields: object) -> dict[str, object]:
    """The fields of one tensor, each once, the three of the format present."""
    if type(fields) is not tuple:
        _wrong(header, name, "an object with dtype, shape and data_offsets", _kind(fields))
    entry = dict(fields)
    if len(entry) != len(fields):
        _wrong(
            header, name, "every field once", f"{quoted(doubled(f for f, _ in fields)[0])} twice"
        )
    for field in _FIELDS:
        if field not in entry:
            _wrong(header, name, f"a field {field!r}", "none")
    return entry


def _bytes(header: Header, name: str, shape: Sequence[int], dtype: Dtype) -> int:
    """Bytes of a shape, multiplied with the format's 64-bit word in mind."""
    elements = 1
    for extent in shape:
        elements *= extent
        if elements >= _WORD or extent >= _WORD:
            _wrong(header, name, "a shape below 2^64 elements", f"overflow in {_shown(shape)}")
    if elements * dtype.bits >= _WORD * 8:
        _wrong(
            header,
            name,
            "a tensor below 2^64 bytes",
            f"overflow in {_shown(shape)} of {dtype.name}",
        )
    if elements * dtype.bits % 8:
        _wrong(
            header,
            name,
            f"whole bytes of {dtype.name}",
            f"{elements} elements of {dtype.bits} bits",
        )
    return elements * dtype.bits // 8


def _notes(entry: Mapping[str, object], shape: Sequence[int], dtype: Dtype) -> Iterator[Note]:
    """What is odd about a tensor that the format allows."""
    if dtype.kind == "none":
        other = Note.of("type-not-decoded", "dtype not decodable: {dtype}", dtype=dtype.name)
        yield complex_numbers(dtype.name) if dtype.name == "C64" else other
    if len(shape) > limits.RANK:
        yield too_many_dimensions(len(shape))
    if 0 in shape and sum(d.bit_length() - 1 for d in shape if d) >= _IMPLAUSIBLE:
        yield Note("implausible-shape", "implausible shape: a zero hides an impossible size")
    if len(entry) > len(_FIELDS):
        extra = [repr(field[:NAMED]) for field in entry if field not in _FIELDS]
        fields = ", ".join(extra[:LISTED])[:NAMED]
        yield Note.of("unknown-field", "unknown field in the header: {fields}", fields=fields)


def _contiguous(header: Header, runs: Sequence[Run]) -> None:
    """Each tensor begins where the one before it ends: no overlap, no hole."""
    last, before = header.start, "the header"
    for start, end, name in runs:
        if start != last:
            word = "overlap" if start < last else "hole"
            _refuse(
                "expected tensors to follow each other without overlap or hole",
                f"{word} of {abs(start - last)} bytes at byte {min(start, last)}, between "
                f"{quoted(before)} and {quoted(name)}",
                _DAMAGED,
            )
        last, before = end, name


def _missing(header: Header, runs: Sequence[Run], salvage: bool) -> tuple[str, ...]:
    """What the file's size says against its header: refused, or what --salvage goes without."""
    end = runs[-1][1] if runs else header.start
    if end == header.size:
        return ()
    if end < header.size:
        found = f"{header.size - end} trailing bytes after the last tensor (byte {end})"
    else:
        lost = [name for _, stop, name in runs if stop > header.size]
        have, want = header.size - header.start, end - header.start
        found = (
            f"truncated: {have} of {want} bytes present, {100 * have / want:.4g} %, {len(lost)} tensors "
            f"affected, {shown(lost[0], NAMED)} to {shown(lost[-1], NAMED)}"
        )
    if not salvage:
        _refuse(f"expected {end} bytes in the file", found, _AGAIN)
    return (found,)


def doubled(names: Iterable[str]) -> list[str]:
    """Names that come more than once, in order.

    >>> doubled(["a", "b", "a"])
    ['a']
    """
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # add is None


def _kind(value: object) -> str:
    """How JSON calls a value."""
    names = {
        tuple: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "null")


def _shown(value: object) -> str:
    """A value of the header, short and safe to print."""
    if isinstance(value, list) and len(value) > limits.RANK:
        return f"an array of {len(value)}"
    text = json.dumps(value) if type(value) is not tuple else "an object"
    return escaped(text if len(text) <= 80 else text[:77] + "...")


def _wrong(header: Header, name: str, expected: str, found: str) -> NoReturn:
    _refuse(
        f"tensor {quoted(name)}: expected {expected}", f"{found} (byte {header.at(name)})", _DAMAGED
    )


def _refuse(expected: str, found: str, advice: str) -> NoReturn:
    raise CheckpointError(f"safetensors: {expected}", f"found {found}", advice)
