"""The largest |z| against numpy; its expectation against simulation and the documentation."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest

from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.elements.largest_z import max_z, max_z_null


def test_largest_z_is_about_mean_and_std(counts_of):
    """max_z is max|w - mean|/std on either side, from bins as exactly as from values."""
    for sign in (1, -1):
        x = sign * np.random.default_rng(5).exponential(1, 1000)
        want = np.abs(x - x.mean()).max() / x.std()
        assert max_z(counts_of(x)) == pytest.approx(want)
        assert max_z(counts_of(x, bins=True)) == pytest.approx(want)


def test_without_spread_there_is_no_largest_z(counts_of):
    """Nothing and a constant have none."""
    assert max_z(ValueCounts()) is None
    assert max_z(counts_of([0.1] * 1000)) is None


def test_expected_maximum_of_four_million():
    """Four million Gaussians reach 5.26 sigma."""
    assert max_z_null(4_000_000) == pytest.approx(5.26, abs=5e-3)


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_expected_maximum_by_simulation(count):
    """The integral is the mean of max|z| over many samples; of one value sqrt(2/pi)."""
    largest = np.abs(np.random.default_rng(count).standard_normal((4000, count))).max(1)
    assert max_z_null(count) == pytest.approx(largest.mean(), abs=4 * largest.std() / sqrt(4000))
    assert max_z_null(1) == pytest.approx(sqrt(2 / pi), abs=1e-6)


def test_expected_maximum_of_nothing():
    """Nothing has no maximum, and a trillion still has one."""
    assert max_z_null(0) is None
    assert 7 < max_z_null(10**12) < 7.5
