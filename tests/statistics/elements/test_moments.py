"""Moments and L-kurtosis against numpy, scipy and a direct computation over the sorted sample."""

from __future__ import annotations

from dataclasses import replace
from math import atan, comb, fsum, isnan, pi, sqrt

import numpy as np
import pytest
import torch
from scipy import stats

import weightscope as ws
from tests.noted import told
from weightscope.sketches import Count
from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.elements.moments import (
    MOMENTS,
    dot,
    l_kurtosis,
    moments,
    standard_errors,
)
from weightscope.statistics.statistic import Evidence, evaluate


def _sample(seed: int, n: int = 5000) -> np.ndarray:
    return np.round(np.random.default_rng(seed).standard_t(4, n), 2)


def _l_ratio(x: np.ndarray) -> float:
    """l4/l2 from b_r = mean of C(j-1, r)/C(n-1, r) x_j over the sorted sample."""
    x, n = np.sort(x), len(x)
    b = [sum(comb(j, r) * v for j, v in enumerate(x)) / (n * comb(n - 1, r)) for r in range(4)]
    return (20 * b[3] - 30 * b[2] + 12 * b[1] - b[0]) / (2 * b[1] - b[0])


@pytest.mark.parametrize("bins", [False, True])
def test_moments_equal_numpy_and_scipy(counts_of, bins):
    """Cells and bins alike give the sample's moments, for the power sums are exact."""
    x = _sample(1)
    got = moments(counts_of(x, bins=bins))
    want = {"mean": x.mean(), "std": x.std(), "skew": stats.skew(x), "kurtosis": stats.kurtosis(x)}
    assert got == pytest.approx(want | {"min": x.min(), "max": x.max()}, rel=1e-9)


@pytest.mark.parametrize("base", [1e6, -1e12, 1e15, -1e15, 1e16])
@pytest.mark.parametrize("bins", [False, True])
def test_moments_beside_a_large_mean_have_all_digits(counts_of, base, bins):
    """The mean of values near 1e15 is rounded by 0.06: powers are not about it."""
    x = base + np.random.default_rng(2).gamma(3.0, 20.0, 5000)
    near = (x - base).astype(np.longdouble)  # exact
    want = {"std": near.std(), "skew": stats.skew(near), "kurtosis": stats.kurtosis(near)}
    got = moments(counts_of(x, bins=bins))
    assert {name: got[name] for name in want} == pytest.approx(want, rel=1e-13)
    assert got["mean"] == pytest.approx(float(base + near.mean()), rel=1e-15)


def test_constant_has_no_shape(counts_of):
    """A constant has std exactly 0, and neither skew, kurtosis nor L-kurtosis."""
    got = counts_of(np.full(1000, 0.1))
    assert moments(got) == {
        "mean": 0.1,
        "std": 0.0,
        "skew": None,
        "kurtosis": None,
        "min": 0.1,
        "max": 0.1,
    }
    assert l_kurtosis(got) is None


def test_nothing_finite_gives_nulls(counts_of):
    """Without a finite value every statistic is null."""
    for counts in (ValueCounts(), counts_of([np.nan, np.inf])):
        assert set(moments(counts).values()) == {None}
        assert l_kurtosis(counts) is None


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-160, 1e-147, 1e160, 1e200, 1e300])
def test_squares_beyond_float64_have_no_std(counts_of, size):
    """Neither 0 nor infinity nor what is left of its digits; order and mean stay."""
    x = size * _sample(3)
    got = moments(counts_of(x))
    assert [name for name, value in got.items() if value is None] == ["std", "skew", "kurtosis"]
    assert (got["min"], got["max"]) == (x.min(), x.max())
    assert isnan(counts_of(x).std)


@pytest.mark.parametrize("size", [1e-144, 1e-100, 1e100, 1e150])
def test_squares_within_float64_have_one(counts_of, size):
    """To all its digits, whatever third and fourth powers do."""
    x = _sample(3)
    assert moments(counts_of(size * x))["std"] == pytest.approx(size * x.std(), rel=1e-12)
    assert moments(counts_of(np.full(9, size)))["std"] == 0


@pytest.mark.parametrize("n", [4, 5, 17, 500])
def test_l_kurtosis_is_the_unbiased_sample_ratio(counts_of, n):
    """Cells, ties included, give the ratio that the direct sum over the sorted sample gives."""
    x = _sample(n, n)
    assert l_kurtosis(counts_of(x)) == pytest.approx(_l_ratio(x), rel=1e-10)


