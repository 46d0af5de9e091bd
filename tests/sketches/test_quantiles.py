"""Quantiles of cells against numpy's of the expanded sample."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.sketches import Count, ValueCounts
from weightscope.sketches.quantiles import median, quantile, resolved, robust_std


@pytest.fixture
def counts_of(lab):
    """The counts of a float64 sample, a row: exact cells up to 65,536 values, bins beyond."""
    return lambda x: lab.take(
        Count(), lab.numbers("F64", np.asarray(x, np.float64).reshape(1, 1, -1)), "F64"
    )[0]


def sample(seed: int, n: int = 5000) -> np.ndarray:
    return np.round(np.random.default_rng(seed).standard_t(4, n), 2)


@pytest.mark.parametrize("q", [0, 0.1, 0.25, 0.333, 0.5, 0.75, 0.999, 1])
@pytest.mark.parametrize("n", [1, 2, 3, 100, 4001])
def test_quantiles_equal_numpy(counts_of, q, n) -> None:
    """Exact cells give numpy's quantiles of the expanded sample."""
    x = sample(n, n)
    assert quantile(counts_of(x), q) == pytest.approx(np.quantile(x, q), rel=1e-14, abs=1e-15)


def test_quantiles_of_bins_are_close(counts_of) -> None:
    """In bins a quantile is within a fraction of the bin, and never beyond the extremes."""
    x = np.random.default_rng(3).standard_normal(200_000)
    counts = counts_of(x)
    assert not counts.exact
    for q in (0.01, 0.25, 0.6, 0.99):
        assert quantile(counts, q) == pytest.approx(np.quantile(x, q), rel=1e-3)
    assert (quantile(counts, 0.0), quantile(counts, 1.0)) == pytest.approx(
        (x.min(), x.max()), rel=2**-7
    )
    assert x.min() <= quantile(counts, 0.0) <= quantile(counts, 1.0) <= x.max()


def test_median_and_robust_std(counts_of) -> None:
    """robust_std is the quartile distance / 1.349: sigma for a Gaussian, whatever the outliers."""
    x = np.random.default_rng(4).normal(3, 2, 60_001)
    x[:10] = 1e6
    counts = counts_of(x)
    assert median(counts) == np.median(x)
    assert robust_std(counts) == pytest.approx(
        np.subtract(*np.quantile(x, [0.75, 0.25])) / 1.349, rel=1e-12
    )
    assert robust_std(counts) == pytest.approx(2, rel=0.015)


def test_a_constant_has_no_spread_and_an_empty_tensor_no_quantile(counts_of) -> None:
    """The robust scale of a constant is 0; without a finite value there is none, and no median."""
    for n in (1000, 100_000):
        assert (median(counts_of(np.full(n, 0.1))), robust_std(counts_of(np.full(n, 0.1)))) == (
            0.1,
            0,
        )
    for counts in (ValueCounts(), counts_of([np.nan, np.inf])):
        assert (median(counts), robust_std(counts)) == (None, None)


def test_bins_that_are_wide_beside_the_spread_show_no_scale(counts_of) -> None:
    """A mean of a hundred sigma puts everything in few bins: the robust scale would be invented."""
    counts = counts_of(np.random.default_rng(6).normal(100, 1, 70_000))
    assert not resolved(counts)
    assert robust_std(counts) is None
