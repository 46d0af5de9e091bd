"""Counts equal numpy's for narrow types and small wide tensors; moments are within tolerances."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from weightscope.dtypes import DTYPES
from weightscope.geometry import whole
from weightscope.sketches import Count, ValueCounts
from weightscope.sketches.grid import NORMAL

NARROW = [name for name, kind in DTYPES.items() if kind.kind != "none" and kind.narrow]
LARGE = (260, 256)  # more elements than are counted by value
WIDE = [name for name, kind in DTYPES.items() if kind.kind != "none" and not kind.narrow]


def check_counts(result: ValueCounts, x: np.ndarray, smallest: float, odd: int) -> None:
    """Cells and the separate counts, by numpy."""
    finite = x[np.isfinite(x)]
    value, counts = np.unique(finite + 0.0, return_counts=True)
    assert np.array_equal(result.value, value)
    assert np.array_equal(result.counts, counts)
    assert result.counts.dtype == np.int64
    assert result.minus_inf == (x == -np.inf).sum()
    assert (result.nan, result.inf, result.zeros) == (
        np.isnan(x).sum(),
        np.isinf(x).sum(),
        (finite == 0).sum(),
    )
    assert result.subnormals == ((finite != 0) & (np.abs(finite) < smallest)).sum()
    assert result.n == len(finite)
    assert result.distinct == len(value)
    assert (result.minimum, result.maximum) == (
        (value[0], value[-1]) if len(value) else (np.inf, -np.inf)
    )
    assert result.noncanonical == odd
    assert (result.low <= result.value).all()
    assert (result.value <= result.high).all()
    assert (result.low[1:] >= result.high[:-1]).all()


@settings(max_examples=15, deadline=None)
@given(
    dtype=st.sampled_from(NARROW + WIDE),
    seed=st.integers(0, 99),
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_cells_are_the_distinct_values(lab, dtype, seed, shape) -> None:
    """Every bit pattern (NaN, Inf, subnormals, -0) is counted as numpy.unique counts its value."""
    stored = lab.bits(dtype, (1, *shape), seed)
    odd = int((stored > 1).sum()) if dtype == "BOOL" else 0
    check_counts(
        lab.take(Count(), stored, dtype)[0],
        lab.values(dtype, stored).ravel(),
        NORMAL.get(dtype, 0.0),
        odd,
    )


@pytest.mark.parametrize("dtype", NARROW)
def test_every_pattern_of_a_narrow_type_is_counted_where_it_belongs(lab, dtype) -> None:
    """All patterns once each: the counts of the whole type."""
    size = 1 << DTYPES[dtype].bits
    codes = np.arange(size, dtype="u2" if DTYPES[dtype].bits == 16 else "u1")
    stored = torch.from_numpy(codes).view(getattr(torch, DTYPES[dtype].store)).view(1, 4, -1)
    odd = int((stored > 1).sum()) if dtype == "BOOL" else 0
    check_counts(
        lab.take(Count(), stored, dtype)[0],
        lab.values(dtype, stored).ravel(),
        NORMAL.get(dtype, 0.0),
        odd,
    )


GROUNDS = {  # name: draw of n values
    "normal": lambda r, n: r.normal(0, 0.02, n),
    "offset": lambda r, n: r.normal(3.0, 0.02, n),
    "tiny": lambda r, n: r.normal(0, 1e-12, n),
    "tinier": lambda r, n: r.normal(1e-31, 1e-30, n),
    "huge": lambda r, n: r.normal(1e19, 1e20, n),
    "heavy": lambda r, n: r.standard_t(3, n),
    "outlier": lambda r, n: np.append(r.normal(0, 1, n - 1), 3000.0),
    "one-sided": lambda r, n: r.exponential(1.0, n) ** 2,
}


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(
    ("dtype", "n"),
    [("F32", 70_000), ("F32", 5000), ("BF16", 70_000), ("F16", 5000), ("F64", 70_000)],
)
def test_moments_are_those_of_numpy_and_scipy(lab, ground, dtype, n) -> None:
    """Mean 1e-9 std, std 1e-9, skew and kurtosis 1e-6; for binned float32 1e-6, 1e-6 and 1e-5."""
    if dtype == "F16" and ground in ("tinier", "huge", "tiny"):
        pytest.skip("beyond the range of the type")
    stored = lab.numbers(dtype, GROUNDS[ground](np.random.default_rng(7), n).reshape(1, 100, -1))
    x = lab.values(dtype, stored).ravel()
    result = lab.take(Count(), stored, dtype, cuts=(16, 40, 80))[0].power
    first, second, shape = (
        (1e-6, 1e-6, 1e-5) if dtype == "F32" and n > 65536 else (1e-9, 1e-9, 1e-6)
    )
    kurtosis = float(stats.kurtosis(x / x.std()))
    assert abs(result.mean - x.mean()) <= first * x.std()
    assert result.std == pytest.approx(x.std(), rel=second)
    assert abs(result.skew - stats.skew(x / x.std())) <= shape * max(1, abs(kurtosis))
    assert abs(result.kurtosis - kurtosis) <= shape * max(1, abs(kurtosis))


@pytest.mark.parametrize("offset", [1.0, 100.0, 1e4])
def test_a_far_mean_causes_no_cancellation(lab, offset) -> None:
    """float32 values with a mean far from zero keep their moments."""
    x = np.random.default_rng(1).normal(offset, 1.0, (1, *LARGE)).astype(np.float32).astype(float)
    result = lab.take(Count(), lab.numbers("F32", x), "F32", cuts=(64, 128))[0].power
    assert result.std == pytest.approx(x.std(), rel=1e-6)
    assert result.kurtosis == pytest.approx(stats.kurtosis(x.ravel()), abs=1e-5)


@pytest.mark.parametrize("dtype", WIDE)
def test_bins_hold_their_values(lab, dtype) -> None:
    """Large wide tensors: each value lies in its bin, bins are 2^-7 wide, counts add up."""
    rng = np.random.default_rng(2)
    x = (
        rng.normal(0, 1e6, (1, *LARGE))
        if DTYPES[dtype].kind == "float"
        else rng.integers(0, 10**6, (1, *LARGE))
    )
    x[0, 0, :50] = 0
    stored = torch.from_numpy(x).to(getattr(torch, DTYPES[dtype].store))
    result, v = (
        lab.take(Count(), stored, dtype, cuts=(100,))[0],
        np.sort(lab.values(dtype, stored).ravel()),
    )
    assert not result.exact
    assert result.distinct is None
    assert result.zeros == (v == 0).sum()
    assert (result.minimum, result.maximum) == (v[0], v[-1])
    assert result.counts.sum() == v.size == result.n
    ends = np.cumsum(result.counts)
    assert (v[ends - 1] <= result.high).all()
    assert (v[np.append(0, ends[:-1])] >= result.low).all()
    wide = result.value != 0
    assert (result.high - result.low <= 2.0**-7 * np.abs(result.value) * 1.01)[wide].all()


@pytest.mark.parametrize(("dtype", "least"), [("F32", 2.0**-126), ("F64", 2.0**-1022)])
def test_special_values_of_large_tensors(lab, dtype, least) -> None:
    """Counts of zeros of both signs, subnormals, NaN and Inf, in tiles with and without them."""
    x = np.random.default_rng(3).normal(size=(1, *LARGE))
    x[0, 5, :90], x[0, 6, :30], x[0, 7, :20], x[0, 150, :7], x[0, 9, :3] = (
        0.0,
        -0.0,
        least / 4,
        -least / 2,
        least,
    )
    x[0, 8, :5], x[0, 200, :11] = np.nan, -np.inf
    for cuts in ((), (100, 140)):
        result = lab.take(Count(), lab.numbers(dtype, x), dtype, cuts=cuts)[0]
        assert not result.exact
        assert (result.zeros, result.subnormals, result.nan, result.inf, result.minus_inf) == (
            120,
            27,
            5,
            11,
            11,
        )


def test_float64_beyond_float32_is_counted_in_the_last_bin(lab) -> None:
    """1e300 is a value: it is neither infinite nor lost."""
    x = np.full((1, *LARGE), 1.0)
    x[0, 0, :3] = 1e300, -1e300, 1e-300
    x[0, 0, 3:5] = np.inf, np.nan
    result = lab.take(Count(), lab.numbers("F64", x), "F64")[0]
    assert (result.minimum, result.maximum, result.inf, result.nan, result.minus_inf) == (
        -1e300,
        1e300,
        1,
        1,
        0,
    )
    assert result.counts.sum() == x.size - 2
    assert result.zeros == 0


def test_bf16_stored_wide_is_noticed(lab) -> None:
    """float32 with lower halves of zero is distinguished from true float32, large and small."""
    for n in (100, 260):
        x = torch.randn(1, n, LARGE[1], generator=torch.Generator().manual_seed(0))
        assert not lab.take(Count(), x, "F32")[0].coarse
        assert lab.take(Count(), x.bfloat16().float(), "F32")[0].coarse


def test_counts_of_different_types_pool_into_one_sample(lab) -> None:
    """bf16 and float32 cells merge as the sorted union; equal values are one cell."""
    x = np.random.default_rng(3).normal(size=(1, 40, 40))
    wide, narrow = lab.numbers("F32", x), lab.numbers("BF16", x)
    both = lab.take(Count(), wide, "F32")[0] + lab.take(Count(), narrow, "BF16")[0]
    value, counts = np.unique(
        np.append(lab.values("F32", wide), lab.values("BF16", narrow)), return_counts=True
    )
    assert np.array_equal(both.value, value)
    assert np.array_equal(both.counts, counts)


@pytest.mark.parametrize("stored", [[[0, 1, 1]], [[0, 2, 1], [255, 0, 7]]])
def test_boolean_bytes_beside_0_and_1_are_counted(lab, stored) -> None:
    """They count as true in the cells and in the values of other measures; their numbers add."""
    words = torch.tensor([stored], dtype=torch.uint8)
    result, odd = lab.take(Count(), words, "BOOL")[0], int((words > 1).sum())
    truth = (words != 0).double()
    assert result.value.tolist() == [0, 1]
    assert result.counts.tolist() == [(truth == 0).sum(), truth.sum()]
    assert torch.equal(
        lab.tile(words, "BOOL", whole(tuple(words.shape[1:]))).values.double(), truth
    )
    assert (result.noncanonical, (result + result).noncanonical, result.forget().noncanonical) == (
        odd,
        2 * odd,
        odd,
    )


def test_zeros_can_be_excluded(lab) -> None:
    """Without its zeros a sample is the sample of the others."""
    x = np.random.default_rng(4).normal(size=(1, 50, 50)) * (np.arange(50) % 2)
    result = lab.take(Count(), lab.numbers("F32", x), "F32")[0].without_zeros()
    rest = lab.values("F32", lab.numbers("F32", x))
    rest = rest[rest != 0]
    assert (result.n, result.zeros, result.counts.sum()) == (len(rest), 0, len(rest))
    assert result.power.std == pytest.approx(rest.std(), rel=1e-9)
