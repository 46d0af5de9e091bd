"""The pretended device under all names by which the device suite asks torch for a real one.

It warns where the host waits, has a limit of memory and reports a peak, as torch does.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import torch

from tests.device import streams
from tests.device.conftest import CUDA, seen_by
from tests.device.pretended import NAME, Log, Pretended, _target
from weightscope.engine import device, executor

TOTAL = 20 << 30
WARNING = "called a synchronizing CUDA operation"
ALLOCATING = {"empty", "zeros", "full", "ones"}


class Gpu:
    """What a test sets of it, and what the suite has set."""

    def __init__(self) -> None:
        self.mode = "default"
        self.limit: float = TOTAL
        self.peak = self.pinned = 0  # bytes
        self.log = Log(Warned(self), Warned(self))

    def functions(self) -> dict[str, object]:
        """Those of torch.cuda that the suite calls beyond those of the engine."""
        found = SimpleNamespace(name="pretended", major=9, minor=0, total_memory=TOTAL)
        return {
            "get_device_properties": lambda name: found,
            "set_sync_debug_mode": lambda mode: setattr(self, "mode", mode),
            "set_per_process_memory_fraction": self._limit,
            "synchronize": lambda name: None,
            "memory_reserved": lambda name: 0,
            "memory_allocated": lambda name: 0,
            "max_memory_allocated": lambda name: self.peak,
            "reset_peak_memory_stats": lambda name: None,
            "host_memory_stats": lambda: {"active_bytes.peak": self.pinned},
            "reset_peak_host_memory_stats": lambda: None,
        }

    def _limit(self, fraction: float, name: str) -> None:
        self.limit = fraction * TOTAL


class Warned(Counter):
    """Counts, and warns as torch does in the mode that asks for it."""

    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu
        super().__init__()

    def __setitem__(self, key, value) -> None:
        super().__setitem__(key, value)
        if self.gpu.mode == "warn":
            warnings.warn(WARNING, stacklevel=2)


@contextmanager
def standing(monkeypatch) -> Iterator[Gpu]:
    """The suite finds a device, `cuda:1`; the patches are those of the test, as in conftest.py."""
    gpu = Gpu()

    class Limited(Pretended):
        """Refuses what is larger than the limit."""

        def __torch_function__(self, func, types, args=(), kwargs=None):
            name = getattr(func, "__name__", "")
            if name in ALLOCATING and _target(name, args, kwargs or {}) == NAME:
                _allocate(args, kwargs or {}, gpu.limit)
            return super().__torch_function__(func, types, args, kwargs)

    for name, stand_in in {**CUDA, **gpu.functions()}.items():
        monkeypatch.setattr(torch.cuda, name, stand_in, raising=False)
    before = device.free_memory
    monkeypatch.setattr(device, "free_memory", lambda name: TOTAL if name == NAME else before(name))
    monkeypatch.setattr(executor, "ThreadPoolExecutor", seen_by(gpu.log, Limited))
    current = streams.current_device()
    streams.set_device(NAME)  # as the suite begins
    try:
        with Limited(gpu.log, streams):
            yield gpu
    finally:
        streams.set_device(current)


def _allocate(args, kwargs, limit: float) -> None:
    """Raises as torch does where one allocation is over the limit."""
    shape = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
    sizes = [size for size in shape if isinstance(size, int)]
    size = math.prod(sizes) * kwargs.get("dtype", torch.float32).itemsize
    if size > limit:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate: would exceed allowed")
