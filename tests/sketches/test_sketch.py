"""The laws of measures, run on every member of MEASURES by presence."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.dtypes import DTYPES
from weightscope.geometry import long_side, whole
from weightscope.sketches import (
    MEASURES,
    Again,
    Count,
    Factor,
    MarginSums,
    Shuffled,
    balanced,
    count,
    few_values,
)

HELD = [name for name, kind in DTYPES.items() if kind.kind != "none"]
FLOATS = ["F64", "F32", "F16", "BF16", "F8_E4M3"]
shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))
cuttings = st.lists(st.integers(0, 24), max_size=5)


flavours = st.sampled_from(["bits", "normal", "zero", "nan", "tiny", "outlier"])


def test_every_measure_has_examples(lab) -> None:
    """A measure that joins the list joins the laws."""
    assert set(lab.EXAMPLES) == set(MEASURES)


@pytest.fixture(params=["as told", "bins"])
def ways(request, monkeypatch):
    """Small wide tensors counted by value, and in bins as large ones are."""
    if request.param == "bins":
        monkeypatch.setattr(count, "EXACT", -1)
        monkeypatch.setattr(few_values, "FEW", -1)


@pytest.fixture
def few_sweeps(monkeypatch):
    """Half of the matrices of numbers settle in so many; bit patterns never do, and take all."""
    monkeypatch.setattr(balanced, "SWEEPS", 12)


@pytest.fixture
def three_sweeps(monkeypatch):
    """A first sweep, one after another and the last: the states of all others have their sizes."""
    monkeypatch.setattr(balanced, "SWEEPS", 3)


def examples(lab, counting=False):
    """Every example, or those that count values: of them alone bins are another way."""
    return [m for ms in lab.EXAMPLES.values() for m in ms if not counting or "Count(" in repr(m)]


def close(a, b) -> None:
    """Counts and cells equal, sums to the rounding of their type."""
    if hasattr(a, "power"):
        for name in ("low", "high", "value", "counts"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name
        plain = (
            "exact",
            "zeros",
            "subnormals",
            "inf",
            "nan",
            "minimum",
            "maximum",
            "coarse",
            "noncanonical",
        )
        for name in (*plain, "first_nonfinite"):
            assert getattr(a, name) == getattr(b, name), name
        assert a.power.n == b.power.n
        if a.power.n and np.isfinite(a.power.s4) and np.isfinite(b.power.s4) and a.maximum < 1e60:
            near = 1e-9 if a.exact else 1e-6
            assert a.power.mean == pytest.approx(b.power.mean, rel=1e-12, abs=near * a.power.std)
            assert a.power.std == pytest.approx(
                b.power.std, rel=near, abs=1e-12 * abs(a.power.mean)
            )
    else:
        for side in ("rows", "cols"):
            for field, x in getattr(a, side).items():
                size = (
                    np.sqrt(getattr(a, side)["squares"] * len(x)) if field == "sum" else np.abs(x)
                )
                assert np.allclose(
                    x,
                    getattr(b, side)[field],
                    rtol=0,
                    atol=1e-5 * np.max(size, initial=0, where=np.isfinite(size)),
                ), field
        assert np.allclose(
            a.lag, b.lag, equal_nan=True, rtol=0, atol=1e-5 * a.rows["squares"].sum()
        )


@pytest.mark.usefixtures("ways")
@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from(HELD),
    shape=shapes,
    cuts=cuttings,
    axis=st.sampled_from([0, 1]),
    flavour=flavours,
    seed=st.integers(0, 99),
)
def test_any_tiling_and_any_grouping_give_the_whole(
    lab, data, dtype, shape, cuts, axis, flavour, seed
) -> None:
    """Tiles folded apart and merged in any grouping give the whole; empty states change nothing."""
    stored = lab.matrices(dtype, shape, seed, flavour)
    for measure in (Count(), MarginSums(), MarginSums(extremes=True)):
        values = lab.values(dtype, stored)
        finite = np.where(np.isfinite(values), values, 0)
        in_range = 1e-60 < np.abs(finite).max(initial=1) < 1e60
        if isinstance(measure, MarginSums) and not in_range:
            continue  # squares of such float64 values leave its range
        states = []
        for box in lab.boxes(shape, axis, cuts):
            empty = measure.start(1, shape, dtype, "cpu")
            states.append(measure.add(empty, lab.tile(stored, dtype, box, axis)))
        while len(states) > 1:
            i = data.draw(st.integers(0, len(states) - 2))
            states[i : i + 2] = [measure.merge(states[i], states[i + 1])]
        nothing = measure.start(1, shape, dtype, "cpu")
        whole_ = lab.take(measure, stored, dtype)[0]
        close(measure.finish(measure.merge(nothing, states[0]))[0], whole_)


@settings(max_examples=30, deadline=None)
@given(
    dtype=st.sampled_from(HELD),
    shape=shapes,
    cuts=cuttings,
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_counting_does_not_care_for_order(lab, dtype, shape, cuts, seed, data) -> None:
    """Tiles in any order give the same counts."""
    stored, measure = lab.bits(dtype, (1, *shape), seed), Count()
    state = measure.start(1, shape, dtype, "cpu")
    for box in data.draw(st.permutations(lab.boxes(shape, 0, cuts))):
        state = measure.add(state, lab.tile(stored, dtype, box))
    close(measure.finish(state)[0], lab.take(measure, stored, dtype)[0])


@pytest.mark.usefixtures("ways", "few_sweeps")
@settings(max_examples=8, deadline=None)
@given(
    dtype=st.sampled_from(HELD),
    shape=shapes,
    cuts=cuttings,
    axis=st.sampled_from([0, 1]),
    stack=st.integers(2, 3),
    flavour=flavours,
    seed=st.integers(0, 99),
)
def test_a_stack_equals_each_alone(lab, dtype, shape, cuts, axis, stack, flavour, seed) -> None:
    """finish(fold(stack))[i] == finish(fold(stack[i:i+1]))[0], bit for bit."""
    stored = lab.matrices(dtype, shape, seed, flavour, stack)
    measures = examples(lab, counting=count.EXACT < 0)
    each_alone(lab, measures, stored, dtype, axis, cuts)


def each_alone(lab, measures, stored, dtype, axis, cuts) -> None:
    """The results of a stack are those of each of its matrices."""
    together = lab.take_all(measures, stored, dtype, axis, cuts)
    for i in range(len(stored)):
        alone = lab.take_all(measures, stored[i : i + 1].clone(), dtype, axis, cuts)
        for measure, several, one in zip(measures, together, alone, strict=True):
            assert lab.plain(several[i]) == lab.plain(one[0]), measure


@pytest.mark.parametrize("shape", [(17, 1001), (129, 257), (1, 5001), (5001, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_stack_of_matrices_with_odd_sides_equals_each_alone(lab, shape, axis) -> None:
    """Sides that fill no vector register and start at any address change no bit."""
    stored = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
    each_alone(lab, examples(lab), stored, "F32", axis, (8, 16, 64))


@pytest.mark.usefixtures("ways")
@settings(max_examples=25, deadline=None)
@given(
    dtype=st.sampled_from(FLOATS),
    shape=shapes,
    cuts=cuttings,
    axis=st.sampled_from([0, 1]),
    flavour=st.sampled_from(["normal", "zero", "outlier"]),
    seed=st.integers(0, 99),
)
def test_the_layout_does_not_matter(lab, dtype, shape, cuts, axis, flavour, seed) -> None:
    """A matrix stored column-major is the same matrix."""
    stored = lab.matrices(dtype, shape, seed, flavour)
    turned = stored.mT.contiguous().mT
    for measure in (Count(), MarginSums(), MarginSums(extremes=True), Shuffled(Count())):
        close(
            lab.take(measure, turned, dtype, axis, cuts)[0],
            lab.take(measure, stored, dtype, axis, cuts)[0],
        )
    assert lab.plain(lab.take(Shuffled(MarginSums()), turned, dtype)) == lab.plain(
        lab.take(Shuffled(MarginSums()), stored, dtype)
    )


@pytest.mark.parametrize("dtype", HELD)
def test_every_measure_accepts_degenerate_matrices(lab, dtype) -> None:
    """Empty, one element, one row, one column, of every type."""
    for shape in [(0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1)]:
        stored = lab.bits(dtype, (2, *shape), 5)
        measures = examples(lab)
        for measure, records in zip(measures, lab.take_all(measures, stored, dtype), strict=True):
            assert len(records) == 2, (measure, shape)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_measure_survives_one_value_everywhere(lab, dtype) -> None:
    """All NaN, all infinite, all zero, all equal."""
    for value in (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0):
        stored = lab.numbers(dtype, np.full((2, 9, 9), value))
        measures = examples(lab)
        every = lab.take_all(measures, stored, dtype, cuts=(4,))
        for measure, records in zip(measures, every, strict=True):
            assert len(records) == 2, (measure, value)


def test_measures_are_identified_by_their_options(lab) -> None:
    """Equal options are the same measure: equal, of one hash, of one repr."""
    for measure in examples(lab):
        twin = eval(repr(measure), {m.__name__: m for m in MEASURES})
        assert twin == measure
        assert hash(twin) == hash(measure)
        assert repr(twin) == repr(measure)


def test_a_measure_declares_cut_passes_and_bytes(lab) -> None:
    """State sizes are positive and grow with the matrix; `one` pass means no second."""
    for measure in examples(lab):
        assert 0 < measure.bytes((8, 8)) <= measure.bytes((800, 800))
        state = measure.start(1, (3, 3), "F32", "cpu")
        state = measure.add(state, lab.tile(torch.randn(1, 3, 3), "F32", whole((3, 3))))
        assert measure.passes == "more" or not isinstance(measure.finish(state), Again)


def largest(lab, measure, stored, dtype, axis) -> int:
    """Largest bytes of the state: after start, after each of two tiles, between passes."""
    shape = tuple(stored.shape[1:])
    axis = long_side(shape) if measure.cut == "long" else axis
    boxes = [whole(shape)] if measure.cut == "whole" else lab.boxes(shape, axis, [shape[axis] // 2])
    state = measure.start(1, shape, dtype, "cpu")
    sizes = [lab.held(state)]
    while True:
        for box in boxes:
            state = measure.add(state, lab.tile(stored, dtype, box, axis))
            sizes.append(lab.held(state))
        result = measure.finish(state)
        if not isinstance(result, Again):
            return max(sizes)
        state = result.state
        sizes.append(lab.held(state))


def most_held(lab, measure, shape, odd) -> int:
    """Over narrow and wide types, either cut, and rows that differ or are all alike.

    Half of the combinations, those of an odd or of an even sum: every two choices meet.
    """
    rng = np.random.default_rng(0)
    row = rng.normal(size=shape[1])
    matrices = (rng.normal(size=shape), np.ones(shape) * row)
    types = ("F64", "F32", "BF16", "F8_E4M3")
    axes = (
        (0,) if measure.cut == "long" else (0, 1)
    )  # it is cut along its long side, whatever the tiles
    runs = product(enumerate(matrices), enumerate(types), axes)
    return max(
        largest(lab, measure, lab.numbers(dtype, w[None]), dtype, axis)
        for (i, w), (j, dtype), axis in runs
        if (i + j + axis) % 2 == odd
    )


IN_FLOAT64 = (
    "Factor()",
    "Decompose(svd=True)",
)  # measures that copy the whole matrix, which is not in their state
TABLES = 1 << 20  # bytes of histograms and tables that no shape changes


@pytest.mark.usefixtures("three_sweeps")
@pytest.mark.parametrize("of", MEASURES, ids=lambda of: of.__name__)
def test_bytes_hold_the_state(lab, of) -> None:
    """`bytes` is at least the size of the state, not much more, and grows with it."""
    for measure in lab.EXAMPLES[of]:
        sizes = []
        # the largest is counted in bins
        for i, shape in enumerate(((8, 8), (30, 40), (260, 64), (64, 260), (260, 260))):
            copy = 8 * shape[0] * shape[1]
            state = most_held(lab, measure, shape, i % 2)
            state += copy if repr(measure) in IN_FLOAT64 else 0
            stated = measure.bytes(shape)
            assert type(stated) is int
            assert state <= stated <= 4 * (state + copy) + TABLES, (measure, shape)
            assert stated > 0
            sizes.append((shape, state, stated))
        for (inner, small, few), (outer, large, many) in product(sizes, repeat=2):
            if inner[0] <= outer[0] and inner[1] <= outer[1] and large > 1.1 * small:
                assert many > few, (measure, inner, outer)


def test_bytes_of_a_factor() -> None:
    """Three float64 matrices: a copy, its reflectors, R."""
    assert Factor().bytes((300, 40)) == Factor().bytes((40, 300)) == 3 * 8 * 300 * 40


def test_measures_that_need_their_tiles_in_one_run_do_not_merge(lab) -> None:
    """Sweeps and permutations are no folds of parts."""
    for measure in examples(lab):
        if measure.passes == "more":
            state = measure.start(1, (2, 2), "F32", "cpu")
            with pytest.raises(TypeError, match=r"in one run|in one tile"):
                measure.merge(state, state)
