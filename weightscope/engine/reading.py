"""Loads spans: positioned reads into a worker's reused buffer, then a typed view, on the device that computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..checkpoints import Span, advise, lines_in_memory, read_into
from ..lazy import torch
from ..sketches.tile import Scratch

if TYPE_CHECKING:
    from torch import Tensor

Check = Callable[[int], None]  # called with the bytes read, some MiB at most; raises to stop
CHUNK = 1 << 22  # bytes of a span to keep that are read at once


def load(spans: Iterable[Span], scratch: Scratch, slot: int) -> dict[Span, Tensor]:
    """Every span once; views of buffers that live until the same slot is loaded again."""
    return {span: _one(span, scratch, f"{slot}.{i}") for i, span in enumerate(spans)}


def load_apart(span: Span, scratch: Scratch, check: Check) -> Tensor:
    """The bytes of a span in memory of their own, read chunk by chunk; of a tensor in memory its lines."""
    offset, length = span.bytes
    if span.leaf.tensor is not None:
        check(length)
        return lines_in_memory(span).to(scratch.device)
    raw = torch.empty(length, dtype=torch.uint8, device=scratch.device)
    for at in range(0, length, CHUNK):
        part = raw[at : at + CHUNK]
        read = part if scratch.device == "cpu" else _host(scratch, "bytes apart", len(part))
        read_into(span.leaf.file, offset + at, read.numpy().data)
        if read is not part:
            part.copy_(read)
        check(len(part))
    return raw


def ahead(spans: Iterable[Span]) -> None:
    """Asks the system to read spans in the background: the disk works while this tile is measured."""
    for span in spans:
        if span.leaf.tensor is None:
            advise(span.leaf.file, *span.bytes)


def _one(span: Span, scratch: Scratch, name: str) -> Tensor:
    if span.leaf.tensor is not None:
        return lines_in_memory(span).to(scratch.device)
    offset, length = span.bytes
    raw = _host(scratch, f"bytes {name}", length)
    if length:
        read_into(span.leaf.file, offset, raw.numpy().data)
    return span.typed(raw.to(scratch.device))


def _host(scratch: Scratch, name: str, length: int) -> Tensor:
    """A reused host buffer; pinned where a GPU copies from it."""
    found = scratch.held.get(name)
    if found is None or found.numel() < length:
        found = scratch.held[name] = torch.empty(
            max(length, 1), dtype=torch.uint8, pin_memory=scratch.device != "cpu"
        )
    return found[:length]
