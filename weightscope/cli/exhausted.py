"""Too little memory, in whatever form a library reports it, and a limit that is too low to begin.

The loader of shared libraries, torch's allocators and the system each have errors of their own.
Under a limit of the address space the C library may abort the process while torch loads, which
nothing can catch; hence the check before.
"""

from __future__ import annotations

import errno
import re
from importlib import import_module

from ..errors import WeightscopeError

LEAST = 640 << 20  # bytes of address space below which torch for CPUs does not load
MIB = 1 << 20
_SIGNS = re.compile(
    r"failed to map segment|cannot allocate memory|can't allocate memory|not enough memory"
    r"|out of memory|can't start new thread|bad_alloc|cannot apply additional memory protection"
    r"|unable to allocate|ENOMEM",
    re.IGNORECASE,
)


class LimitedMemory(WeightscopeError):
    """The process may use less memory than loading torch takes."""


def check_limit() -> None:
    """Refuses to measure under a limit of the address space that torch does not fit in."""
    limit = address_limit()
    if limit is not None and limit < LEAST:
        raise LimitedMemory(
            f"too little memory: expected at least {LEAST // MIB} MiB of address space",
            f"found a limit of {limit // MIB} MiB",
            "raise it (`ulimit -v`, RLIMIT_AS); `weightscope ls` needs less",
        )


def address_limit() -> int | None:
    """The limit of the address space of this process in bytes, None without one."""
    try:
        resource = import_module("resource")  # not on every system
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    return int(limit)


def is_exhausted(error: BaseException) -> bool:
    """Whether an error, or one that caused it, reports too little memory."""
    chain: BaseException | None = error
    for _ in range(20):
        if chain is None:
            return False
        if isinstance(chain, MemoryError) or getattr(chain, "errno", None) == errno.ENOMEM:
            return True
        # a message of the project may quote any file; those of libraries are their own
        is_foreign = isinstance(chain, ImportError | OSError | RuntimeError)
        if is_foreign and _SIGNS.search(str(chain)):
            return True
        chain = chain.__cause__ or chain.__context__
    return False


def report(error: BaseException) -> str:
    """The message for too little memory."""
    limit = address_limit()
    if limit is None:
        return f"out of memory: {error}; lower --memory or --threads"
    return (
        f"out of memory: {error}; lower --memory or --threads, or raise the limit of the address "
        f"space (`ulimit -v`), which is {limit // MIB} MiB"
    )
