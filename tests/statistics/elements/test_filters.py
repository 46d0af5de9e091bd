"""The filters against masks on the sample itself, and the figures of a trimmed Gaussian."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.elements.filters import both_filters, three_sigma, tiny_share, trimmed


def _expanded(counts: ValueCounts) -> np.ndarray:
    return np.repeat(counts.value, counts.counts)


def test_three_sigma_selects_as_a_mask(counts_of):
    """One pass about mean and std of all weights selects the cells of the masked sample."""
    x = np.round(np.random.default_rng(1).standard_t(3, 20_000) + 0.5, 2)
    inside = x[np.abs(x - x.mean()) <= 3 * x.std()]
    got = three_sigma(counts_of(x))
    assert np.array_equal(_expanded(got), np.sort(inside))
    assert (got.n, got.minimum, got.maximum) == (len(inside), inside.min(), inside.max())
    assert got.zeros == (inside == 0).sum()
    want = {"trimmed_std": inside.std(), "trimmed_kurtosis": stats.kurtosis(inside)}
    assert trimmed(counts_of(x)) == pytest.approx(want)


def test_trimmed_gaussian(counts_of):
    """A true Gaussian has std 0.98658 sigma and excess kurtosis -0.171 after the filter."""
    x = 0.02 * stats.norm.ppf((np.arange(300_000) + 0.5) / 300_000)
    assert trimmed(counts_of(x)) == pytest.approx(
        {"trimmed_std": 0.98658 * 0.02, "trimmed_kurtosis": -0.171}, rel=3e-3
    )
    bins = trimmed(counts_of(x, bins=True))
    assert bins["trimmed_std"] == pytest.approx(0.98658 * 0.02, rel=1e-3)
    assert bins["trimmed_kurtosis"] == pytest.approx(-0.171, abs=1e-2)


def test_both_filters_use_the_whole_tensor(counts_of):
    """Within three sigma and at least sigma/1000, sigma of the unfiltered tensor; no zeros."""
    x = np.round(np.random.default_rng(2).standard_t(3, 50_000), 4)
    x[:100] = 0
    got = both_filters(counts_of(x))
    inside = x[(np.abs(x - x.mean()) <= 3 * x.std()) & (np.abs(x) >= 1e-3 * x.std())]
    assert np.array_equal(_expanded(got), np.sort(inside))
    assert (got.zeros, got.n) == (0, len(inside))


@pytest.mark.parametrize("bins", [False, True])
def test_tiny_share(counts_of, bins):
    """The share below a thousandth of sigma, zeros included, is 2 phi(0)/1000 for a Gaussian."""
    x = np.random.default_rng(3).standard_normal(200_000)
    assert tiny_share(counts_of(x, bins=bins)) == pytest.approx(
        (np.abs(x) < 1e-3 * x.std()).mean(), abs=1e-5
    )
    assert tiny_share(counts_of(np.append(x, np.zeros(200_000)), bins=bins)) == pytest.approx(
        0.5, abs=1e-3
    )


def test_special_values_do_not_pass(counts_of):
    """Filtered counts have no NaN and no Inf."""
    got = three_sigma(counts_of([1.0, 2.0, np.nan, np.inf]))
    assert (got.n, got.nan, got.inf) == (2, 0, 0)


@pytest.mark.parametrize("bins", [False, True])
def test_constant_is_kept_whole(counts_of, bins):
    """A constant has no sigma to filter by: all stays, its std is 0 and its kurtosis null."""
    counts = counts_of(np.full(1000, 0.1), bins=bins)
    assert three_sigma(counts).n == 1000
    assert trimmed(counts) == {"trimmed_std": 0.0, "trimmed_kurtosis": None}
    assert tiny_share(counts) is None


def test_nothing_and_zeros():
    """No weights give nulls."""
    assert three_sigma(ValueCounts()) is None
    assert both_filters(ValueCounts()) is None
    assert tiny_share(ValueCounts()) is None
    assert trimmed(ValueCounts()) == {"trimmed_std": None, "trimmed_kurtosis": None}


def test_bins_wider_than_sigma_are_not_filtered(counts_of):
    """Weights of 1 +- 1e-4 fill two bins of width 2^-8 and more: three sigma is not resolved."""
    counts = counts_of(np.random.default_rng(4).normal(1, 1e-4, 10_000), bins=True)
    assert three_sigma(counts) is None
    assert both_filters(counts) is None
    assert trimmed(counts) == {"trimmed_std": None, "trimmed_kurtosis": None}
