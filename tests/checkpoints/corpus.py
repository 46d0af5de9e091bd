"""Builders of safetensors files, byte by byte: sound ones, and parts of those that are refused."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path


def framed(header: bytes, payload: bytes = b"", length: int | None = None) -> bytes:
    """A file of a header and a payload; `length` lies about the header."""
    return struct.pack("<Q", len(header) if length is None else length) + header + payload


def entry(
    dtype: object = "F32", shape: object = (2, 3), offsets: object = (0, 24), **extra: object
) -> dict[str, object]:
    """One tensor's fields."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **extra}


def built(header: Mapping[str, object], payload: bytes = bytes(24)) -> bytes:
    """A file of a header given as a dict."""
    return framed(json.dumps(header).encode(), payload)


def packed(*pairs: tuple[str, Mapping[str, object]], payload: bytes = bytes(24)) -> bytes:
    """A file whose header may hold one name twice."""
    inner = ",".join(f"{json.dumps(name)}:{json.dumps(fields)}" for name, fields in pairs)
    return framed(f"{{{inner}}}".encode(), payload)


def zeros(*names: str, first: int = 0) -> bytes:
    """A sound file of 2 x 3 float32 tensors; `first` sets the first byte of the payload."""
    header = {name: entry(offsets=(24 * i, 24 * i + 24)) for i, name in enumerate(names)}
    return built(
        header, bytes([first]) * (24 * len(names) > 0) + bytes(max(0, 24 * len(names) - 1))
    )


def write(path: Path, data: bytes) -> str:
    """The path as text, its bytes written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # some file systems flush a file that is written over
    path.write_bytes(data)
    return str(path)


def index(path: Path, weights: object, **fields: object) -> str:
    """A sharded index."""
    return write(path, json.dumps({"weight_map": weights, **fields}).encode())
