"""Gini coefficients against their definition and against simulated random counts."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.lines.crowding import gini, gini_null

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "counts", [RNG.poisson(0.3, 200), RNG.poisson(20, 50), np.array([0, 0, 7]), np.array([3])]
)
def test_half_the_relative_mean_absolute_difference(counts) -> None:
    """sum |c_i - c_j| / (2 n^2 mean)."""
    expected = np.abs(counts[:, None] - counts).sum() / (2 * len(counts) ** 2 * counts.mean())
    assert gini(counts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mean", "expected"), [(0.1, 0.91), (0.5, 0.67), (1.0, 0.52), (10.0, 0.18)]
)
def test_the_null_is_what_poisson_counts_have(mean, expected) -> None:
    """The closed form and a simulation."""
    assert gini_null(mean) == pytest.approx(expected, abs=0.005)
    assert gini(RNG.poisson(mean, 100_000)) == pytest.approx(gini_null(mean), abs=0.005)


def test_no_outlier_no_coefficient() -> None:
    """Null without any count."""
    assert gini(np.zeros(5, int)) is None
    assert gini_null(0.0) is None
