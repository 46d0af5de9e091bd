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


@pytest.fixture(scope="module", autouse=True)
def as_in_a_worker():
    """Measures are taken by threads that record no gradients."""
    with torch.no_grad():
        yield


OPTIONS = {  # measures with options: bare and with them, wrapping one and several
    MarginSums: (MarginSums(), MarginSums(extremes=True)),
    Balanced: (Balanced((Count(), MarginSums(), Top(5))), Balanced(())),
    Decompose: (
        Decompose(),
        Decompose(svd=True),
        Balanced((Decompose(),)),
        Shuffled(Decompose(), seed=2),
    ),
    Factor: (Factor(), Balanced((Factor(),))),
    Quantise: (Quantise(("int8",)), Quantise(tuple(SCHEMES))),
    Shuffled: (Shuffled(Count()), Shuffled(MarginSums(), seed=3), Shuffled(Balanced((Count(),)))),
    Top: (Top(1), Top(40)),
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
    return take_all([measure], stored, dtype, axis, cuts)[0]


def take_all(measures, stored, dtype, axis=0, cuts=()):
    """The results of several measures; those of one cut see the same tiles, as in a worker."""
    results = {}
    for cut in {measure.cut for measure in measures}:
        alike = [measure for measure in measures if measure.cut == cut]
        results |= _of_one_cut(alike, cut, stored, dtype, axis, cuts)
    return [results[measure] for measure in measures]


def _of_one_cut(measures, cut, stored, dtype, axis, cuts):
    shape, scratch = tuple(stored.shape[1:]), Scratch()
    axis = long_side(shape) if cut == "long" else axis
    tiling = [whole(shape)] if cut == "whole" else boxes(shape, axis, list(cuts))
    states = {m: m.start(stored.shape[0], shape, dtype, "cpu") for m in measures}

    def shown(box):
        return tile(stored, dtype, box, axis, scratch), None

    return all_passes(states, shown, tiling)


def all_passes(states, shown, tiling):
    """The result of every measure; `shown` gives the tile of a box, and that of the difference."""
    results = {}
    for _ in range(300):
        for box in tiling:
            seen, delta = shown(box)
            states = {m: m.add(states[m], delta if of_delta(m) else seen) for m in states}
        finished = {m: m.finish(states[m]) for m in states}
        states = {m: end.state for m, end in finished.items() if isinstance(end, Again)}
        results |= {m: end for m, end in finished.items() if m not in states}
        if not states:
            return results
    raise AssertionError("the passes do not end")


def of_delta(measure) -> bool:
    """Whether a measure is taken of D = B - A, and not of B."""
    return isinstance(measure, TopChanges)


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


def facing(pair, axis=0, delta=None):
    """A function of a box: the tile of B beside that of A, and the tile of D beside both."""
    a, of_a, b, of_b = pair
    scratches = [Scratch() for _ in range(3)]

    def shown(box):
        one = tile(a, of_a, box, axis, scratches[0])
        other = tile(b, of_b, box, axis, scratches[1])
        other.beside = {"a": one}
        if delta is None:
            return other, None
        changed = tile(delta, "F64", box, axis, scratches[2])
        changed.beside = {"a": one, "b": other}
        return other, changed

    return shown


def add_pair(measure, state, pair, box: Box, axis: int = 0):
    """The state after one box more; TopChanges is taken of D, the other measures of B."""
    if of_delta(measure):
        return measure.add(state, facing(pair, axis, difference(pair))(box)[1])
    return measure.add(state, facing(pair, axis)(box)[0])


def take_pair(measure, pair, axis=0, cuts=()):
    """All passes of a measure of several entries over one tiling."""
    return take_pairs([measure], pair, axis, cuts)[0]


def take_pairs(measures, pair, axis=0, cuts=()):
    """The results of several measures of the same tiles, as in a worker."""
    tiling = boxes(tuple(pair[0].shape[1:]), axis, list(cuts))
    delta = difference(pair) if any(of_delta(measure) for measure in measures) else None
    states = {measure: start_pair(measure, pair) for measure in measures}
    results = all_passes(states, facing(pair, axis, delta), tiling)
    return [results[measure] for measure in measures]


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
        take_all=take_all,
        difference=difference,
        start_pair=start_pair,
        add_pair=add_pair,
        take_pair=take_pair,
        take_pairs=take_pairs,
        facing=facing,
        of_delta=of_delta,
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
