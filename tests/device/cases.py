"""What is measured on the pretended device and on real ones: every measure, type and layout."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import torch

from tests.device.taking import Stack, stack_of
from tests.sketches.conftest import EXAMPLES, PAIRED_EXAMPLES, numbers
from weightscope.dtypes import DTYPES
from weightscope.sketches import Beyond, Count, Cross, Overlap

Stacks = dict[str, Stack]
TYPES = [name for name, dtype in DTYPES.items() if dtype.kind != "none"]
LAYOUTS = {"rows": False, "columns": True}  # by name, whether matrices are column-major
FLOATS = ("F32", "BF16")
SHAPE = (12, 20)
PLANTED = (96, 48)  # as many columns as rows need to be parallel by no chance
LARGE = (260, 256)  # more elements than are counted by value

ALONE = [m for several in EXAMPLES.values() for m in several]
PAIRED = [m for several in PAIRED_EXAMPLES.values() for m in several] + [Overlap(), Cross()]
ALL = [*ALONE, *PAIRED]


def of_table(measure, turned: bool) -> Iterator[Stacks]:
    """Every type in one layout: a stack of a plain matrix, one with NaN and Inf, and zeros."""
    for dtype in TYPES:
        b = stack_of(dtype, SHAPE, turned, seed=1)
        if measure in PAIRED:
            yield beside(b, stack_of(dtype, SHAPE, turned, seed=2), turned)
        else:
            yield {"b": b}


def beside(b: Stack, a: Stack, turned: bool) -> Stacks:
    """A and B with a difference, in a type as differences have it."""
    bits = max(DTYPES[dtype].bits for _, dtype in (a, b))
    return {"a": a, "b": b, "delta": stack_of("F64" if bits > 32 else "F32", SHAPE, turned, seed=3)}


def of_other_types(measure) -> Iterator[Stacks]:
    """A of another type and, of every second one, in another layout than B and the difference."""
    for number, dtype in enumerate(TYPES):
        turned = bool(number % 2)
        a = stack_of(FLOATS[number % 2], SHAPE, seed=2)
        yield beside(stack_of(dtype, SHAPE, turned, seed=1), a, turned)


def of_large_matrices(measure) -> Iterator[Stacks]:
    """Wide types that are counted in bins, with subnormals, few values and zero lower halves."""
    for dtype in ("F32", "F64", "I32", "U32"):
        yield {"b": stack_of(dtype, LARGE, dtype == "F64")}
    stored, dtype = stack_of("F32", LARGE)
    yield {"b": (stored + 1e4, dtype)}  # a mean that is large beside the spread
    stored = stored.clone()
    stored[1] = stored[0].bfloat16().float()  # a bin has one value
    stored[2] = (4 * stored[0]).round()
    stored[0, 5] = 1e-40
    yield {"b": (stored, dtype)}


def planted(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A matrix with two sets of parallel rows, one of them with rows beside it, and equal rows."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, shape)
    one, other = rng.normal(size=(2, shape[1]))
    x[10:40] = 3 * one + np.geomspace(0.1, 2.5, 30)[:, None] * x[10:40]
    x[50:60] = 0.1 * x[50:60] - 2 * other
    x[62:65] = x[65]
    return x


def of_kinds(shape: tuple[int, int], seed: int = 0) -> Iterator[tuple[str, np.ndarray]]:
    """Matrices that take every way through the measures."""
    x = planted(shape, seed)
    yield "planted", x
    with_nan = x.copy()
    with_nan[0, :3] = np.nan, np.inf, -np.inf
    yield "NaN", with_nan
    yield "zeros", 0 * x
    yield "huge", 1e30 * x
    yield "few values", np.round(4 * x) / 4


@cache
def stacked(kind: str, shape: tuple[int, int], seed: int, dtype: str, many: int) -> Stack:
    """The same matrix of a kind several times; not to be changed."""
    x = dict(of_kinds(shape, seed))[kind]
    return numbers(dtype, np.stack([x] * many)), dtype


def stacks_of_kind(measure, kind: str, shape: tuple[int, int], dtype: str, many: int) -> Stacks:
    """Stacks of equal matrices of one kind."""
    b = stacked(kind, shape, 0, dtype, many)
    if measure not in PAIRED:
        return {"b": b}
    a = stacked(kind, shape, 1, dtype, many)
    delta = b[0].float() - a[0].float()
    return {"a": a, "b": b, "delta": (delta.to(torch.float32), "F32")}


def every() -> Iterator[tuple[object, Stacks]]:
    """All measures with all their cases."""
    for measure in ALL:
        for turned in LAYOUTS.values():
            for stacks in of_table(measure, turned):
                yield measure, stacks
    for measure in PAIRED:
        for stacks in of_other_types(measure):
            yield measure, stacks
    for measure in (Count(), Beyond()):
        for stacks in of_large_matrices(measure):
            yield measure, stacks
