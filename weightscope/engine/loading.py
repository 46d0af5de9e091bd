"""Loads spans: positioned reads into a worker's reused buffers, then typed views on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..checkpoints import Span, advise, lines_in_memory, read_into
from ..lazy import numpy as np
from ..lazy import torch
from ..sketches.tile import Scratch
from .buffers import Buffers
from .in_memory import Run
from .sender import FIXED

if TYPE_CHECKING:
    from torch import Tensor

Check = Callable[[int], None]  # called with the bytes read, some MiB at most; raises to stop
CHUNK = 1 << 22  # bytes of a held span that are read at once


def load(spans: Iterable[Span], buffers: Buffers, slot: int) -> dict[Span, Tensor]:
    """Every span once; the tensors are views of buffers, valid until `slot` is loaded again."""
    if buffers.device != "cpu":
        return _sent(list(spans), buffers, slot)
    loaded = {}
    read = 0
    for span in spans:
        if span.leaf.tensor is not None:
            loaded[span] = lines_in_memory(span)
        else:
            loaded[span] = _load_one(span, buffers.stored, f"{slot}.{read}")
            read += 1
    return loaded


def load_fixed(spans: Sequence[Span], buffers: Buffers) -> dict[Span, Tensor]:
    """The same of what all tiles of a matrix need, valid until the next matrix.

    Where a matrix has no such spans, the memory of the last one that had is freed: the plan counts
    it for those alone.
    """
    if not spans:
        buffers.free(FIXED)
    return load(spans, buffers, FIXED)


def nothing(span: Span, device: str) -> Tensor:
    """The tensor of a span without bytes."""
    if span.leaf.tensor is not None:
        return torch.empty_like(lines_in_memory(span), device=device)
    return span.typed(torch.empty(0, dtype=torch.uint8, device=device))


def load_apart(span: Span, buffers: Buffers, check: Check) -> Tensor:
    """The bytes of a span in newly allocated memory; of a tensor in memory its rows or columns."""
    offset, length = span.bytes
    if span.leaf.tensor is not None:
        check(length)
        return _apart_in_memory(span, buffers)
    raw = torch.empty(length, dtype=torch.uint8, device=buffers.device)
    for number, start in enumerate(range(0, length, CHUNK)):
        part = raw[start : start + CHUNK]
        if buffers.device == "cpu":
            read_into(span.leaf.file, offset + start, part.numpy().data)
        else:
            part.copy_(_chunk(span, start, len(part), buffers, buffers.slot(number)))
        check(len(part))
    return raw


def _apart_in_memory(span: Span, buffers: Buffers) -> Tensor:
    """The rows or columns of a tensor in memory; new memory on a GPU."""
    if buffers.device == "cpu":
        return lines_in_memory(span)
    run = Run.of(span)
    raw = torch.empty(len(run.data), dtype=torch.uint8, device=buffers.device)
    for number, start in enumerate(range(0, len(raw), CHUNK)):
        part = raw[start : start + CHUNK]
        part.copy_(_sent_chunk(run, start, len(part), buffers, buffers.slot(number)))
    return run.typed(raw)


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
    if not spans:
        return {}
    runs = {i: Run.of(span) for i, span in enumerate(spans) if span.leaf.tensor is not None}

    def read(i: int, target: memoryview) -> None:
        offset, length = spans[i].bytes
        if i in runs:
            np.copyto(np.asarray(target), runs[i].data.numpy())
        elif length:
            read_into(spans[i].leaf.file, offset, target)

    lengths = [len(runs[i].data) if i in runs else spans[i].bytes[1] for i in range(len(spans))]
    parts = buffers.sending().sent(lengths, read, slot)
    loaded = {}
    for i, span in enumerate(spans):
        loaded[span] = runs[i].typed(parts[i]) if i in runs else span.typed(parts[i])
    return loaded


def _sent_chunk(run: Run, start: int, length: int, buffers: Buffers, slot: int) -> Tensor:
    """Some bytes of a run of memory, on the GPU."""

    def read(i: int, target: memoryview) -> None:
        np.copyto(np.asarray(target), run.data[start : start + length].numpy())

    (part,) = buffers.sending().sent([length], read, slot)
    return part


def _chunk(span: Span, start: int, length: int, buffers: Buffers, slot: int) -> Tensor:
    """Some bytes of a span, on the GPU."""
    offset, _ = span.bytes

    def read(i: int, target: memoryview) -> None:
        read_into(span.leaf.file, offset + start, target)

    (part,) = buffers.sending().sent([length], read, slot)
    return part
