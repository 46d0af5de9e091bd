"""Torch files from before 1.6: five pickles in a row, then each storage as a count and its bytes.

    magic  protocol 1001  sys_info  object  [keys]  (int64 count, count * width bytes) per key

The storages are little-endian on every machine: torch converts them when it saves.
"""

from __future__ import annotations

from typing import TypeGuard

from ...errors import CheckpointError
from ...escape import shown
from .placeholders import Unknown
from .raw_file import AGAIN, RawFile
from .torch_values import Storage
from .unpickler import Loaded, unpickle

MAGIC = 0x1950A86A20F9469CFC6C
START = b"\x8a\x0a" + MAGIC.to_bytes(10, "little")  # the pickled MAGIC
PROTOCOL = 1001


def legacy(head: bytes) -> bool:
    """Whether MAGIC follows the protocol, and in protocol 4 the frame, at the start of a file.

    >>> legacy(b"\\x80\\x02" + START + b".")
    True
    """
    if head[:1] != b"\x80":
        return False
    has_frame = head[2:3] == b"\x95"  # and eight bytes that give its length
    start = 11 if has_frame else 2
    return head.startswith(START, start)


def read_legacy(raw: RawFile) -> Loaded:
    """The tree and the start of every storage; every length is compared with the bytes present."""
    storages: dict[str, Storage] = {}
    magic, position = unpickle(raw, 0, raw.size, {})
    _check(type(magic) is int and magic == MAGIC, magic)
    protocol, position = unpickle(raw, position, raw.size, {})
    _check(type(protocol) is int and protocol == PROTOCOL, protocol)
    system, position = unpickle(raw, position, raw.size, {})
    _check(isinstance(system, dict), system)
    unknown = Unknown()
    tree, position = unpickle(raw, position, raw.size, storages, unknown)
    keys, position = unpickle(raw, position, raw.size, {})
    ordered = _in_order(keys, storages)
    return Loaded(tree, _starts(raw, position, ordered), unknown=unknown)


def _check(is_right: bool, value: object) -> None:
    """Refuse another protocol; callers compare types first: nested values may compare forever."""
    if not is_right:
        raise CheckpointError(
            f"expected a torch file of protocol {PROTOCOL}",
            f"found {shown(value)}",
            "save it again with a current torch",
        )


def _in_order(keys: object, storages: dict[str, Storage]) -> list[Storage]:
    """The storages in the order of the file: each named by the object, each once."""
    if not _are_texts(keys) or len(set(keys)) != len(keys):
        raise CheckpointError(
            "expected the list of storages", "found something else", "the file is damaged or forged"
        )
    # both ways: a missing record, and one that no tensor names
    unmatched = set(keys) ^ set(storages)
    if unmatched:
        raise CheckpointError(
            "expected one data record per storage that the tensors name",
            f"found {len(unmatched)} without a counterpart ({shown(min(unmatched))} first)",
            "the file is damaged or forged",
        )
    return [storages[key] for key in keys]


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _starts(raw: RawFile, position: int, order: list[Storage]) -> dict[str, int]:
    """Byte of the first element of each storage."""
    starts: dict[str, int] = {}
    for whole, storage in enumerate(order):
        count = int.from_bytes(raw.at(position, 8), "little", signed=True)  # of elements
        if count * storage.kind.width != storage.nbytes:
            raise CheckpointError(
                f"expected {storage.nbytes} bytes in storage {shown(storage.key)}",
                f"found a record of {count * storage.kind.width} at byte {position}",
                "the file is damaged or forged",
            )
        starts[storage.key] = position + 8
        position += 8 + storage.nbytes
        if position > raw.size:
            start = starts[storage.key]
            raise CheckpointError(
                f"expected {len(order)} storages, the one that starts at byte {start} with "
                f"{storage.nbytes} bytes",
                f"truncated: {raw.size} of at least {position} bytes present, "
                f"{whole} storages whole",
                AGAIN,
            )
    if position != raw.size:
        raise CheckpointError(
            f"expected the file to end with its last storage at byte {position}",
            f"found {raw.size - position} more bytes",
            "the file is damaged or forged",
        )
    return starts
