"""The laws of measures that see the tiles of two entries, for every pair of stored types."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sketches.paired import HELD, LAYOUTS, differing, examples, made, turned
from weightscope.geometry import Box, whole
from weightscope.sketches import (
    PAIRED_MEASURES,
    Again,
    Changes,
    PairMoments,
    Pairwise,
    RowSample,
    SharedOutliers,
    TaskVectors,
    TopChanges,
    VectorProducts,
    chunks,
    pair_moments,
)

FLOATS = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"]
shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))
cuttings = st.lists(st.integers(0, 24), max_size=5)
flavours = st.sampled_from(["bits", "normal", "zero", "nan", "tiny", "outlier", "alike"])
types = st.sampled_from(HELD)
APART = (0, 2, 9, 14, 17)  # places in the list of types, of those that all measures are taken of
EVERY = (
    Pairwise(),
    Changes(),
    RowSample(),
    TopChanges(40, ("a", "b")),
    TaskVectors(("a",)),
    SharedOutliers(("a",)),
)


def close(a, b) -> None:
    """Moments equal to the rounding of sums, all else bit for bit."""
    for name in ("n", "left_out", "one_sided", "absmax"):
        assert getattr(a, name) == getattr(b, name), name
    if not a.n or not all(np.isfinite([x.aa + x.dd + x.bb for x in (a, b)])):
        return
    size_a, size_d = (np.sqrt([b.aa, b.dd]) + 1e-150).tolist()
    sizes = {"a": size_a, "d": size_d, "b": size_a + size_d}  # sums of B are of A and D
    for name, size in sizes.items():
        mean = getattr(b, f"mean_{name}")
        near = 1e-14 * size / a.n**0.5
        assert getattr(a, f"mean_{name}") == pytest.approx(mean, rel=0, abs=near), name
    for one, other in ("aa", "ad", "dd", "ab", "bb"):
        name = f"s_{one}{other}"
        near = 1e-14 * sizes[one] * sizes[other]
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=0, abs=near), name


def close_products(lab, a, b) -> None:
    """Sums equal to their rounding, numbers of elements exactly."""
    for name in ("n", "left_out", "agree", "both"):
        assert lab.plain(getattr(a, name)) == lab.plain(getattr(b, name)), name
    if not b.n or not all(np.isfinite(x.gram).all() for x in (a, b)):
        return
    size = np.sqrt(np.diagonal(b.gram)) + 1e-150
    np.testing.assert_array_less(np.abs(a.means - b.means), 1e-14 * size / b.n**0.5)
    np.testing.assert_array_less(np.abs(a.moments - b.moments), 1e-14 * np.outer(size, size))


def agree(lab, measure, one, other) -> None:
    """Two results of one measure."""
    for x, y in zip(one, other, strict=True):
        if isinstance(x, PairMoments):
            close(x, y)
        elif isinstance(x, VectorProducts):
            close_products(lab, x, y)
        else:
            assert lab.plain(x) == lab.plain(y), measure


def test_every_measure_of_a_pair_has_examples(lab) -> None:
    """A measure that joins the list joins the laws."""
    assert set(lab.PAIRED_EXAMPLES) == set(PAIRED_MEASURES)


def in_any_grouping(lab, draw, measures, pair, axis, cuts):
    """Tiles folded apart and merged in any grouping; where there are more passes, in one run."""
    once = [measure for measure in measures if measure.passes == "one"]
    more = [measure for measure in measures if measure.passes == "more"]
    states = apart(lab, once, pair, axis, cuts)
    results = dict(zip(more, lab.take_pairs(more, pair, axis, cuts), strict=True)) if more else {}
    for measure in once:
        merged = states[measure]
        while len(merged) > 1:
            i = draw(len(merged) - 1)
            merged[i : i + 2] = [measure.merge(merged[i], merged[i + 1])]
        nothing = lab.start_pair(measure, pair)
        results[measure] = measure.finish(measure.merge(nothing, merged[0]))
    return [results[measure] for measure in measures]


def apart(lab, measures, pair, axis, cuts):
    """The states of every measure, one a tile."""
    delta = lab.difference(pair) if any(map(lab.of_delta, measures)) else None
    shown = lab.facing(pair, axis, delta)
    states = {measure: [] for measure in measures}
    for box in lab.boxes(tuple(pair[0].shape[1:]), axis, cuts):
        seen, delta = shown(box)
        for measure, several in states.items():
            of = delta if lab.of_delta(measure) else seen
            several.append(measure.add(lab.start_pair(measure, pair), of))
    return states


@settings(max_examples=8, deadline=None)
@given(
    data=st.data(),
    of=st.tuples(types, types),
    shape=shapes,
    cuts=cuttings,
    axis=st.sampled_from([0, 1]),
    flavour=flavours,
    seed=st.integers(0, 99),
)
def test_any_tiling_and_any_grouping_give_the_whole(
    lab, data, of, shape, cuts, axis, flavour, seed
) -> None:
    """Tiles folded apart and merged in any grouping give the whole; empty states change nothing."""

    def draw(count):
        return data.draw(st.integers(0, count - 1))

    pair = made(lab, *of, shape, seed, flavour)
    measures = examples(lab)
    merged = in_any_grouping(lab, draw, measures, pair, axis, cuts)
    for several in zip(measures, merged, lab.take_pairs(measures, pair), strict=True):
        agree(lab, *several)


@pytest.mark.parametrize("of_a", HELD)
def test_every_pair_of_types_in_tiles_gives_the_whole(lab, of_a) -> None:
    """Row tiles and column tiles of every two types, merged from the right and from the left.

    `Changes` alone has code for two types. The other measures convert either by itself, so that
    all are taken of each type beside some, on either side.
    """
    groupings = ((0, [2, 3], lambda count: 0), (1, [1, 5], lambda count: count - 1))
    first = HELD.index(of_a)
    for i, of_b in enumerate(HELD):
        pair = made(lab, of_a, of_b, (6, 7), 3, "bits" if i % 4 > 1 else "alike")
        axis, cuts, draw = groupings[(i + first) % 2]
        measures = EVERY if (i - first) % len(HELD) in APART else (Changes(),)
        merged = in_any_grouping(lab, draw, measures, pair, axis, cuts)
        for several in zip(measures, merged, lab.take_pairs(measures, pair), strict=True):
            agree(lab, *several)


@settings(max_examples=8, deadline=None)
@given(
    of=st.tuples(types, types),
    shape=shapes,
    cuts=cuttings,
    axis=st.sampled_from([0, 1]),
    layout=st.sampled_from(LAYOUTS),
    stack=st.integers(2, 3),
    flavour=flavours,
    seed=st.integers(0, 99),
)
def test_a_stack_equals_each_alone(
    lab, of, shape, cuts, axis, layout, stack, flavour, seed
) -> None:
    """finish(fold(stack))[i] == finish(fold(stack[i:i+1]))[0], bit for bit."""
    a, of_a, b, of_b = turned(made(lab, *of, shape, seed, flavour, stack), *layout)
    measures = examples(lab)
    together = lab.take_pairs(measures, (a, of_a, b, of_b), axis, cuts)
    for i in range(stack):
        alone = turned((a[i : i + 1].clone(), of_a, b[i : i + 1].clone(), of_b), *layout)
        every = zip(measures, together, lab.take_pairs(measures, alone, axis, cuts), strict=True)
        for measure, several, expected in every:
            assert lab.plain(several[i]) == lab.plain(expected[0]), measure


@pytest.mark.parametrize("shape", [(17, 1000), (129, 257), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_stack_of_matrices_with_odd_sides_equals_each_alone(lab, shape, axis) -> None:
    """Sides that fill no vector register and start at any address change no bit."""
    generator = torch.Generator().manual_seed(1)
    a = torch.randn(2, *shape, generator=generator)
    b = a.bfloat16() + torch.randn(2, *shape, generator=generator).bfloat16()
    measures, cuts = examples(lab), (8, 16, 64)
    together = lab.take_pairs(measures, (a, "F32", b, "BF16"), axis, cuts)
    for i in range(2):
        alone = (a[i : i + 1].clone(), "F32", b[i : i + 1].clone(), "BF16")
        every = zip(measures, together, lab.take_pairs(measures, alone, axis, cuts), strict=True)
        for measure, several, expected in every:
            assert lab.plain(several[i]) == lab.plain(expected[0]), measure


@settings(max_examples=12, deadline=None)
@given(
    of=st.tuples(types, types),
    shape=shapes,
    cuts=cuttings,
    axis=st.sampled_from([0, 1]),
    layout=st.sampled_from(LAYOUTS),
    flavour=flavours,
    seed=st.integers(0, 99),
)
def test_the_layout_does_not_matter(lab, of, shape, cuts, axis, layout, flavour, seed) -> None:
    """A, B or both stored column-major are the same matrices."""
    pair = made(lab, *of, shape, seed, flavour)
    measures = examples(lab)
    results = lab.take_pairs(measures, turned(pair, *layout), axis, cuts)
    for several in zip(measures, results, lab.take_pairs(measures, pair, axis, cuts), strict=True):
        agree(lab, *several)


@pytest.mark.parametrize("of_a", HELD)
def test_every_measure_accepts_degenerate_matrices(lab, of_a) -> None:
    """Empty, one element, one row, one column, of every type beside itself and some others.

    Measures without code for two types are taken of one of the others, each type of the next.
    """
    degenerate = [(0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1)]
    others = ("F64", "BF16", "F8_E4M3")
    in_turn = others[HELD.index(of_a) % len(others)]
    for shape, of_b in product(degenerate, (of_a, *others)):
        pair = made(lab, of_a, of_b, shape, 5, "bits", 2)
        every = of_b in (of_a, in_turn)
        measures = [m for m in examples(lab) if every or isinstance(m, Changes)]
        for measure, records in zip(measures, lab.take_pairs(measures, pair), strict=True):
            assert len(records) == 2, measure
            if measure == Changes():
                assert records[0].elements == differing(lab, pair).sum()


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_measure_survives_one_value_everywhere(lab, dtype) -> None:
    """All NaN, all infinite, all zero, all equal, on one side or on both."""
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0]
    for x, y in (*zip(special, special, strict=True), *((x, 1.0) for x in special[:-1])):
        a, b = (lab.numbers(dtype, np.full((2, 9, 9), value)) for value in (x, y))
        measures = examples(lab)
        every = lab.take_pairs(measures, (a, dtype, b, dtype), cuts=(4,))
        for measure, records in zip(measures, every, strict=True):
            assert len(records) == 2, measure


def test_samples_and_elements_of_several_tensors_do_not_add(lab) -> None:
    """They have positions alone: forget gives None."""
    pair = made(lab, "F32", "F32", (5, 6), 0, "normal")
    for measure in (RowSample(), TopChanges(3, ("a", "b"))):
        record = lab.take_pair(measure, pair)[0]
        assert record.forget() is None
        with pytest.raises(TypeError, match="do not add"):
            record + record


def test_measures_are_identified_by_their_options(lab) -> None:
    """Equal options are the same measure: equal, of one hash, of one repr."""
    for measure in examples(lab):
        twin = eval(repr(measure), {m.__name__: m for m in PAIRED_MEASURES})
        assert twin == measure
        assert hash(twin) == hash(measure)
        assert repr(twin) == repr(measure)


def test_bytes_hold_the_state(lab) -> None:
    """`bytes` is at least the size of the state, not much more, and grows with it."""
    for measure in examples(lab):
        sizes = []
        for shape in ((1, 1), (8, 8), (30, 40), (300, 64), (64, 300), (300, 300)):
            size = max(
                most_held(lab, measure, made(lab, *of, shape, 0, "normal"))
                for of in (("F64", "F64"), ("BF16", "F32"), ("F8_E4M3", "BF16"))
            )
            stated = measure.bytes(shape)
            assert type(stated) is int
            assert size <= stated <= 4 * size + 12 * chunks.CHUNK, (measure, shape)
            sizes.append((shape, size, stated))
        for (inner, small, few), (outer, large, many) in product(sizes, repeat=2):
            if inner[0] <= outer[0] and inner[1] <= outer[1] and large > 1.1 * small:
                assert many > few, (measure, inner, outer)


def most_held(lab, measure, pair) -> int:
    """Largest bytes of the state: after start, after each of two tiles, after a merge."""
    height, width = pair[0].shape[1:]
    sizes, states = [], []
    for box in (Box((0, height // 2), (0, width)), Box((height // 2, height), (0, width))):
        state = lab.start_pair(measure, pair)
        sizes.append(lab.held(state))
        states.append(lab.add_pair(measure, state, pair, box))
        sizes.append(lab.held(states[-1]))
    if measure.passes == "one":
        sizes.append(lab.held(measure.merge(*states)))
    return max(sizes)


def test_measures_state_their_passes(lab) -> None:
    """Those of one pass request no second one, and merge; the others do not."""
    pair = made(lab, "F32", "BF16", (4, 5), 0, "normal")
    for measure in examples(lab):
        assert measure.cut == "any"
        state = lab.add_pair(measure, lab.start_pair(measure, pair), pair, whole((4, 5)))
        more = measure.passes == "more"
        assert isinstance(measure.finish(state), Again) == more
        if more:
            with pytest.raises(TypeError, match="in one run"):
                measure.merge(state, state)
    once = {type(measure) for measure in examples(lab) if measure.passes == "one"}
    assert once == {Pairwise, Changes, RowSample, TopChanges, TaskVectors}


def test_sums_of_chunks_are_those_of_the_whole(lab, monkeypatch) -> None:
    """Elements are converted some at a time; the number changes sums by their rounding alone."""
    pair = made(lab, "BF16", "F32", (50, 30), 0, "alike")
    expected = lab.take_pair(Pairwise(), pair)[0]
    monkeypatch.setattr(pair_moments, "CHUNK", 37)
    close(lab.take_pair(Pairwise(), pair)[0], expected)
