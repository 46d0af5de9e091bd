"""The Tracy-Widom law against its known moments and points, and its tails."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from tests.statistics.spectra.noise import largest
from weightscope.statistics.spectra.reference.build_edge import log_tails
from weightscope.statistics.spectra.tracy_widom import (
    GRID,
    MEAN,
    SKEWNESS,
    VARIANCE,
    centre_and_scale,
    normal_quantile,
)


def _raw_moments() -> list[float]:
    """E s^k from the tails of the script: k int s^(k-1) (1 - F) - k int s^(k-1) F, k = 1 to 4."""
    node, weight = np.polynomial.legendre.leggauss(20)
    below, above = (node - 1) * 6, (node + 1) * 8  # -12 to 0, 0 to 16
    left = np.array([np.exp(log_tails(s)[0]) for s in below]) * weight * 6
    right = np.array([np.exp(log_tails(s)[1]) for s in above]) * weight * 8
    orders = range(1, 5)
    return [k * float(above ** (k - 1) @ right - below ** (k - 1) @ left) for k in orders]


def test_moments_are_the_published_ones():
    """Mean -1.2065336, variance 1.6077810, skewness 0.2934645, excess kurtosis 0.1652425."""
    first, second, third, fourth = _raw_moments()
    variance = second - first**2
    skewness = (third - 3 * first * second + 2 * first**3) / variance**1.5
    central = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    assert first == pytest.approx(-1.2065336, abs=1e-7)
    assert variance == pytest.approx(1.6077810, abs=1e-7)
    assert skewness == pytest.approx(0.2934645, abs=1e-7)
    assert central / variance**2 - 3 == pytest.approx(0.1652425, abs=1e-6)
    assert pytest.approx((first, variance, skewness), abs=1e-7) == (MEAN, VARIANCE, SKEWNESS)


POINTS = [(2.0234, 0.99), (0.9793, 0.95), (0.4501, 0.90), (-1.2686, 0.5), (-3.8954, 0.01)]


@pytest.mark.parametrize(("s", "share"), POINTS)
def test_the_table_has_the_known_points(s, share):
    """Points of Bejan's table of the law."""
    assert ndtr(normal_quantile(s)) == pytest.approx(share, abs=3e-5)


@pytest.mark.parametrize("s", [-7.2, -3.33, -1.111, 0.77, 4.567, 11.9])
def test_between_points_the_table_is_the_law(s):
    """The probability at any s is that of the determinant to 1e-4 relative."""
    log_below, log_above = log_tails(s)
    z = normal_quantile(s)
    assert ndtr(z) == pytest.approx(np.exp(log_below), rel=2e-4)
    assert ndtr(-z) == pytest.approx(np.exp(log_above), rel=2e-4)


@pytest.mark.parametrize("end", [GRID[0], GRID[-1]])
def test_tails_join_the_table(end):
    """The asymptotic tails continue it within 0.001, in the same direction."""
    inside, outside = normal_quantile(end), normal_quantile(end * (1 + 1e-9))
    assert outside == pytest.approx(inside, abs=1e-3)
    assert (outside - inside) * end > 0


def test_far_tails_are_finite_and_monotone():
    """From -1e6 to 1e6: 1e-18 and less on the right has a quantile as well."""
    at = np.concatenate([-np.geomspace(1e6, 1, 50), np.geomspace(1, 1e6, 50)])
    quantiles = [normal_quantile(float(s)) for s in at]
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles) > 0).all()
    assert normal_quantile(20.0) == pytest.approx(11.0, abs=0.01)


def test_the_scale_of_noise():
    """Mean and variance of lambda_1 of 40 x 90 Gaussian noise are those of the law."""
    values, _ = largest(40, 90, 4000, np.random.default_rng(7))
    mu, sc = centre_and_scale(40, 90)
    standard = (values - mu) / sc
    assert standard.mean() == pytest.approx(MEAN, abs=0.08)
    assert standard.var() == pytest.approx(VARIANCE, rel=0.08)
