"""Torch files since 1.6: a zip archive of stored records, PREFIX/data.pkl and PREFIX/data/KEY.

The archive is held to what torch writes, since every liberty of the zip format hides something from some reader: one
prefix, nothing compressed or encrypted, unique names, local headers equal to the directory, records end to end from
the first byte to the directory, the directory at the end. A record has exactly the bytes of its storage.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...errors import CheckpointError
from ...escape import shown
from .. import limits
from .raw_file import RawFile, Stream
from .torch_values import Storage
from .unpickler import Loaded, unpickle

DATED, NAMED_UTF8 = 1 << 3, 1 << 11  # flag bits: sizes follow the data; names are UTF-8
KNOWN = {
    "data.pkl",
    "byteorder",
    "version",
    ".format_version",
    ".storage_alignment",
    ".data/serialization_id",
}
MAX32 = 0xFFFFFFFF


@dataclass(frozen=True)
class Member:
    """A record as the directory describes it, and where its bytes start."""

    name: str
    flags: int
    crc: int
    size: int
    header: int  # byte of its local header
    start: int = 0  # byte of its data
    packed: str = ""  # how it is anything but stored as it is


def damaged(expected: str, found: str) -> CheckpointError:
    """The refusal of an archive that torch did not write."""
    return CheckpointError(
        expected,
        f"found {found}",
        "the file is damaged, forged or packed by another tool: save it again with torch.save",
    )


def read_zip(raw: RawFile) -> Loaded:
    """The tree and the start of every storage of a checked archive."""
    members = _members(raw)
    names = _without_prefix(members)
    if "data.pkl" not in names:
        raise damaged(
            "expected a record data.pkl", "none: " + ", ".join(map(shown, list(names)[:4]))
        )
    seen: dict[str, Storage] = {}
    pickle = names["data.pkl"]
    if pickle.size > limits.HEADER:
        raise damaged(f"expected a data.pkl of at most {limits.HEADER} bytes", str(pickle.size))
    tree, end = unpickle(raw, pickle.start, pickle.start + pickle.size, seen)
    if end != pickle.start + pickle.size:
        raise damaged(
            "expected data.pkl to end with its pickle",
            f"{pickle.start + pickle.size - end} bytes after it",
        )
    starts = {key: _record(names, storage) for key, storage in seen.items()}
    return Loaded(tree, starts, _swapped(raw, names), tuple(_strangers(names, seen)))


def _record(names: Mapping[str, Member], storage: Storage) -> int:
    """Where the bytes of a storage start; there must be exactly as many as it has."""
    member = names.get(f"data/{storage.key}")
    if member is None:
        raise damaged(f"expected a record data/{shown(storage.key)}", "none: data is missing")
    if member.size != storage.nbytes:
        raise damaged(
            f"expected {storage.nbytes} bytes in record data/{shown(storage.key)}", str(member.size)
        )
    return member.start


def _strangers(names: Mapping[str, Member], seen: Mapping[str, Storage]) -> Iterator[str]:
    odd = [name for name in names if name not in KNOWN and name.removeprefix("data/") not in seen]
    if odd:
        yield f"{len(odd)} records that no tensor names were not read: {', '.join(map(shown, odd[:4]))}"


def _swapped(raw: RawFile, names: Mapping[str, Member]) -> bool:
    """Whether the storages are big-endian; without a byteorder record they are little-endian."""
    if "byteorder" not in names:
        return False
    order = raw.at(names["byteorder"].start, min(names["byteorder"].size, 16))
    if order not in (b"little", b"big"):
        raise damaged("expected the byteorder little or big", shown(order))
    return order == b"big"


def _without_prefix(members: list[Member]) -> dict[str, Member]:
    """Records by their names inside the one folder that holds them all."""
    prefixes = {member.name.partition("/")[0] for member in members}
    if len(prefixes) != 1 or any("/" not in member.name for member in members):
        raise damaged(
            "expected one folder in the archive", ", ".join(shown(p) for p in sorted(prefixes)[:4])
        )
    names = {member.name.partition("/")[2]: member for member in members}
    if len(names) != len(members):
        raise damaged("expected unique record names", "one name twice")
    folded = {name.casefold() for name in names}
    bad = next(
        (name for name in names if "\\" in name or "\0" in name or ".." in name.split("/")), None
    )
    if bad is not None or len(folded) != len(names):
        raise damaged(
            "expected plain record names", shown(bad) if bad else "names that differ in case only"
        )
    return names


def _members(raw: RawFile) -> list[Member]:
    """Every member, its local header checked against the directory, the members lying end to end."""
    count, size, start = _end(raw)
    listed = sorted(_directory(raw, count, size, start), key=lambda member: member.header)
    _no_script(listed)
    at, members = 0, []
    for member in listed:
        if member.packed:
            raise damaged(f"expected {shown(member.name)} to be stored as it is", member.packed)
        if member.header != at:
            raise damaged(
                f"expected a record at byte {at}",
                f"{shown(member.name)} at byte {member.header}: a gap, an "
                "overlap, or bytes before the archive",
            )
        member = _local(raw, member, start)
        at = member.start + member.size
        at += _descriptor(raw, member, start, at) if member.flags & DATED else 0
        members.append(member)
    if at != start:
        raise damaged(
            f"expected the directory at byte {at}",
            f"it at byte {start}: bytes that no record holds",
        )
    return members


def _no_script(members: list[Member]) -> None:
    """Refuse a program, by the names of its records: torch compresses its code, so this comes before their form."""
    inner = [member.name.partition("/")[2] for member in members]
    if any(name == "constants.pkl" or name.startswith("code/") for name in inner):
        raise CheckpointError(
            "expected a state dict",
            "found a TorchScript archive (it holds code)",
            "load it with torch.jit.load and save `model.state_dict()`",
        )


def _end(raw: RawFile) -> tuple[int, int, int]:
    """(records, bytes, first byte) of the directory, which ends the file."""
    if raw.size < 22 or (tail := raw.at(raw.size - 22, 22))[:4] != b"PK\x05\x06":
        raise damaged(
            "expected a zip directory at the end of the file",
            f"none in {raw.size} bytes: truncated, or bytes after the archive",
        )
    disks, count, size, start, comment = struct.unpack("<4xI2xHIIH", tail)
    end, forms = raw.size - 22, (0xFFFF, MAX32)
    if count == forms[0] or size == forms[1] or start == forms[1] or _has_locator(raw, end):
        count, size, start, end = _end64(raw, end)
    if (
        disks
        or comment
        or start + size != end
        or size > limits.HEADER
        or count * 46 > size
        or not count
    ):
        raise damaged(
            "expected one directory that ends the file",
            f"{count} records in {size} bytes at byte {start} of {raw.size}",
        )
    return count, size, start


def _has_locator(raw: RawFile, end: int) -> bool:
    return end >= 20 and raw.at(end - 20, 4) == b"PK\x06\x07"


def _end64(raw: RawFile, end: int) -> tuple[int, int, int, int]:
    """The same of a zip64 archive, and where the directory ends."""
    if not _has_locator(raw, end) or end < 76:
        raise damaged("expected a zip64 locator", "none")
    (at,) = struct.unpack("<8xQ4x", raw.at(end - 20, 20))
    if at != end - 76 or raw.at(at, 4) != b"PK\x06\x06":
        raise damaged(f"expected a zip64 end at byte {end - 76}", f"byte {at}")
    disk, first, here, count, size, start = struct.unpack("<16xIIQQQQ", raw.at(at, 56))
    if disk or first or here != count:
        raise damaged("expected an archive in one part", "several")
    return count, size, start, at


def _directory(raw: RawFile, count: int, size: int, start: int) -> Iterator[Member]:
    """The central headers, each with what is in it beside STORED, a name and zip64 sizes."""
    stream = Stream(raw, start, start + size)
    for _ in range(count):
        (
            magic,
            _,
            _,
            flags,
            method,
            _,
            crc,
            packed,
            plain,
            named,
            extra,
            comment,
            disk,
            _,
            _,
            header,
        ) = struct.unpack("<4sHHHHIIIIHHHHHII", stream.take(46))
        if magic != b"PK\x01\x02":
            raise damaged("expected a directory entry", f"none at byte {stream.position - 46}")
        name, more = _decoded(stream.take(named)), stream.take(extra)
        packed, plain, header = _wide(more, plain, packed, header)
        odd = method or packed != plain or flags & ~(DATED | NAMED_UTF8) or comment or disk
        form = (
            f"compression method {method}, flags 0x{flags:x}, {packed} bytes for {plain}"
            if odd
            else ""
        )
        yield Member(name, flags, crc, plain, header, packed=form)
    if stream.position != start + size:
        raise damaged(
            f"expected {count} directory entries",
            f"{start + size - stream.position} bytes after them",
        )


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise damaged("expected record names in UTF-8", shown(name)) from None


def _wide(extra: bytes, plain: int, packed: int, header: int) -> tuple[int, int, int]:
    """(packed, plain, header), taken from the zip64 field where the 32-bit ones are full."""
    at, wide = 0, b""
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        wide = extra[at + 4 : at + 4 + length] if kind == 1 else wide
        at += 4 + length
    values = []
    for value in (plain, packed, header):
        if value == MAX32 and len(wide) >= 8:
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        values.append(value)
    return values[1], values[0], values[2]


def _local(raw: RawFile, member: Member, stop: int) -> Member:
    """The member with the start of its data; its local header must repeat the directory."""
    magic, _, flags, method, _, crc, packed, plain, named, extra = struct.unpack(
        "<4sHHHIIIIHH", raw.at(member.header, 30)
    )
    rest = raw.at(member.header + 30, named + extra)
    packed, plain, _ = _wide(rest[named:], plain, packed, 0)
    later = bool(flags & DATED) and (crc, packed, plain) == (0, 0, 0)
    if (
        magic != b"PK\x03\x04"
        or _decoded(rest[:named]) != member.name
        or method
        or flags != member.flags
        or not (later or (crc, packed, plain) == (member.crc, member.size, member.size))
    ):
        raise damaged(
            "expected local headers equal to the directory", f"another for {shown(member.name)}"
        )
    start = member.header + 30 + named + extra
    if start + member.size > stop:
        raise damaged(
            f"expected {shown(member.name)} to end before byte {stop}",
            f"byte {start + member.size}",
        )
    return Member(member.name, member.flags, member.crc, member.size, member.header, start)


def _descriptor(raw: RawFile, member: Member, stop: int, at: int) -> int:
    """Bytes of the crc and sizes behind a record, which must repeat the directory."""
    for form in ("<4sIII", "<4sIQQ"):
        length = struct.calcsize(form)
        if at + length <= stop and struct.unpack(form, raw.at(at, length)) == (
            b"PK\x07\x08",
            member.crc,
            member.size,
            member.size,
        ):
            return length
    raise damaged(
        f"expected the sizes of {shown(member.name)} again behind it", f"others at byte {at}"
    )
