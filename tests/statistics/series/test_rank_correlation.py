"""Spearman's correlation and its p against scipy."""

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.series.rank_correlation import spearman


@pytest.mark.parametrize("layers", [3, 4, 6, 12, 80, 1000])
@pytest.mark.parametrize("ties", [False, True])
def test_equals_scipy(layers, ties):
    """Ties have their mean rank."""
    rng = np.random.default_rng(layers)
    y = rng.standard_normal(layers) + 0.05 * np.arange(layers)
    if ties:
        y = np.round(2 * y)
        y[0] -= 1
    r, p = spearman(np.arange(layers), y)
    expected = stats.spearmanr(np.arange(layers), y)
    assert r == pytest.approx(expected.statistic, rel=1e-12)
    assert p == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_perfect_order(sign):
    """r = 1 or -1 has p = 0."""
    r, p = spearman(range(5), [sign * value for value in (1, 2, 3, 5, 8)])
    assert (r, p) == (pytest.approx(sign), pytest.approx(0, abs=1e-12))


@pytest.mark.parametrize("values", [[1.0, 2.0], [3.0] * 6])
def test_without_order_there_is_none(values):
    """Two points, or a constant."""
    assert spearman(range(len(values)), values) == (None, None)
