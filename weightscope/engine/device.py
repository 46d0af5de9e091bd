"""Which device measures, how much memory its buffers may take, how many workers, and the reason of each choice."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..errors import UsageError
from ..geometry import SEGMENT, TILE
from ..lazy import torch

MEMINFO = "/proc/meminfo"  # of Linux


@dataclass(frozen=True)
class Device:
    """A place to compute: tiles and segments follow from its kind, never from its memory."""

    name: str  # cpu, cuda:0
    budget: int  # bytes that buffers, states and held tensors may take together
    workers: int
    why: str

    @property
    def tile(self) -> int:
        """Elements of a tile: near the cache on a CPU, enough to fill a GPU."""
        return TILE if self.name == "cpu" else 1 << 24

    @property
    def segment(self) -> int:
        """Elements that one worker folds alone."""
        return SEGMENT if self.name == "cpu" else 1 << 28

    @property
    def stack(self) -> int:
        """Elements up to which equal small tensors are measured as one stack."""
        return 1 << 16 if self.name == "cpu" else 1 << 24


def choose(device: str = "auto", memory: int | None = None, threads: int | None = None) -> Device:
    """The device asked for, else the first GPU, else the CPU; a quarter of what is free, a worker a core."""
    name, why = _named(device)
    budget, said = (
        (memory, "as told") if memory else (free_memory(name) // 4, "a quarter of what is free")
    )
    workers = threads or _cores()
    reason = f"{name}: {why}; memory {budget / 2**20:.0f} MiB, {said}; {workers} workers"
    return Device(name, max(budget, 1), workers, reason)


def _cores() -> int:
    """Cores that this process may use; all of the machine where the system keeps no such set (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _named(device: str) -> tuple[str, str]:
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and not number.isdigit()):
        raise UsageError(
            "--device takes auto, cpu, cuda or cuda:N", f"found {device!r}", "name one of them"
        )
    if kind == "cpu":
        return "cpu", "as told"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "cuda" and int(number or 0) >= count:
        raise UsageError(
            f"--device {device} needs a CUDA device",
            f"this machine has {count}",
            "use --device cpu",
        )
    if count:
        return f"cuda:{int(number or 0)}", "as told" if kind == "cuda" else "a CUDA device is there"
    return "cpu", "no CUDA device is there"


def free_memory(name: str) -> int:
    """Bytes free on a device; on the host what can be had without swapping, else half of the installed memory."""
    if name != "cpu":
        return int(torch.cuda.mem_get_info(name)[0])
    try:
        with open(MEMINFO, encoding="ascii") as info:
            return next(
                int(line.split()[1]) * 1024 for line in info if line.startswith("MemAvailable")
            )
    except (OSError, StopIteration):
        return _installed() // 2


def _installed() -> int:
    """Bytes of memory that the machine has (macOS tells no more), 16 GiB where it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 16 << 30
