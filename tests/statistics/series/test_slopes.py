"""Theil-Sen lines against scipy, in the same bits, and on constructed truth."""

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.series.slopes import Line, loglog, theil_sen

SIZES = (3, 4, 5, 8, 27, 100)


def series(layers, seed, ties):
    """Layers with gaps, and values that are rounded for ties."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.choice(3 * layers, layers, replace=False))
    y = rng.standard_normal(layers)
    return x, np.round(2 * y) / 2 if ties else y


@pytest.mark.parametrize("layers", SIZES)
@pytest.mark.parametrize("ties", [False, True])
def test_slope_and_interval_equal_scipy(layers, ties):
    """Over gaps and ties, bit for bit."""
    for seed in range(10):
        x, y = series(layers, seed, ties)
        expected = stats.theilslopes(y, x)
        line = Line(expected.slope, expected.low_slope, expected.high_slope)
        assert theil_sen(x, y) == line


def test_a_thousand_layers_equal_scipy():
    """All pairs, not a sample of them."""
    x, y = series(1000, 0, ties=False)
    expected = stats.theilslopes(y, x)
    assert theil_sen(x, y) == Line(expected.slope, expected.low_slope, expected.high_slope)


def test_a_wild_point_does_not_move_the_line():
    """A least-squares line would follow it."""
    x = np.arange(20)
    y = 1 + 0.5 * x
    y[7] = 1e6
    assert theil_sen(x, y) == Line(0.5, 0.5, 0.5)
    assert np.polyfit(x, y, 1)[0] < -100


def test_the_interval_holds_the_slope_as_often_as_it_says():
    """95% of series of 12 layers with a slope of 0."""
    rng = np.random.default_rng(0)
    lines = [theil_sen(range(12), rng.standard_cauchy(12)) for _ in range(1000)]
    assert 0.94 < np.mean([line.low <= 0 <= line.high for line in lines]) < 0.98


@pytest.mark.parametrize("layers", [(0, 1, 2, 3), (2, 3, 7, 30, 31)])
def test_loglog_equals_scipy(layers):
    """The slope of the logarithms; 1/sqrt(layer + 1) has -0.5."""
    y = np.random.default_rng(1).uniform(0.1, 2, len(layers))
    expected = stats.theilslopes(np.log(y), np.log(np.array(layers) + 1)).slope
    assert loglog(layers, y) == pytest.approx(expected, rel=1e-12)
    assert loglog(layers, 0.02 / np.sqrt(np.array(layers) + 1)) == pytest.approx(-0.5, rel=1e-12)


@pytest.mark.parametrize("value", [0.0, -1e-9])
def test_loglog_needs_positive_values(value):
    """A single value that is not positive has no logarithm."""
    assert loglog((0, 1, 2), (1.0, value, 1.0)) is None
