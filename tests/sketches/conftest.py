"""Sketches in tests: matrices of any type, folded over any tiling, compared bit for bit."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.plain import plain
from weightscope.dtypes import DTYPES
from weightscope.geometry import Box, long_side, whole
from weightscope.sketches import (
    MEASURES,
    SCHEMES,
    Again,
    Balanced,
    Changes,
    Count,
    Decompose,
    Duplicates,
    Factor,
    MarginSums,
    Pairwise,
    Quantise,
    RowSample,
    Scratch,
    SharedOutliers,
    Shuffled,
    TaskVectors,
    Tile,
    Top,
    TopChanges,
    Untrained,
)

OPTIONS = {  # measures with options: bare and with them, wrapping one and several
    MarginSums: (MarginSums(), MarginSums(extremes=True)),
    Balanced: (Balanced((Count(), MarginSums())), Balanced(())),
    Decompose: (
        Decompose(),
        Decompose(svd=True),
        Balanced((Decompose(),)),
        Shuffled(Decompose(), seed=2),
    ),
    Factor: (Factor(), Balanced((Factor(),))),
    Quantise: (Quantise(("int8",)), Quantise(tuple(SCHEMES))),
    Shuffled: (Shuffled(Count()), Shuffled(MarginSums(), seed=3), Shuffled(Balanced((Count(),)))),
    Top: (Top(1), Top(40), Balanced((Top(5),))),
    Duplicates: (Duplicates(), Shuffled(Duplicates())),
    Untrained: (Untrained(), Shuffled(Untrained())),
}
# Every other measure has no options: one example.
EXAMPLES = {measure: OPTIONS.get(measure) or (measure(),) for measure in MEASURES}
PAIRED_EXAMPLES = {  # every measure of several entries: A, B and D = B - A
    Pairwise: (Pairwise(),),
    Changes: (Changes(), Changes(counted=False)),
    RowSample: (RowSample(),),
    TopChanges: (TopChanges(1, ("a", "b")), TopChanges(40, ("a", "b"))),
    TaskVectors: (TaskVectors(("a",)), TaskVectors(("a", "a"))),
    SharedOutliers: (SharedOutliers(("a",)),),
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


def matrices(
    dtype: str, shape: tuple[int, int], seed: int, flavour: str, stack: int = 1
) -> torch.Tensor:
    """A stack of matrices: any bit patterns, or numbers with one property."""
    size = (stack, *shape)
    if flavour == "bits" or DTYPES[dtype].kind != "float":
        return bits(dtype, size, seed)
    x = np.random.default_rng(seed).normal(0.5, 1.0, size)
    x = {
        "zero": 0 * x,
        "nan": x * np.nan,
        "tiny": 1e-30 * x,
        "outlier": np.where(np.arange(shape[1]) == 0, 1e4 * x, x),
    }.get(flavour, x)
    return numbers(dtype, x)


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


def difference(pair) -> torch.Tensor:
    """B - A in float64, in the layout of A; `pair` is stored A, its type, stored B, its type."""
    a, of_a, b, of_b = pair
    with np.errstate(invalid="ignore", over="ignore"):
        d = torch.from_numpy(values(of_b, b) - values(of_a, a))
    return d if a.stride(-1) == 1 else d.mT.contiguous().mT


def start_pair(measure, pair):
    """The state of a measure of several entries before any tile."""
    a, _, _, of_b = pair
    return measure.start(len(a), tuple(a.shape[1:]), of_b, "cpu")


def add_pair(measure, state, pair, box: Box, axis: int = 0, scratches=None):
    """The state after one box more; TopChanges is taken of D, the other measures of B."""
    a, of_a, b, of_b = pair
    scratches = scratches or {label: Scratch() for label in ("a", "b", "delta")}
    one = tile(a, of_a, box, axis, scratches["a"])
    other = tile(b, of_b, box, axis, scratches["b"])
    if not isinstance(measure, TopChanges):
        other.beside = {"a": one}
        return measure.add(state, other)
    delta = tile(difference(pair), "F64", box, axis, scratches["delta"])
    delta.beside = {"a": one, "b": other}
    return measure.add(state, delta)


def take_pair(measure, pair, axis=0, cuts=()):
    """All passes of a measure of several entries over one tiling."""
    shape = tuple(pair[0].shape[1:])
    scratches = {label: Scratch() for label in ("a", "b", "delta")}
    state = start_pair(measure, pair)
    for _ in range(2):
        for box in boxes(shape, axis, list(cuts)):
            state = add_pair(measure, state, pair, box, axis, scratches)
        result = measure.finish(state)
        if not isinstance(result, Again):
            return result
        state = result.state
    raise AssertionError("the passes do not end")


def held(x, seen=None) -> int:
    """Bytes of all tensors and arrays of a state, each storage once."""
    seen = {} if seen is None else seen
    if isinstance(x, torch.Tensor):
        storage = x.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
    elif isinstance(x, np.ndarray):
        seen[x.__array_interface__["data"][0]] = x.nbytes
    elif isinstance(x, dict | list | tuple):
        for part in x.values() if isinstance(x, dict) else x:
            held(part, seen)
    elif dataclasses.is_dataclass(x):
        held([getattr(x, field.name) for field in dataclasses.fields(x)], seen)
    return sum(seen.values())


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    """The helpers of this folder under one name."""
    return SimpleNamespace(
        EXAMPLES=EXAMPLES,
        PAIRED_EXAMPLES=PAIRED_EXAMPLES,
        FLOAT8=FLOAT8,
        FOUR=FOUR,
        bits=bits,
        numbers=numbers,
        values=values,
        tile=tile,
        boxes=boxes,
        take=take,
        difference=difference,
        start_pair=start_pair,
        add_pair=add_pair,
        take_pair=take_pair,
        matrices=matrices,
        held=held,
        plain=plain,
    )


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """One thread, as in every worker."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
