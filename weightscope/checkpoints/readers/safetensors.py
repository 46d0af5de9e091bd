"""safetensors files through our own strict header parser; only the header is read.

The stock parser accepts duplicate names, leading blanks, unknown fields and absurd shapes. Here
each is refused or flagged, with the byte position, because two readers that see different tensors
in one file are a way to hide one. The fields of one tensor are checked in safetensors_tensor.py.
Not checked here: the payload, which the engine reads at positions, and BOOL bytes other than 0 and
1, which are noticed when they are measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...escape import LISTED, NAMED, quoted, shown
from .. import files, limits, strict_json
from ..checkpoint import Checkpoint
from ..entry import Stored
from .reader import Reader
from .safetensors_header import DAMAGED, Header, doubled, refuse, type_name
from .safetensors_tensor import tensor_of

if TYPE_CHECKING:
    from ..opening import Opening

_AGAIN = "get the file again; --salvage measures the whole tensors"
_BLANKS = (b" ", b"\t", b"\n", b"\r")
_METADATA = "__metadata__"

Pairs = tuple[tuple[str, object], ...]
Run = tuple[int, int, str]  # first byte in the file, byte after the last, name


def read(path: str, strict: bool = False, salvage: bool = False) -> Checkpoint:
    """The tensors of a safetensors file, in the order of its header; raises CheckpointError."""
    size, identity = files.identity(path)
    header = Header(path, _raw(path, size), size)
    flags = _leading(header, strict)
    pairs = _pairs(header)
    metadata, metadata_flags = _metadata(header, pairs)
    tensors = list(_tensors(header, pairs))
    del pairs
    # names may be in any order of offsets
    runs = sorted((t.offset, t.offset + t.nbytes, t.name) for t in tensors)
    _check_contiguous(header, runs)
    missing = _missing(header, runs, salvage)
    if missing:
        tensors = [tensor for tensor in tensors if _is_whole(tensor, size)]
    return Checkpoint(
        source=path,
        tensors=tuple(tensors),
        metadata=metadata,
        files=((path, size, identity),),
        flags=(*flags, *metadata_flags),
        missing=missing,
    )


def _is_whole(tensor: Stored, size: int) -> bool:
    return tensor.offset + tensor.nbytes <= size


def _raw(path: str, size: int) -> bytes:
    """The header's bytes, after its announced length was checked against the limit and the file."""
    if size < 8:
        refuse(
            "expected 8 bytes that give the header's length",
            f"the file has {size} bytes",
            "the file is empty or cut short: get it again",
        )
    length = int.from_bytes(files.read_bytes(path, 0, 8), "little")
    # nothing is allocated for the header before its length has passed these checks
    if length > limits.HEADER:
        refuse(
            f"expected a header of at most {limits.HEADER} bytes",
            f"{length} announced at byte 0, over the format limit",
            DAMAGED,
        )
    if length == 0:
        refuse("expected a header", "length 0 announced at byte 0", DAMAGED)
    if length > size - 8:
        refuse(
            f"expected a header of {length} bytes",
            f"truncated: {size - 8} of {length} present",
            "get it again",
        )
    return files.read_bytes(path, 8, length)


def _leading(header: Header, strict: bool) -> tuple[str, ...]:
    """The format requires `{` first; blanks before it are a flag, and an error under --strict."""
    if header.raw[:1] not in _BLANKS:
        return ()
    if strict:
        refuse(
            "expected the header to start with {",
            "blank space at byte 8",
            "write it anew, or omit --strict",
        )
    return ("the header starts with blank space, not with { (byte 8)",)


def _pairs(header: Header) -> Pairs:
    """The header's (name, value) pairs, every name once."""
    value = strict_json.parse(header.raw, "safetensors header", base=8, tensor=b'"data_offsets"')
    if type(value) is not tuple:
        refuse("expected a JSON object as header", f"{type_name(value)} at byte 8", DAMAGED)
    if len(value) > limits.TENSORS:
        refuse(f"expected at most {limits.TENSORS} tensors", str(len(value)), DAMAGED)
    duplicates = doubled(name for name, _ in value)
    if duplicates:
        name = duplicates[0]
        refuse(
            "expected every name once in the header",
            f"{quoted(name)} twice (byte {header.last_position(name)})",
            DAMAGED,
        )
    return value


