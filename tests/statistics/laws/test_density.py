"""Density on a grid: mass is 1, as numpy's histogram, for cells of any width."""

import numpy as np
import pytest

from weightscope.statistics.laws.density import density

EDGES = np.linspace(-4, 4, 13)


def test_equals_numpy_histogram(counts_of):
    """Exact values: the share of weights in each bin over its width."""
    x = np.random.default_rng(0).standard_normal(20_000)
    expected = np.histogram((x - x.mean()) / x.std(), EDGES)[0] / len(x) / np.diff(EDGES)
    assert density(counts_of(x), EDGES) == pytest.approx(expected, abs=1e-3)


def test_cells_without_width(counts_of):
    """Between neighbouring float64 values there are no edges: their weight counts whole."""
    counts = counts_of([1.0, 2.0, 2.0, 3.0])
    flat = type(counts)(**{**vars(counts), "low": counts.value, "high": counts.value})
    assert (density(flat, EDGES) * np.diff(EDGES)).sum() == pytest.approx(1)


def test_tiny_cells_beside_wide_ones(counts_of):
    """A subnormal weight does not change the density of the others, a Gaussian's."""
    x = np.random.default_rng(1).standard_normal(20_000)
    x[0] = 1e-300
    assert density(counts_of(x), EDGES).max() == pytest.approx(0.385, abs=0.02)


@pytest.mark.parametrize("values", [[], [2.0, 2.0], [np.nan], [1e-200, 3e-200], [1e200, 3e200]])
def test_none_without_spread(counts_of, values):
    """Without values, without spread and without std there is no density."""
    assert density(counts_of(values), EDGES) is None
