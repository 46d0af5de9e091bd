"""Measures taken of the same matrices on the CPU and on the pretended device, and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache

import numpy as np
import torch

from tests.device import streams
from tests.device.pretended import NAME, Log, Pretended
from tests.sketches.conftest import FLOAT8, bits, numbers
from weightscope.dtypes import DTYPES
from weightscope.geometry import long_side, whole
from weightscope.sketches import (
    Again,
    PairMoments,
    PowerSums,
    Scratch,
    Tile,
    TopChanges,
    VectorProducts,
)

Stack = tuple[torch.Tensor, str]  # (b, rows, columns) as stored, and its type
PASSES = 300  # more than any measure takes
CLOSE = 1e-5  # of float32 sums, relative to the largest number of an array


@cache
def stack_of(dtype: str, shape: tuple[int, int], turned: bool = False, seed: int = 0) -> Stack:
    """An ordinary matrix, one with NaN and Inf where the type has them, and one of zeros.

    Not to be changed.
    """
    size = (3, *shape)
    if DTYPES[dtype].kind == "float" or dtype in FLOAT8:
        x = np.random.default_rng(seed).normal(0.5, 1.0, size)
        x[1, 0, :3] = np.nan, np.inf, -np.inf
        stored = numbers(dtype, x)
    else:
        stored = bits(dtype, size, seed)
    stored[2] = 0
    if turned:
        stored = stored.mT.contiguous().mT
    return stored, dtype


def on_cpu(measure, stacks: Mapping[str, Stack]):
    """The sketches of the stack "b", or of "delta", beside the others."""
    return _taken(measure, stacks, "cpu")


def on_device(measure, stacks: Mapping[str, Stack], log: Log):
    """The same on the pretended device, which is the current one as in its worker."""
    before = streams.current_device()
    streams.set_device(NAME)
    try:
        with Pretended(log, streams):
            there = {label: (stored.to(NAME), dtype) for label, (stored, dtype) in stacks.items()}
            return _taken(measure, there, NAME, log)
    finally:
        streams.set_device(before)


def on_real(measure, stacks: Mapping[str, Stack], device: str):
    """The same on a device of this machine."""
    there = {label: (stored.to(device), dtype) for label, (stored, dtype) in stacks.items()}
    return _taken(measure, there, device)


def _taken(measure, stacks: Mapping[str, Stack], device: str, log: Log | None = None):
    scratches = {label: Scratch(device) for label in stacks}
    main = "delta" if isinstance(measure, TopChanges) else "b"
    stored, dtype = stacks[main]
    shape = tuple(stored.shape[1:])
    state = measure.start(len(stored), shape, dtype, device)
    axis = long_side(shape) if measure.cut == "long" else 0
    for number in range(PASSES):
        tiles = {}
        for label, (x, of) in stacks.items():
            tiles[label] = Tile(x, of, whole(shape), shape, axis, scratches[label])
        tiles[main].beside = {label: one for label, one in tiles.items() if label != main}
        state = measure.add(state, tiles[main])
        result = measure.finish(state)
        if log is not None:
            log.passes = number + 1
        if not isinstance(result, Again):
            return result
        state = result.state
    raise AssertionError("the passes do not end")


def differences(a, b, path: str = "") -> list[str]:
    """Where two sketches differ: integers at all, other numbers beyond their tolerance."""
    if isinstance(a, PowerSums):
        a, b = (np.array([x.n, x.mean, x.std]) for x in (a, b))
    if is_dataclass(a):
        return _of_parts(_parts(a), _parts(b), f"{path} {type(a).__name__}")
    if isinstance(a, Mapping):
        return _of_parts(a, b, path)
    if isinstance(a, list | tuple):
        return _of_parts(dict(enumerate(a)), dict(enumerate(b)), path)
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype.kind == "f":
        return [] if _is_close(x, y) else [f"{path}: {a} {b}"]
    same = x.shape == y.shape and bool((x == y).all())
    return [] if same else [f"{path}: {a} {b}"]


def _parts(record) -> dict[str, object]:
    """The fields; of a mean and what its rounding takes the sum."""
    parts = {f.name: getattr(record, f.name) for f in fields(record)}
    if isinstance(record, PairMoments | VectorProducts):
        for name in [name for name in parts if name.startswith("low")]:
            parts[name.replace("low", "means" if name == "low" else "mean")] += parts.pop(name)
    return parts


def _of_parts(a: Mapping, b: Mapping, path: str) -> list[str]:
    if list(a) != list(b):
        return [f"{path}: {list(a)} {list(b)}"]
    return [found for key in a for found in differences(a[key], b[key], f"{path}.{key}")]


def _is_close(x: np.ndarray, y: np.ndarray) -> bool:
    if x.shape != y.shape:
        return False
    if x.dtype == y.dtype and x.tobytes() == y.tobytes():
        return True
    finite = np.isfinite(x)
    if not np.array_equal(np.where(finite, 0, x), np.where(np.isfinite(y), 0, y), equal_nan=True):
        return False
    largest = np.abs(x[finite]).max(initial=0.0)
    with np.errstate(over="ignore"):
        return bool(np.all(np.abs(x[finite] - y[finite]) <= CLOSE * largest))
