"""Loads spans: positioned reads into a worker's reused buffer, then a typed view on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..checkpoints import Span, advise, lines_in_memory, read_into
from ..lazy import torch
from ..sketches.tile import Scratch

if TYPE_CHECKING:
    from torch import Tensor

Check = Callable[[int], None]  # called with the bytes read, some MiB at most; raises to stop
CHUNK = 1 << 22  # bytes of a held span that are read at once


def load(spans: Iterable[Span], scratch: Scratch, slot: int) -> dict[Span, Tensor]:
    """Every span once; the tensors are views of buffers, valid until `slot` is loaded again."""
    loaded = {}
    for i, span in enumerate(spans):
        loaded[span] = _load_one(span, scratch, f"{slot}.{i}")
    return loaded


def load_apart(span: Span, scratch: Scratch, check: Check) -> Tensor:
    """The bytes of a span in newly allocated memory; of a tensor in memory its rows or columns."""
    offset, length = span.bytes
    if span.leaf.tensor is not None:
        check(length)
        return lines_in_memory(span).to(scratch.device)
    raw = torch.empty(length, dtype=torch.uint8, device=scratch.device)
    for start in range(0, length, CHUNK):
        part = raw[start : start + CHUNK]
        # files are read into host memory; on a GPU a second buffer is copied to the device
        if scratch.device == "cpu":
            target = part
        else:
            target = _host(scratch, "bytes apart", len(part))
        read_into(span.leaf.file, offset + start, target.numpy().data)
        if target is not part:
            part.copy_(target)
        check(len(part))
    return raw


def ahead(spans: Iterable[Span]) -> None:
    """Requests spans from the disk in the background while the current tile is measured."""
    for span in spans:
        if span.leaf.tensor is None:
            advise(span.leaf.file, *span.bytes)


def _load_one(span: Span, scratch: Scratch, name: str) -> Tensor:
    if span.leaf.tensor is not None:
        return lines_in_memory(span).to(scratch.device)
    offset, length = span.bytes
    raw = _host(scratch, f"bytes {name}", length)
    if length:
        read_into(span.leaf.file, offset, raw.numpy().data)
    return span.typed(raw.to(scratch.device))


def _host(scratch: Scratch, name: str, length: int) -> Tensor:
    """A reused host buffer of `length` bytes; pinned where a GPU copies from it."""
    buffer = scratch.held.get(name)
    if buffer is None or buffer.numel() < length:
        pinned = scratch.device != "cpu"
        buffer = torch.empty(max(length, 1), dtype=torch.uint8, pin_memory=pinned)
        scratch.held[name] = buffer
    return buffer[:length]
