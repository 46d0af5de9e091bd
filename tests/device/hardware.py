"""What torch counts and limits on a CUDA device: waits of the host, memory, its identity."""

from __future__ import annotations

import gc
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from weightscope import dtypes
from weightscope.sketches import hashes


def described(device: str) -> dict[str, object]:
    """The device, and the CUDA of torch."""
    found = torch.cuda.get_device_properties(device)
    return {
        "device": found.name,
        "capability": f"{found.major}.{found.minor}",
        "memory": found.total_memory,
        "cuda": torch.version.cuda,
    }


@contextmanager
def waits() -> Iterator[Counter[str]]:
    """Counts by line of Python what makes the host wait, uploads from plain memory included.

    torch warns of them. It does not see all: what it sees, happens.
    """
    counted: Counter[str] = Counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield counted
        finally:
            torch.cuda.set_sync_debug_mode("default")
            for one in caught:
                if "synchronizing CUDA operation" in str(one.message):
                    counted[f"{one.filename.rsplit('/', 1)[-1]}:{one.lineno}"] += 1


@contextmanager
def room(device: str, size: int) -> Iterator[None]:
    """Lets torch take no more than `size` further bytes of the device."""
    _collect()
    total = torch.cuda.get_device_properties(device).total_memory
    limit = torch.cuda.memory_reserved(device) + size
    torch.cuda.set_per_process_memory_fraction(limit / total, device)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
        _collect()


@contextmanager
def peaks(device: str) -> Iterator[dict[str, int]]:
    """The most bytes of the device, and of pinned memory, beyond those in use before."""
    _collect()
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    _reset_pinned()
    pinned_before = _pinned("current")
    found: dict[str, int] = {}
    yield found
    torch.cuda.synchronize(device)
    found["device"] = torch.cuda.max_memory_allocated(device) - before
    found["pinned"] = _pinned("peak") - pinned_before


def forget_tables() -> None:
    """The next use uploads them: the real and the pretended device may have one name."""
    dtypes.table.cache_clear()
    hashes._table.cache_clear()


def _collect() -> None:
    """Frees what no tensor uses."""
    gc.collect()
    torch.cuda.empty_cache()


def _pinned(which: str) -> int:
    """Bytes of pinned memory in use; 0 where torch does not count them."""
    if not hasattr(torch.cuda, "host_memory_stats"):
        return 0
    return torch.cuda.host_memory_stats().get(f"active_bytes.{which}", 0)


def _reset_pinned() -> None:
    if hasattr(torch.cuda, "reset_peak_host_memory_stats"):
        torch.cuda.reset_peak_host_memory_stats()
