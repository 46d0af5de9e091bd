"""Loads spans: positioned reads into a worker's reused buffers, then typed views on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..checkpoints import Span, advise, lines_in_memory, read_into
from ..lazy import torch
from ..sketches.tile import Scratch
from .buffers import Buffers

if TYPE_CHECKING:
    from torch import Tensor

Check = Callable[[int], None]  # called with the bytes read, some MiB at most; raises to stop
CHUNK = 1 << 22  # bytes of a held span that are read at once


def load(spans: Iterable[Span], buffers: Buffers, slot: int) -> dict[Span, Tensor]:
    """Every span once; the tensors are views of buffers, valid until `slot` is loaded again."""
    loaded = {}
    stored = []
    for span in spans:
        if span.leaf.tensor is not None:
            loaded[span] = lines_in_memory(span).to(buffers.device)
        else:
            stored.append(span)
    if buffers.device == "cpu":
        for i, span in enumerate(stored):
            loaded[span] = _load_one(span, buffers.stored, f"{slot}.{i}")
    elif stored:
        loaded |= _sent(stored, buffers, slot)
    return loaded


def nothing(span: Span, device: str) -> Tensor:
    """The tensor of a span without bytes."""
    if span.leaf.tensor is not None:
        return lines_in_memory(span).to(device)
    return span.typed(torch.empty(0, dtype=torch.uint8, device=device))


def load_apart(span: Span, buffers: Buffers, check: Check) -> Tensor:
    """The bytes of a span in newly allocated memory; of a tensor in memory its rows or columns."""
    offset, length = span.bytes
    if span.leaf.tensor is not None:
        check(length)
        return lines_in_memory(span).to(buffers.device)
    raw = torch.empty(length, dtype=torch.uint8, device=buffers.device)
    for number, start in enumerate(range(0, length, CHUNK)):
        part = raw[start : start + CHUNK]
        if buffers.device == "cpu":
            read_into(span.leaf.file, offset + start, part.numpy().data)
        else:
            part.copy_(_chunk(span, start, len(part), buffers, buffers.slot(number)))
        check(len(part))
    return raw


def ahead(spans: Iterable[Span]) -> None:
    """Requests spans from the disk in the background while the current tile is measured."""
    for span in spans:
        if span.leaf.tensor is None:
            advise(span.leaf.file, *span.bytes)


def _load_one(span: Span, scratch: Scratch, name: str) -> Tensor:
    offset, length = span.bytes
    raw = _host(scratch, f"bytes {name}", length)
    if length:
        read_into(span.leaf.file, offset, raw.numpy().data)
    return span.typed(raw)


def _host(scratch: Scratch, name: str, length: int) -> Tensor:
    """A reused host buffer of `length` bytes."""
    buffer = scratch.held.get(name)
    if buffer is None or buffer.numel() < length:
        buffer = torch.empty(max(length, 1), dtype=torch.uint8)
        scratch.held[name] = buffer
    return buffer[:length]


def _sent(spans: Sequence[Span], buffers: Buffers, slot: int) -> dict[Span, Tensor]:
    """All spans in one copy to the GPU."""

    def read(i: int, target: memoryview) -> None:
        offset, length = spans[i].bytes
        if length:
            read_into(spans[i].leaf.file, offset, target)

    lengths = [span.bytes[1] for span in spans]
    parts = buffers.sending().sent(lengths, read, slot)
    return {span: span.typed(part) for span, part in zip(spans, parts, strict=True)}


def _chunk(span: Span, start: int, length: int, buffers: Buffers, slot: int) -> Tensor:
    """Some bytes of a span, on the GPU."""
    offset, _ = span.bytes

    def read(i: int, target: memoryview) -> None:
        read_into(span.leaf.file, offset + start, target)

    (part,) = buffers.sending().sent([length], read, slot)
    return part
