"""Percentile intervals of means over a few seeds."""

import numpy as np
from scipy.stats import bootstrap

from weightscope.statistics.pairs.bootstrap import Resamples


def test_intervals_agree_with_scipy():
    """scipy.stats.bootstrap with its own resamples of the same kind."""
    values = np.array([0.3, 1.0, 2.5, 2.7, 4.0, 9.0])
    ((mean, low, high),) = Resamples(6, 20_000, 0).intervals([values])
    other = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=1)
    assert mean == values.mean()
    assert np.allclose((low, high), other.confidence_interval, atol=0.1)


def test_columns_share_their_resamples():
    """A column times 2 has the interval times 2, whatever is beside it."""
    resamples = Resamples(3, 40, 5)
    values = [1.0, 2.0, 5.0]
    one, two = resamples.intervals([values, [2 * v for v in values]])
    assert np.allclose(np.multiply(one, 2), two)
    assert resamples.intervals([values]) == [one]


def test_no_columns_have_no_intervals():
    """A run without numbers."""
    assert Resamples(3, 10, 0).intervals([]) == []


def test_ends_are_within_the_values():
    """Rounding of means of equal values puts no end beside them."""
    for value in (0.1, 1e300, -7.3e-300):
        assert Resamples(7, 99, 0).intervals([[value] * 7]) == [(value, value, value)]
