"""Too little memory: how libraries report it, the message for it, and a limit too low to begin.

The system, the loader of shared libraries, torch's allocators and the libraries of CUDA each have
errors of their own. torch raises OutOfMemoryError for its own memory of a GPU alone: what cuBLAS,
cuSOLVER or the driver lack is a RuntimeError, and its text alone tells it from a fault.

Under a limit of the address space the C library may abort the process while torch loads, which
nothing can catch; hence the check before.
"""

from __future__ import annotations

import errno
import re
from importlib import import_module

from .errors import WeightscopeError

LEAST = 640 << 20  # bytes of address space below which torch for CPUs does not load
MIB = 1 << 20
CAUSES = 20  # of an error that are looked at
_GPU = re.compile(r"\bCUDA |\bcudaError|\bCU[A-Z]+_STATUS_")
_SIGNS = re.compile(
    r"failed to map segment|cannot allocate memory|can't allocate memory|not enough memory"
    r"|out of memory|can't start new thread|bad_alloc|cannot apply additional memory protection"
    r"|unable to allocate|ENOMEM"
    # CUBLAS_STATUS_ALLOC_FAILED, CUSOLVER_, CUSPARSE_, CUDNN_, CURAND_STATUS_ALLOCATION_FAILED;
    # NOT_INITIALIZED, INTERNAL_ERROR and EXECUTION_FAILED have other causes too, and are faults
    r"|_ALLOC(ATION)?_FAILED|cudaErrorMemoryAllocation",
    re.IGNORECASE,
)


class LimitedMemory(WeightscopeError):
    """The process may use less memory than loading torch takes."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that caused it, reports too little memory of the host or of a GPU.

    >>> is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    True
    """
    return cause_of(error) is not None


def cause_of(error: BaseException) -> BaseException | None:
    """The first error that reports too little memory among an error and its causes."""
    chain: BaseException | None = error
    for _ in range(CAUSES):
        if chain is None or _reports(chain):
            return chain
        chain = chain.__cause__ or chain.__context__
    return None


def _reports(error: BaseException) -> bool:
    """Whether this error itself reports it."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOMEM  # the text names a file, whatever it is called
    # a message of the project may quote any file; those of libraries are their own
    is_foreign = isinstance(error, ImportError | OSError | RuntimeError)
    return is_foreign and _SIGNS.search(str(error)) is not None


def report(error: BaseException) -> str:
    """The message for too little memory: the cause, and what to lower."""
    found = cause_of(error) or error
    cause = str(found) or type(found).__name__
    # CUDA adds lines about its own debugging
    reason = cause.splitlines()[0]
    if _GPU.search(cause):
        return f"out of memory: {reason}; lower --memory, or use --device cpu"
    limit = address_limit()
    if limit is None:
        return f"out of memory: {reason}; lower --memory or --threads"
    return (
        f"out of memory: {reason}; lower --memory or --threads, or raise the limit of the address "
        f"space (`ulimit -v`), which is {limit // MIB} MiB"
    )


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
