"""What `--device auto` takes: the first GPU that torch has code for and that has free memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..lazy import torch

# bytes: the buffers have a quarter of it, which is enough for a matrix of 4096 x 4096
LEAST_FREE = 7 << 29


def first_usable(free: Callable[[str], int], memory: int | None) -> tuple[str, tuple[str, ...]]:
    """(the torch name of the first GPU that passes, "" for none; why those before it do not).

    `free` gives the free bytes of a device; `memory` is the limit that the options set. Asking for
    them opens the device, so one for which torch has no code is not asked.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    built = torch.cuda.get_arch_list() if count else []
    reasons: list[str] = []
    for index in range(count):
        name = f"cuda:{index}"
        reason = _lack(name, built, free, memory)
        if not reason:
            return name, tuple(reasons)
        reasons.append(f"{name} {reason}")
    return "", tuple(reasons)


def _lack(name: str, built: Sequence[str], free: Callable[[str], int], memory: int | None) -> str:
    """Why a GPU is not taken, "" for one that is."""
    try:
        capability = torch.cuda.get_device_capability(name)
        if not has_code(capability, built):
            major, minor = capability
            return f"has compute capability {major}.{minor}, torch is built for {' '.join(built)}"
        found = free(name)
    except RuntimeError as error:  # its driver or another program does not let it be opened
        return f"cannot be opened ({str(error).splitlines()[0]})"
    need = max(LEAST_FREE, memory or 0)
    if found < need:
        return f"has {found >> 20} MiB of free memory, needs {need >> 20}"
    return ""


def has_code(capability: tuple[int, int], built: Sequence[str]) -> bool:
    """Whether torch was built for a GPU of this compute capability.

    sm_XY runs on capabilities of the same X and no smaller Y, compute_XY on all that are no
    smaller (CUDA C++ Programming Guide, "Binary Compatibility" and "PTX Compatibility"). Names
    that end in a letter run on one capability alone, and builds have them beside others.

    >>> has_code((8, 6), ["sm_80"]), has_code((7, 0), ["sm_80", "compute_80"])
    (True, False)
    """
    for name in built:
        kind, _, digits = name.partition("_")
        if not digits.isdigit():
            continue
        major, minor = divmod(int(digits), 10)
        if kind == "sm" and capability[0] == major and capability[1] >= minor:
            return True
        if kind == "compute" and capability >= (major, minor):
            return True
    return False
