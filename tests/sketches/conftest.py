"""Sketches in tests: matrices of any type, folded over any tiling, compared bit for bit."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.plain import plain
from weightscope.dtypes import DTYPES
from weightscope.geometry import Box, long_side, whole
from weightscope.sketches import (
    SCHEMES,
    Again,
    Balanced,
    Beyond,
    Count,
    Decompose,
    Factor,
    Groups,
    Hashes,
    Lines,
    Quantise,
    Scratch,
    Shuffled,
    Tile,
    Top,
    Twins,
    Untrained,
)

EXAMPLES = {  # every measure, bare and with its options, wrapping one and several
    Count: (Count(),),
    Lines: (Lines(), Lines(extremes=True)),
    Beyond: (Beyond(),),
    Balanced: (Balanced((Count(), Lines())), Balanced(())),
    Decompose: (
        Decompose(),
        Decompose(svd=True),
        Balanced((Decompose(),)),
        Shuffled(Decompose(), seed=2),
    ),
    Factor: (Factor(), Balanced((Factor(),))),
    Groups: (Groups(),),
    Hashes: (Hashes(),),
    Quantise: (Quantise(("int8",)), Quantise(tuple(SCHEMES))),
    Shuffled: (Shuffled(Count()), Shuffled(Lines(), seed=3), Shuffled(Balanced((Count(),)))),
    Top: (Top(1), Top(40), Balanced((Top(5),))),
    Twins: (Twins(), Shuffled(Twins())),
    Untrained: (Untrained(), Shuffled(Untrained())),
}
FLOAT8 = {
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E8M0": torch.float8_e8m0fnu,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
}
FOUR = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])


def bits(dtype: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Any bit pattern at all, NaN and Inf among them, in the storage type."""
    kind, rng = DTYPES[dtype], np.random.default_rng(seed)
    if kind.bits < 8:
        return torch.from_numpy(rng.integers(0, 1 << kind.bits, shape, np.uint8))
    raw = np.frombuffer(
        rng.bytes(int(np.prod(shape)) * kind.bits // 8), f"i{kind.bits // 8}"
    ).reshape(shape)
    return torch.from_numpy(raw.copy()).view(getattr(torch, kind.store))


def numbers(dtype: str, values: np.ndarray) -> torch.Tensor:
    """float64 values rounded to a float type, as it is stored."""
    x = torch.from_numpy(values)
    return (
        x.float().to(FLOAT8[dtype]).view(torch.uint8)
        if dtype in FLOAT8
        else x.to(getattr(torch, DTYPES[dtype].store))
    )


def values(dtype: str, stored: torch.Tensor) -> np.ndarray:
    """The values of the stored words, by the conversions of torch and numpy."""
    if dtype in FLOAT8:
        return stored.view(FLOAT8[dtype]).float().double().numpy()
    if dtype == "F4":
        return FOUR[stored.numpy()]
    raw, kind = stored, DTYPES[dtype].kind
    if kind == "float":
        return raw.double().numpy()
    plain = raw.numpy()
    return (
        (plain != 0).astype(float)
        if kind == "bool"
        else plain.view(f"{'u' if kind == 'uint' else 'i'}{plain.itemsize}").astype(float)
    )


def tile(
    stored: torch.Tensor, dtype: str, box: Box, axis: int = 0, scratch: Scratch | None = None
) -> Tile:
    """The tile of a box of (b, m, n), as a worker creates it."""
    part = stored[:, slice(*box.rows), slice(*box.cols)]
    return Tile(part, dtype, box, tuple(stored.shape[1:]), axis, scratch or Scratch())


def boxes(shape: tuple[int, int], axis: int, cuts: list[int]) -> list[Box]:
    """A tiling whose borders are `cuts` along `axis`."""
    edges = [0, *sorted(min(c, shape[axis]) for c in cuts), shape[axis]]
    spans = list(pairwise(edges))
    return [Box(s, (0, shape[1])) if axis == 0 else Box((0, shape[0]), s) for s in spans]


def take(measure, stored, dtype, axis=0, cuts=()):
    """All passes of a measure over one tiling."""
    state = measure.start(stored.shape[0], tuple(stored.shape[1:]), dtype, "cpu")
    shape, scratch = tuple(stored.shape[1:]), Scratch()
    axis = long_side(shape) if measure.cut == "long" else axis
    for _ in range(300):
        for box in [whole(shape)] if measure.cut == "whole" else boxes(shape, axis, list(cuts)):
            state = measure.add(state, tile(stored, dtype, box, axis, scratch))
        result = measure.finish(state)
        if not isinstance(result, Again):
            return result
        state = result.state
    raise AssertionError("the passes do not end")


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    """The helpers of this folder under one name."""
    names = (EXAMPLES, FLOAT8, FOUR)
    examples, float8, four = names
    return SimpleNamespace(
        EXAMPLES=examples,
        FLOAT8=float8,
        FOUR=four,
        bits=bits,
        numbers=numbers,
        values=values,
        tile=tile,
        boxes=boxes,
        take=take,
        plain=plain,
    )


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """One thread, as in every worker."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