def _tensors(header: Header, pairs: Pairs) -> Iterator[Stored]:
    """The tensors, in the order of the header; tensors of equal shapes share one tuple."""
    shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
    for name, fields in pairs:
        if name != _METADATA:
            yield tensor_of(header, name, fields, shapes)


def _metadata(header: Header, pairs: Pairs) -> tuple[dict[str, str], tuple[str, ...]]:
    """The free texts of `__metadata__`, and flags of their oddities."""
    values = [value for name, value in pairs if name == _METADATA]
    if not values:
        return {}, ()
    (value,) = values  # every name is there once
    position = header.position(_METADATA)
    if value is None:  # the stock parser accepts it
        return {}, (f"{_METADATA} is null (byte {position})",)
    if type(value) is not tuple:
        refuse(
            f"expected {_METADATA} to be an object",
            f"{type_name(value)} at byte {position}",
            DAMAGED,
        )
    for key, text in value:
        if type(text) is not str:
            refuse(
                f"expected every value of {_METADATA} to be a string",
                f"{type_name(text)} under {quoted(key)} at byte {header.position(key)}",
                DAMAGED,
            )
    duplicates = list(dict.fromkeys(doubled(key for key, _ in value)))
    return dict(value), _duplicate_flags(header, duplicates)


def _duplicate_flags(header: Header, keys: Sequence[str]) -> tuple[str, ...]:
    """Flags of doubled keys; positions are searched only for the keys that are listed."""
    flags = []
    for key in keys[:LISTED]:
        position = header.last_position(key)
        flags.append(f"{_METADATA} has {quoted(key)} twice, the last counts (byte {position})")
    more = len(keys) - LISTED
    if more > 0:
        flags.append(f"{_METADATA} has {more} more keys twice, the last of each counts")
    return tuple(flags)


def _check_contiguous(header: Header, runs: Sequence[Run]) -> None:
    """Each tensor begins where the one before it ends: no overlap, no hole."""
    # the format requires it: bytes outside every tensor could hide anything
    end = header.start
    previous = "the header"
    for start, stop, name in runs:
        if start != end:
            word = "overlap" if start < end else "hole"
            refuse(
                "expected tensors to follow each other without overlap or hole",
                f"{word} of {abs(start - end)} bytes at byte {min(start, end)}, between "
                f"{quoted(previous)} and {quoted(name)}",
                DAMAGED,
            )
        end = stop
        previous = name


def _missing(header: Header, runs: Sequence[Run], salvage: bool) -> tuple[str, ...]:
    """How the file's size contradicts its header: refused, or reported under --salvage."""
    if runs:
        end = runs[-1][1]
    else:
        end = header.start
    if end == header.size:
        return ()
    if end < header.size:
        fault = f"{header.size - end} trailing bytes after the last tensor (byte {end})"
    else:
        fault = _truncation(header, runs, end)
    if not salvage:
        refuse(f"expected {end} bytes in the file", fault, _AGAIN)
    return (fault,)


def _truncation(header: Header, runs: Sequence[Run], end: int) -> str:
    """How much of the payload is present, and which tensors are incomplete."""
    incomplete = [name for _, stop, name in runs if stop > header.size]
    present = header.size - header.start
    total = end - header.start
    return (
        f"truncated: {present} of {total} bytes present, {100 * present / total:.4g} %, "
        f"{len(incomplete)} tensors affected, "
        f"{shown(incomplete[0], NAMED)} to {shown(incomplete[-1], NAMED)}"
    )


def _begins(head: bytes) -> bool:
    """A length within the limit, then a brace, possibly after blanks."""
    length = int.from_bytes(head[:8], "little")
    text = head[8:].lstrip(b" \t\r\n")
    return length <= limits.HEADER and text.startswith(b"{")


def _read_opened(path: str, opening: Opening) -> Checkpoint:
    return read(path, opening.strict, opening.salvage)


READER = Reader("safetensors", (".safetensors",), _begins, _read_opened)
