"""Builders of torch files, byte by byte: honest ones, and every kind that must be refused."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

MAGIC = 0x1950A86A20F9469CFC6C


def text(word: str) -> bytes:
    raw = word.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    raw = value.to_bytes(9, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def named(module: str, name: str) -> bytes:
    return b"c" + f"{module}\n{name}\n".encode()


def many(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def storage(key: str, numel: int, kind: str = "FloatStorage", view: bytes = b"") -> bytes:
    return (
        many(text("storage"), named("torch", kind), text(key), text("cpu"), number(numel), view)
        + b"Q"
    )


def rebuilt(held: bytes, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    return (
        named("torch._utils", "_rebuild_tensor_v2")
        + many(
            held,
            number(offset),
            many(*map(number, size)),
            many(*map(number, stride)),
            b"\x89",
            b"}",
        )
        + b"R"
    )


def tensor(
    key: str = "0",
    numel: int = 6,
    size: tuple[int, ...] = (2, 3),
    stride: tuple[int, ...] = (3, 1),
    offset: int = 0,
) -> bytes:
    return rebuilt(storage(key, numel), size, stride, offset)


def mapping(items: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def whole(body: bytes, protocol: int = 2) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def archive(
    data: bytes,
    records: Mapping[str, bytes] | None = None,
    prefix: str = "archive/",
    method: int = zipfile.ZIP_STORED,
    byteorder: bytes = b"little",
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        packed.writestr(prefix + "data.pkl", data)
        packed.writestr(prefix + "byteorder", byteorder)
        for name, raw in (records if records is not None else {"data/0": bytes(24)}).items():
            packed.writestr(prefix + name, raw)
        packed.writestr(prefix + "version", b"3\n")
    return out.getvalue()


def old(
    data: bytes,
    stored: Mapping[str, tuple[int, bytes]],
    keys: list[str] | None = None,
    protocol: int = 1001,
) -> bytes:
    head = (
        pickle.dumps(MAGIC, 2)
        + pickle.dumps(protocol, 2)
        + pickle.dumps({"little_endian": True}, 2)
    )
    tail = b"".join(struct.pack("<q", count) + raw for count, raw in stored.values())
    return head + data + pickle.dumps(list(stored) if keys is None else keys, 2) + tail


def runs(path: Path) -> bytes:
    """A pickle body that, if anything ran it, would create `path`."""
    return named("os", "system") + many(text(f"touch {path}")) + b"R"


def plain_zip(path: Path) -> Path:
    path.write_bytes(archive(whole(mapping({"w": tensor()}))))
    return path
