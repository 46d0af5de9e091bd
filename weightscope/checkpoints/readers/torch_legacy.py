"""Torch files from before 1.6: five pickles in a row, then each storage as a count and its bytes.

    magic  protocol 1001  sys_info  object  [keys]  (int64 count, count * width bytes) per key

The storages are little-endian whatever machine wrote them: torch converted them on the way.
"""

from __future__ import annotations

from typing import Any

from ...errors import CheckpointError
from ...escape import shown
from .raw_file import AGAIN, RawFile
from .torch_values import Storage
from .unpickler import Loaded, unpickle

MAGIC = 0x1950A86A20F9469CFC6C
START = b"\x8a\x0a" + MAGIC.to_bytes(10, "little")  # the pickled MAGIC
PROTOCOL = 1001


def legacy(head: bytes) -> bool:
    """Whether a file that begins with `head` is one: MAGIC after the protocol, in protocol 4 also after a frame.

    >>> legacy(b"\\x80\\x02" + START + b".")
    True
    """
    return head[:1] == b"\x80" and head[11 if head[2:3] == b"\x95" else 2 :].startswith(START)


def read_legacy(raw: RawFile) -> Loaded:
    """The tree and the start of every storage; every length is compared with the bytes that are there."""
    seen: dict[str, Storage] = {}
    position = 0
    parts: list[Any] = []
    for part in range(5):
        value, position = unpickle(raw, position, raw.size, seen if part == 3 else {})
        _checked(part, value)
        parts.append(value)
    return Loaded(parts[3], _starts(raw, position, _in_order(parts[4], seen)))


def _checked(part: int, value: object) -> None:
    """Refuse another protocol; by its type before its value, since comparing nested values may never end."""
    if part < 2:
        right = type(value) is int and value == (MAGIC, PROTOCOL)[part]
    else:
        right = part != 2 or isinstance(value, dict)
    if not right:
        raise CheckpointError(
            f"expected a torch file of protocol {PROTOCOL}",
            f"found {shown(value)}",
            "save it again with a current torch",
        )


def _in_order(keys: object, seen: dict[str, Storage]) -> list[Storage]:
    """The storages in the order of the file: each named by the object, each once."""
    if (
        not isinstance(keys, list)
        or not all(isinstance(key, str) for key in keys)
        or len(set(keys)) != len(keys)
    ):
        raise CheckpointError(
            "expected the list of storages", "found something else", "the file is damaged or forged"
        )
    odd = set(keys) ^ set(seen)
    if odd:
        raise CheckpointError(
            "expected one data record per storage that the tensors name",
            f"found {len(odd)} without a counterpart ({shown(min(odd))} first)",
            "the file is damaged or forged",
        )
    return [seen[key] for key in keys]


def _starts(raw: RawFile, position: int, order: list[Storage]) -> dict[str, int]:
    """Byte of the first element of each storage."""
    starts = {}
    for done, storage in enumerate(order):
        count = int.from_bytes(raw.at(position, 8), "little", signed=True)
        if count * storage.kind.width != storage.nbytes:
            raise CheckpointError(
                f"expected {storage.nbytes} bytes in storage {shown(storage.key)}",
                f"found a record of {count * storage.kind.width} at byte {position}",
                "the file is damaged or forged",
            )
        starts[storage.key] = position + 8
        position += 8 + storage.nbytes
        if position > raw.size:
            raise CheckpointError(
                f"expected {len(order)} storages, the one that starts at byte {starts[storage.key]} "
                f"with {storage.nbytes} bytes",
                f"truncated: {raw.size} of at least {position} bytes present, {done} storages whole",
                AGAIN,
            )
    if position != raw.size:
        raise CheckpointError(
            f"expected the file to end with its last storage at byte {position}",
            f"found {raw.size - position} more bytes",
            "the file is damaged or forged",
        )
    return starts
