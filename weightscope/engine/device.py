"""Chooses the device, the memory of its buffers and the number of workers, each with the reason."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..geometry import SEGMENT, TILE, TILE_GPU
from ..lazy import torch
from .automatic import first_usable

MEMINFO = "/proc/meminfo"  # Linux only
# The release that ran `make device` on real hardware; None, and --device auto is the CPU. With it
# change the help of --device and docs/performance.md.
TESTED_ON_GPU: str | None = None


@dataclass(frozen=True)
class Device:
    """Where tiles are computed: their size depends on the type of device, not on its memory."""

    name: str  # cpu, cuda:0
    budget: int  # bytes that buffers, states and held tensors may take together
    workers: int
    why: str
    host: Device | None = None  # of a GPU: the CPU that measures what the GPU has no memory for
    note: str = ""  # why --device auto takes none of the GPUs that there are

    @property
    def is_gpu(self) -> bool:
        """Whether the host waits for its results."""
        return self.name != "cpu"

    @property
    def feeders(self) -> int:
        """Workers that fold tiles at a time: those of a GPU would share it, and its memory."""
        if self.is_gpu:
            return 1
        return self.workers

    @property
    def share(self) -> int:
        """Bytes for one of the workers that fold tiles."""
        return self.budget // self.feeders

    @property
    def tile(self) -> int:
        """Elements of a tile: near the cache on a CPU, enough to fill a GPU."""
        if self.name == "cpu":
            return TILE
        return TILE_GPU

    @property
    def segment(self) -> int:
        """Elements that one worker folds alone."""
        if self.name == "cpu":
            return SEGMENT
        return 1 << 28

    @property
    def stack(self) -> int:
        """Elements up to which equal small tensors are measured as one stack."""
        if self.name == "cpu":
            return 1 << 16
        return TILE_GPU


def choose(device: str = "auto", memory: int | None = None, threads: int | None = None) -> Device:
    """The named device, else the CPU.

    Without `memory` (bytes) a quarter of what is free, without `threads` one worker per CPU core.
    """
    name, device_reason, note = _named(device, memory)
    host = None
    if name != "cpu":
        host = choose("cpu", memory, threads)
    if memory:
        budget = memory
        memory_reason = "as requested"
    else:
        budget = free_memory(name) // 4
        memory_reason = "a quarter of the free memory"
    workers = threads or _cpus()
    size = f"{budget / 2**20:.0f} MiB"
    why = f"{name}: {device_reason}; memory {size}, {memory_reason}; {workers} workers"
    return Device(name, max(budget, 1), workers, why, host, note)


def _cpus() -> int:
    """CPU cores that this process may use; all of the machine on macOS, which has no such set."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _named(device: str, memory: int | None) -> tuple[str, str, str]:
    """The torch name of the device of --device, the reason for it, and the note of a refusal."""
    kind, _, number = device.partition(":")
    is_numbered = kind == "cuda" and number.isdigit()
    if kind not in ("auto", "cpu", "cuda") or (kind != device and not is_numbered):
        raise UsageError(
            "--device takes auto, cpu, cuda or cuda:N", f"found {device!r}", "name one of them"
        )
    if kind == "cpu":
        return "cpu", "as requested", ""
    if kind == "auto":
        return _automatic(memory)
    index = int(number or 0)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index >= count:
        raise _missing(device, count)
    return f"cuda:{index}", "as requested", ""


def _missing(device: str, count: int) -> UsageError:
    """The error of a GPU that torch does not find: a build for CPUs sees none of the machine's."""
    expected = f"--device {device} needs a CUDA device"
    cuda: Any = torch.backends.cuda  # its functions have no types
    if cuda.is_built():
        found = f"torch {torch.__version__} finds {count} on this machine"
        return UsageError(expected, found, "use --device cpu")
    found = f"torch {torch.__version__} is built without CUDA"
    return UsageError(expected, found, "install a build with CUDA, or use --device cpu")


def _automatic(memory: int | None) -> tuple[str, str, str]:
    """The same of --device auto."""
    if TESTED_ON_GPU is None:
        return "cpu", "no release was tested on a GPU, --device cuda takes one", ""
    name, lacks = first_usable(free_memory, memory)
    reasons = "; ".join(lacks)
    if name:
        passed = "the first GPU with code in torch and free memory"
        return name, f"{passed} ({reasons})" if reasons else passed, ""
    if not reasons:
        return "cpu", "no CUDA device is available", ""
    return "cpu", "no GPU is taken", f"--device auto takes the CPU: {reasons}"


def free_memory(name: str) -> int:
    """Free bytes of a device; on the host what is available without swapping.

    Half of the installed memory where the system does not report what is available.
    """
    if name != "cpu":
        return int(torch.cuda.mem_get_info(name)[0])
    with suppress(OSError), open(MEMINFO, encoding="ascii") as info:
        for line in info:
            if line.startswith("MemAvailable"):
                kibibytes = int(line.split()[1])
                return kibibytes * 1024
    return _installed() // 2


def _installed() -> int:
    """Installed bytes of memory (all that macOS reports), 16 GiB where that is unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 16 << 30
