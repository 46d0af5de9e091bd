"""Float32 products with all digits, whatever precision the caller of the functions has allowed.

TF32 has 10 bits of the fraction and bfloat16 has 7: a caller may allow them for all products of the
process, and a run then has other digits. Since torch 2.9 there are two ways to set them. The older
one, `set_float32_matmul_precision`, writes what the newer one, `fp32_precision`, reads; after the
newer one was used the older one raises, so it is called only where it is alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..lazy import torch

LOSSY = ("tf32", "bf16")
Undo = list[Callable[[], object]]

_lock = threading.Lock()
_runs = 0  # how many need exact products: the settings are those of the process
_undo: Undo = []


@contextmanager
def exact_products() -> Iterator[None]:
    """Turns TF32 and bfloat16 off for float32 products until the last run of several ends."""
    _begin()
    try:
        yield
    finally:
        _end()


def _begin() -> None:
    global _runs
    with _lock:
        if not _runs:
            _undo[:] = _made_exact()
        _runs += 1


def _end() -> None:
    global _runs
    with _lock:
        _runs -= 1
        if not _runs:
            for restore in _undo:
                restore()


def _made_exact() -> Undo:
    """What restores the settings of the caller."""
    # before torch 2.9; there a caller can give other places an attribute of this name, not this one
    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        return [partial(torch.set_float32_matmul_precision, before)]
    undo: Undo = []
    for setting in _settings():
        value = setting.fp32_precision
        if value in LOSSY:
            setting.fp32_precision = "ieee"
            undo.append(partial(setattr, setting, "fp32_precision", value))
    return undo


def _settings() -> tuple[Any, ...]:
    """Settings of products, each after those whose value it has where it has none of its own.

    So a value is read where it was set. The setter of torch.backends.mkldnn writes that of
    torch.backends, and is left out.
    """
    backends: Any = torch.backends
    return backends, backends.cudnn, backends.cuda.matmul, backends.mkldnn.matmul
