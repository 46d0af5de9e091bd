"""The directory of a zip archive, checked against the only form that torch writes.

Readers differ in every other form that the format allows: so there is one directory at
the end, nothing compressed or encrypted, local headers equal to the directory, and records end to
end from the first byte to the directory. Field names and layouts: PKWARE's APPNOTE.TXT 4.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...errors import CheckpointError
from ...escape import shown
from .. import limits
from .raw_file import RawFile, Stream
from .zip_kinds import refuse_other

LOCAL = b"PK\x03\x04"  # what a local header begins with
_CENTRAL, _END = b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64, _DESCRIPTOR = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_DATED, _NAMED_UTF8 = 1 << 3, 1 << 11  # flag bits: sizes follow the data; names are UTF-8
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF  # values that a zip64 field replaces
_END_FORM = struct.Struct("<4xI2xHIIH")
_END64_FORM = struct.Struct("<16xIIQQQQ")
_LOCATOR64_FORM = struct.Struct("<8xQ4x")
_CENTRAL_FORM = struct.Struct("<4s4xHH4xIIIHHHH6xI")
_LOCAL_FORM = struct.Struct("<4s2xHH4xIIIHH")
_DESCRIPTOR_FORMS = (struct.Struct("<4sIII"), struct.Struct("<4sIQQ"))


@dataclass(frozen=True)
class Member:
    """A record as the directory describes it, and where its bytes start."""

    name: str
    flags: int
    crc: int
    size: int
    header: int  # byte of its local header
    start: int = 0  # byte of its data
    fault: str = ""  # in what form it is, where it is not stored as it is


@dataclass(frozen=True)
class Directory:
    """Where the directory is."""

    records: int
    size: int
    start: int


def damaged(expected: str, found: str) -> CheckpointError:
    """The refusal of an archive that torch did not write."""
    return CheckpointError(
        expected,
        f"found {found}",
        "the file is damaged, forged or packed by another tool: save it again with torch.save",
    )


def members(raw: RawFile) -> list[Member]:
    """Every record: its local header equals the directory, and the records lie end to end."""
    directory = _directory(raw)
    entries = sorted(_entries(raw, directory), key=lambda member: member.header)
    # by name, before the form of the records: other programs compress theirs
    refuse_other([entry.name for entry in entries])
    records = []
    end = 0
    for entry in entries:
        if entry.fault:
            raise damaged(f"expected {shown(entry.name)} to be stored as it is", entry.fault)
        if entry.header != end:
            raise damaged(
                f"expected a record at byte {end}",
                f"{shown(entry.name)} at byte {entry.header}: a gap, an overlap, "
                "or bytes before the archive",
            )
        record = _with_start(raw, entry, directory.start)
        end = _end_of(raw, record, directory.start)
        records.append(record)
    if end != directory.start:
        raise damaged(
            f"expected the directory at byte {end}",
            f"it at byte {directory.start}: bytes that no record holds",
        )
    return records


def _directory(raw: RawFile) -> Directory:
    """The directory, which ends the file."""
    end = raw.size - _END_FORM.size
    tail = b""
    if end >= 0:
        tail = raw.at(end, _END_FORM.size)
    if not tail.startswith(_END):
        raise damaged(
            "expected a zip directory at the end of the file",
            f"none in {raw.size} bytes: truncated, or bytes after the archive",
        )
    disks, records, size, start, comment = _END_FORM.unpack(tail)
    directory = Directory(records, size, start)
    is_full = records == _MAX16 or _MAX32 in (size, start)
    if is_full or _has_locator(raw, end):
        directory, end = _directory64(raw, end)
    _check_directory(raw, directory, end, extras=disks or comment)
    return directory


def _check_directory(raw: RawFile, directory: Directory, end: int, extras: int) -> None:
    """Refuse a directory that does not end the file, in one part, with room for its entries."""
    ends_file = directory.start + directory.size == end
    has_room = 0 < directory.records * _CENTRAL_FORM.size <= directory.size <= limits.HEADER
    if extras or not ends_file or not has_room:
        raise damaged(
            "expected one directory that ends the file",
            f"{directory.records} records in {directory.size} bytes at byte {directory.start} "
            f"of {raw.size}",
        )


def _has_locator(raw: RawFile, end: int) -> bool:
    at = end - _LOCATOR64_FORM.size
    return at >= 0 and raw.at(at, 4) == _LOCATOR64


def _directory64(raw: RawFile, end: int) -> tuple[Directory, int]:
    """The directory of a zip64 archive, and where it must end."""
    locator = end - _LOCATOR64_FORM.size
    end64 = locator - _END64_FORM.size
    if not _has_locator(raw, end) or end64 < 0:
        raise damaged("expected a zip64 locator", "none")
    (at,) = _LOCATOR64_FORM.unpack(raw.at(locator, _LOCATOR64_FORM.size))
    if at != end64 or raw.at(at, 4) != _END64:
        raise damaged(f"expected a zip64 end at byte {end64}", f"byte {at}")
    disk, first_disk, on_disk, records, size, start = _END64_FORM.unpack(
        raw.at(at, _END64_FORM.size)
    )
    if disk or first_disk or on_disk != records:
        raise damaged("expected an archive in one part", "several")
    return Directory(records, size, start), at


def _entries(raw: RawFile, directory: Directory) -> Iterator[Member]:
    """The central headers; a member in another form than STORED with name and sizes has a fault."""
    end = directory.start + directory.size
    stream = Stream(raw, directory.start, end)
    for _ in range(directory.records):
        yield _entry(stream)
    if stream.position != end:
        raise damaged(
            f"expected {directory.records} directory entries",
            f"{end - stream.position} bytes after them",
        )


def _entry(stream: Stream) -> Member:
    at = stream.position
    fields = _CENTRAL_FORM.unpack(stream.take(_CENTRAL_FORM.size))
    magic, flags, method, crc, packed, plain, name_size, extra_size, comment, disk, header = fields
    if magic != _CENTRAL:
        raise damaged("expected a directory entry", f"none at byte {at}")
    name = _decoded(stream.take(name_size))
    extra = stream.take(extra_size)
    plain, packed, header = _widened(extra, plain, packed, header)
    other_flags = flags & ~(_DATED | _NAMED_UTF8)
    fault = ""
    if method or packed != plain or other_flags or comment or disk:
        fault = f"compression method {method}, flags 0x{flags:x}, {packed} bytes for {plain}"
    return Member(name, flags, crc, plain, header, fault=fault)


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise damaged("expected record names in UTF-8", shown(name)) from None


def _widened(extra: bytes, *values: int) -> tuple[int, ...]:
    """The values, those that are full taken in order from the zip64 field."""
    field = _zip64_field(extra)
    widened = []
    for value in values:
        if value == _MAX32 and len(field) >= 8:
            value = int.from_bytes(field[:8], "little")
            field = field[8:]
        widened.append(value)
    return tuple(widened)


def _zip64_field(extra: bytes) -> bytes:
    """The zip64 field (id 1) among the extra fields, the last one of several; b"" without one."""
    field = b""
    at = 0
    while at + 4 <= len(extra):
        identity, length = struct.unpack_from("<HH", extra, at)
        start = at + 4
        if identity == 1:
            field = extra[start : start + length]
        at = start + length
    return field


def _with_start(raw: RawFile, entry: Member, stop: int) -> Member:
    """The member with the start of its data; its local header must repeat the directory."""
    head = raw.at(entry.header, _LOCAL_FORM.size)
    magic, flags, method, crc, packed, plain, name_size, extra_size = _LOCAL_FORM.unpack(head)
    rest = raw.at(entry.header + _LOCAL_FORM.size, name_size + extra_size)
    plain, packed = _widened(rest[name_size:], plain, packed)
    sizes = (crc, packed, plain)
    # where the sizes follow the data, the header may have zeros in their place
    sizes_follow = bool(flags & _DATED) and sizes == (0, 0, 0)
    is_same = (
        magic == LOCAL
        and _decoded(rest[:name_size]) == entry.name
        and method == 0
        and flags == entry.flags
        and (sizes_follow or sizes == (entry.crc, entry.size, entry.size))
    )
    if not is_same:
        raise damaged(
            "expected local headers equal to the directory", f"another for {shown(entry.name)}"
        )
    start = entry.header + _LOCAL_FORM.size + name_size + extra_size
    if start + entry.size > stop:
        raise damaged(
            f"expected {shown(entry.name)} to end before byte {stop}",
            f"byte {start + entry.size}",
        )
    return replace(entry, start=start)


def _end_of(raw: RawFile, record: Member, stop: int) -> int:
    """The byte after a record and after the crc and sizes that may follow it."""
    end = record.start + record.size
    if not record.flags & _DATED:
        return end
    expected = (_DESCRIPTOR, record.crc, record.size, record.size)
    for form in _DESCRIPTOR_FORMS:
        if end + form.size <= stop and form.unpack(raw.at(end, form.size)) == expected:
            return end + form.size
    raise damaged(
        f"expected the sizes of {shown(record.name)} again behind it", f"others at byte {end}"
    )