def test_l_kurtosis_of_a_gaussian(counts_of):
    """A Gaussian has 30/pi atan(sqrt 2) - 9 = 0.1226, a uniform law 0; bins are within 1e-4."""
    x = np.random.default_rng(5).standard_normal(300_000)
    anchor = 30 / pi * atan(sqrt(2)) - 9
    assert anchor == pytest.approx(0.1226, abs=5e-5)
    assert l_kurtosis(counts_of(x)) == pytest.approx(anchor, abs=3e-3)
    assert l_kurtosis(counts_of(x, bins=True)) == pytest.approx(l_kurtosis(counts_of(x)), abs=1e-4)
    assert l_kurtosis(counts_of(np.arange(10_000))) == pytest.approx(0, abs=1e-3)


def test_l_kurtosis_ignores_where_and_how_wide(counts_of):
    """A shift of a million widths changes nothing that matters."""
    x = _sample(6)
    assert l_kurtosis(counts_of(x * 2**-10 + 1024)) == pytest.approx(
        l_kurtosis(counts_of(x)), rel=1e-8
    )


def test_l_kurtosis_needs_four_weights(counts_of):
    """Three weights have no fourth L-moment."""
    assert l_kurtosis(counts_of([1.0, 2.0, 3.0])) is None


def test_sums_of_products_do_not_know_threads():
    """A sum of products is numpy's pairwise sum, not BLAS, which rounds by its thread count."""
    a, b = np.random.default_rng(7).standard_normal((2, 65_536))
    assert dot(a, b) == (a * b).sum() == pytest.approx(fsum(a * b), rel=1e-12)
    assert dot(a, np.arange(65_536)) == pytest.approx(a @ np.arange(65_536), rel=1e-10)


@pytest.mark.parametrize(
    ("values", "position", "shape", "text"),
    [
        (
            [np.nan, np.inf, np.nan],
            (3, 5),
            (8, 9),
            "2 NaN and 1 Inf, the first at row 3, column 5: statistics of",
        ),
        ([np.nan], (0, 0), (8, 9), "1 NaN at row 0, column 0: statistics of"),
        (
            [-np.inf] * 2000,
            (1234, 0),
            (8000, 2),
            "2,000 Inf, the first at row 1234, column 0: statistics of",
        ),
        ([np.inf] * 2, (0, 5), (1, 9), "2 Inf, the first at index 5: statistics of"),
        ([np.inf] * 2, (5, 0), (9, 1), "2 Inf, the first at index 5: statistics of"),
        ([np.inf], (0, 0), (1, 1), "1 Inf at index 0: statistics of"),
        ([np.nan], None, None, "1 NaN: statistics of"),
    ],
)
def test_the_first_nonfinite_value_has_its_position(counts_of, values, position, shape, text):
    """Row and column from 0, of a vector the index; none where tensors were pooled."""
    counts = replace(counts_of([*values, 1.0, 2.0, 3.0]), first_nonfinite=position)
    assert (
        told(evaluate([MOMENTS], Evidence({Count(): counts}, shape))) == f"{text} the finite values"
    )


@pytest.mark.parametrize(
    ("odd", "text"),
    [(0, None), (1, "1 BOOL byte is neither 0 nor 1: counted as true"),
     (1200, "1,200 BOOL bytes are neither 0 nor 1: counted as true")],
)  # fmt: skip
def test_boolean_bytes_beside_0_and_1_have_a_note(counts_of, odd, text):
    """They count as true, in one tensor or many."""
    counts = replace(counts_of([0.0, 1.0, 1.0]), noncanonical=odd)
    assert told(evaluate([MOMENTS], Evidence({Count(): counts}, None, "BOOL"))) == (text or "")


def test_wide_bins_have_no_quantiles(counts_of):
    """A float32 tensor far from zero: moments are exact, quantiles are unknown."""
    far = counts_of(1000 + 1e-3 * np.random.default_rng(0).standard_normal(70_000), bins=True)
    values = evaluate([MOMENTS], Evidence({Count(): far}, (1, 70_000)))
    assert values["std"] == pytest.approx(1e-3, rel=0.02)
    assert (values["robust_std"], values["l_kurtosis"]) == (None, None)
    assert (
        told(values)
        == "bins are too wide for the spread of the values: quantile statistics are null"
    )


@pytest.mark.parametrize("values", [[0.0, -1e308], [-1e308, 1e308, 0.0], [-1e308] * 4])
def test_largest_values_have_an_l_kurtosis_or_none(values):
    """No warning of an overflow, and no NaN."""
    (row,) = ws.fit({"w": torch.from_numpy(np.resize(values, 99))}, panels=False).rows
    assert row["l_kurtosis"] is None or -0.3 <= row["l_kurtosis"] <= 1


def test_a_standard_error_of_two_equally_frequent_values_is_zero():
    """Their kurtosis is -2, and may be below by rounding."""
    assert standard_errors(8, 1.0, -2 - 4e-16)["std_se"] == 0
