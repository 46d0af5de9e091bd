"""Distinct values of large float tensors are exact while they are few, for any cut and order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.sketches import Count, Scratch, ValueCounts, count
from weightscope.sketches.few_values import FEW, FewValues, extended, no_values, union

WORDS = {"F32": torch.int32, "F64": torch.int64}
LARGE = (260, 256)  # more elements than are counted by value


@pytest.fixture
def bins(monkeypatch):
    """Small tensors counted in bins, as large ones are."""
    monkeypatch.setattr(count, "EXACT", -1)


def steps(many: int, shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Every multiple of 0.013 from -many to many, in any order."""
    x = np.resize(np.arange(-many, many + 1), shape[0] * shape[1])
    return 0.013 * np.random.default_rng(seed).permutation(x).reshape(1, *shape)


def values(result: ValueCounts) -> list[float]:
    """The values of the record, if any."""
    return [] if result.values is None else result.values.tolist()


@pytest.mark.parametrize("dtype", WORDS)
@pytest.mark.parametrize(("axis", "cuts"), [(0, ()), (0, (1, 100, 101)), (1, (37, 200))])
@pytest.mark.parametrize("many", [1, 7, 127, FEW // 2])
def test_values_of_a_large_lattice_are_those_of_numpy(lab, dtype, axis, cuts, many) -> None:
    """With the count of each, although a bin holds several of them."""
    stored = lab.numbers(dtype, steps(many, LARGE))
    result = lab.take(Count(), stored, dtype, axis, cuts)[0]
    expected, counts = np.unique(lab.values(dtype, stored), return_counts=True)
    assert result.exact
    assert values(result) == expected.tolist()
    assert result.counts.tolist() == counts.tolist()
    assert (result.low <= result.value).all()
    assert (result.value <= result.high).all()
    assert result.distinct == len(expected) == 2 * many + 1


@pytest.mark.parametrize("dtype", WORDS)
def test_one_value_more_is_too_many(lab, dtype) -> None:
    """More than 4,096 non-zero values give None, even if a sample of 8,192 has fewer."""
    for shape in (LARGE, (420, 500)):  # all of the first is a sample, a third of the second
        x = steps(FEW // 2, shape)
        assert lab.take(Count(), lab.numbers(dtype, x), dtype, cuts=(9,))[0].distinct == FEW + 1
        x[0, -1, -1] = 0.5
        result = lab.take(Count(), lab.numbers(dtype, x), dtype, cuts=(9,))[0]
        assert (result.distinct, result.values) == (None, None)


@pytest.mark.parametrize("dtype", WORDS)
def test_ordinary_tensors_are_decided_by_a_sample(lab, dtype) -> None:
    """No element of the tile is gathered or sorted, and the result is None."""
    x = lab.numbers(dtype, np.random.default_rng(1).normal(size=100_000))
    scratch = Scratch()
    assert extended(no_values(x), x, scratch) is None
    assert not scratch.held
    assert extended(None, x[:9], scratch) is None


@pytest.mark.usefixtures("bins")
@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from(list(WORDS)),
    shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    cuts=st.lists(st.integers(0, 24), max_size=5),
    palette=st.lists(
        st.floats(width=16) | st.sampled_from([0.0, -0.0, 0.1, -1e-42, 1e-310, 3e38]), min_size=1
    ),
    seed=st.integers(0, 99),
)
def test_any_values_merged_in_any_order_are_those_of_numpy(
    lab, data, dtype, shape, cuts, palette, seed
) -> None:
    """NaN and Inf do not count, both zeros are one; a beginning of bf16 values changes nothing."""
    stored = lab.numbers(dtype, np.random.default_rng(seed).choice(palette, (2, *shape)))
    measure = Count()
    tiles = [lab.tile(stored, dtype, box) for box in lab.boxes(shape, 0, cuts)]
    states = [measure.add(measure.start(2, shape, dtype, "cpu"), tile) for tile in tiles]
    while len(states) > 1:
        i = data.draw(st.integers(0, len(states) - 2))
        states[i : i + 2] = [measure.merge(states[i], states[i + 1])]
    for result, x in zip(measure.finish(states[0]), lab.values(dtype, stored), strict=True):
        expected, counts = np.unique(x[np.isfinite(x)] + 0.0, return_counts=True)
        assert values(result) == expected.tolist()
        assert result.counts.tolist() == counts.tolist()
        assert result.values is not None
        assert not np.signbit(result.values[result.values == 0]).any()


@pytest.mark.usefixtures("bins")
@pytest.mark.parametrize("cut", [10, 30, 50])
def test_values_of_a_bf16_beginning_are_included(lab, cut) -> None:
    """Values before the first lower half come from the histogram, also if they are too many."""
    rng = np.random.default_rng(2)
    few = np.concatenate(
        [rng.choice([-1.5, 0.25, 3.0, np.nan, 0.0], (30, 40)), rng.choice([0.1, 0.25], (30, 40))]
    )
    stored, expected = lab.numbers("F32", few[None]), [-1.5, 0.0, float(np.float32(0.1)), 0.25, 3.0]
    assert values(lab.take(Count(), stored, "F32", cuts=(cut,))[0]) == expected
    measure, tiles = (
        Count(),
        [lab.tile(stored, "F32", box) for box in lab.boxes((60, 40), 0, [cut])],
    )
    for apart in (tiles, tiles[::-1]):
        a, b = (measure.add(measure.start(1, (60, 40), "F32", "cpu"), tile) for tile in apart)
        assert values(measure.finish(measure.merge(a, b))[0]) == expected
    many = np.concatenate([rng.normal(size=LARGE), np.full((1, LARGE[1]), 0.1)])
    stored = lab.numbers("F32", many[None]).bfloat16().float()
    stored[0, LARGE[0]] = 0.1
    assert (len(torch.unique(stored)) > FEW) == (
        lab.take(Count(), stored, "F32", cuts=(LARGE[0],))[0].values is None
    )


def test_values_of_equal_codes_are_distinguished(lab) -> None:
    """Far more values than a table of 65,536 codes holds without a clash."""
    x = (
        torch.from_numpy(
            np.random.default_rng(3).permutation(np.repeat(np.arange(1, FEW + 1), 5))
        ).float()
        * 0.1
    )
    result = extended(extended(no_values(x), x[:9000], Scratch()), x[9000:], Scratch())
    assert result is not None
    assert result.values.tolist() == torch.unique(x).tolist()
    assert result.counts.tolist() == [5] * FEW


def once(x: torch.Tensor) -> FewValues:
    """Distinct values that occur once each."""
    return FewValues(x, torch.ones(len(x), dtype=torch.int64))


def test_unions() -> None:
    """Counts of equal values add; None and sets that are too large give None."""
    a, b = once(torch.tensor([1.0, 3.0])), once(torch.tensor([2.0, 3.0]))
    both = union(a, b)
    assert both.values.tolist() == [1.0, 2.0, 3.0]
    assert both.counts.tolist() == [1, 1, 2]
    assert union(None, b) is None
    assert union(a, None) is None
    every = once(torch.arange(FEW))
    assert len(union(every, once(torch.arange(9))).values) == FEW
    assert union(every, once(torch.tensor([-1]))) is None


def test_integers_in_bins_have_no_list_of_values(lab) -> None:
    """Beyond 2^53 float64 would take different ones for one."""
    stored = torch.randint(0, 9, (1, *LARGE), generator=torch.Generator().manual_seed(4))
    assert lab.take(Count(), stored, "I64")[0].distinct is None


def test_counts_of_different_tensors_know_the_union(lab) -> None:
    """Exact cells and bins; with a tensor of many values the result is None."""
    large = lab.take(Count(), lab.numbers("F32", steps(7, LARGE)), "F32")[0]
    small = lab.take(Count(), lab.numbers("F32", np.array([[[0.5, 0.0, 2.0]]])), "F32")[0]
    other = lab.take(
        Count(), torch.randn(1, *LARGE, generator=torch.Generator().manual_seed(5)), "F32"
    )[0]
    assert (
        values(large + small) == values(small + large) == sorted({*values(large), *values(small)})
    )
    assert (large + small).distinct == 17
    assert (large + other).values is None
    assert (other + small).distinct is None
    assert values(large.without_zeros()) == [x for x in values(large) if x]
