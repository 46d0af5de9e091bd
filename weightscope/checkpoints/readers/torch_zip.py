"""Torch files since 1.6: a zip archive of stored records, PREFIX/data.pkl and PREFIX/data/KEY.

The archive is checked against what torch writes (zip_directory.py): readers differ in other forms
of the zip format. A record has exactly the bytes of its storage.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...escape import shown
from .. import limits
from .placeholders import Unknown
from .raw_file import RawFile
from .torch_values import Storage
from .unpickler import Loaded, unpickle
from .zip_directory import LOCAL, Member, damaged, members

_OTHER_RECORDS = {
    "data.pkl",
    "byteorder",
    "version",
    ".format_version",
    ".storage_alignment",
    ".data/serialization_id",
}
_PICKLE = "data.pkl"
_LISTED = 4  # names in a message


def read_zip(raw: RawFile) -> Loaded:
    """The tree and the start of every storage of a checked archive."""
    records = _without_prefix(members(raw))
    storages: dict[str, Storage] = {}
    unknown = Unknown()
    tree = _tree(raw, records, storages, unknown)
    starts = {key: _start(records, storage) for key, storage in storages.items()}
    is_swapped = _is_big_endian(raw, records)
    return Loaded(tree, starts, is_swapped, _flags(records, storages), unknown)


def starts_with_array(head: bytes) -> bool:
    """Whether the first record of a zip archive is a numpy array."""
    if not head.startswith(LOCAL) or len(head) < 30:
        return False
    length = int.from_bytes(head[26:28], "little")  # of the name, in the local header
    name = head[30 : 30 + length]
    return name.endswith(b".npy")


def _tree(
    raw: RawFile, records: Mapping[str, Member], storages: dict[str, Storage], unknown: Unknown
) -> object:
    """The unpickled data.pkl; the storages that it names are collected in `storages`."""
    if _PICKLE not in records:
        raise damaged(f"expected a record {_PICKLE}", f"none: {_listed(list(records))}")
    pickle = records[_PICKLE]
    if pickle.size > limits.HEADER:  # before anything is read of it
        raise damaged(f"expected a {_PICKLE} of at most {limits.HEADER} bytes", str(pickle.size))
    stop = pickle.start + pickle.size
    tree, end = unpickle(raw, pickle.start, stop, storages, unknown)
    if end != stop:  # bytes that other readers may take for a second pickle
        raise damaged(f"expected {_PICKLE} to end with its pickle", f"{stop - end} bytes after it")
    return tree


def _start(records: Mapping[str, Member], storage: Storage) -> int:
    """Where the bytes of a storage start; its record must have exactly as many as it."""
    record = f"record data/{shown(storage.key)}"
    member = records.get(f"data/{storage.key}")
    if member is None:
        raise damaged(f"expected a {record}", "none: data is missing")
    if member.size != storage.nbytes:
        raise damaged(f"expected {storage.nbytes} bytes in {record}", str(member.size))
    return member.start


def _flags(records: Mapping[str, Member], storages: Mapping[str, Storage]) -> tuple[str, ...]:
    """A flag that lists records of no tensor and of none of torch's purposes."""
    unread = [
        name
        for name in records
        if name not in _OTHER_RECORDS and name.removeprefix("data/") not in storages
    ]
    if not unread:
        return ()
    return (f"{len(unread)} records that no tensor names were not read: {_listed(unread)}",)


def _is_big_endian(raw: RawFile, records: Mapping[str, Member]) -> bool:
    """By the byteorder record; without one the storages are little-endian."""
    if "byteorder" not in records:
        return False
    member = records["byteorder"]
    order = raw.at(member.start, min(member.size, 16))
    if order not in (b"little", b"big"):
        raise damaged("expected the byteorder little or big", shown(order))
    return order == b"big"


def _without_prefix(archive: list[Member]) -> dict[str, Member]:
    """Records by their names inside the one folder that holds them all."""
    prefixes = {member.name.partition("/")[0] for member in archive}
    if len(prefixes) != 1 or any("/" not in member.name for member in archive):
        raise damaged("expected one folder in the archive", _listed(sorted(prefixes)))
    records = {member.name.partition("/")[2]: member for member in archive}
    if len(records) != len(archive):
        raise damaged("expected unique record names", "one name twice")
    for name in records:
        if _is_path(name):
            raise damaged("expected plain record names", shown(name))
    # unzipping on a system that ignores case would overwrite one with the other
    if len({name.casefold() for name in records}) != len(records):
        raise damaged("expected plain record names", "names that differ in case only")
    return records


def _is_path(name: str) -> bool:
    if "\\" in name or "\0" in name:
        return True
    return ".." in name.split("/")


def _listed(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:_LISTED])
