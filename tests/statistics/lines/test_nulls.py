"""Nulls against simulation, seeded, and against the figures that the documentation states."""

from __future__ import annotations

from itertools import permutations
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from weightscope.statistics.lines import nulls


def _draws(shape: tuple[int, int], times: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((times, *shape))


@pytest.mark.parametrize("length", [1, 3, 16, 512])
def test_spread_null_by_simulation(length):
    """The sd of log RMS over many Gaussian lines is sqrt(psi1(n/2))/2, about sqrt(1/(2n))."""
    squares = np.random.default_rng(length).chisquare(length, 20_000)  # of each line their sum
    found = 0.5 * np.log(squares / length)
    assert nulls.spread_null(length) == pytest.approx(found.std(), rel=0.03)
    assert nulls.spread_null(length * 100) == pytest.approx(sqrt(1 / (200 * length)), rel=0.02)


def test_mean_share_null_by_simulation():
    """Row means of pure noise have (m-1)/(mn-1) of the variance on average."""
    w = _draws((8, 20), 4000)
    share = w.mean(2).var(1) / w.var((1, 2))
    assert nulls.mean_share_null(8, 20) == pytest.approx(share.mean(), rel=0.02)


def test_lag_null_by_simulation():
    """The correlation of neighbours in noise has a standard deviation of 1/sqrt(mn)."""
    w = _draws((32, 48), 800)
    found = [np.corrcoef(x[:, :-1].ravel(), x[:, 1:].ravel())[0, 1] for x in w]
    assert nulls.lag_null(32, 48) == pytest.approx(np.std(found), rel=0.08)


def test_balancing_nulls_by_simulation():
    """Balanced Gaussians: log scales of sd sqrt(1/(2n)), kurtosis -6/(n+2) - 6/(m+2)."""
    core = _draws((64, 160), 200)
    w = core.copy()
    for _ in range(6):
        core = core / np.sqrt((core**2).mean(2, keepdims=True))
        core = core / np.sqrt((core**2).mean(1, keepdims=True))
    kurtosis = (core**4).mean((1, 2)) / (core**2).mean((1, 2)) ** 2 - 3
    scales = np.log(np.abs(w / core))
    assert kurtosis.mean() == pytest.approx(-6 / (160 + 2) - 6 / (64 + 2), abs=0.012)
    assert nulls.scale_spread_null(160) == pytest.approx(scales.mean(2).std(1).mean(), rel=0.02)
    assert nulls.scale_spread_null(64) == pytest.approx(scales.mean(1).std(1).mean(), rel=0.02)


def test_mean_shares_of_all_orders():
    """Mean and variance over all 720 orders of six elements of a large kurtosis."""
    w = np.array([0.1, 2, -1, 0.5, 9, -0.3])
    centred = w - w.mean()
    shares = []
    for order in permutations(centred):
        rows = np.reshape(order, (3, 2)).sum(1)
        shares.append((rows**2).sum() / 2 / (centred**2).sum())
    assert np.mean(shares) == pytest.approx(nulls.mean_share_null(3, 2))
    deviation = nulls.mean_share_deviation(3, 2, float(stats.kurtosis(w)))
    assert np.std(shares) == pytest.approx(deviation)
