"""beta from moments and the Weibull slope: anchors, simulated laws, and uneven scales."""

from __future__ import annotations

from functools import cache
from math import exp, lgamma, log, pi

import numpy as np
import pytest
from scipy import stats

from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.elements.shape import beta_moment, beta_of_rho, log_rho, weibull_k


@pytest.mark.parametrize(
    ("beta", "rho"), [(0.5, 3.33333), (1, 2), (1.5, 1.69814), (2, pi / 2), (3, 1.46100)]
)
def test_anchors_of_rho(beta, rho):
    """rho has the stated values, and the root goes back to beta."""
    assert exp(log_rho(beta)) == pytest.approx(rho, abs=5e-6)
    assert beta_of_rho(exp(log_rho(beta))) == pytest.approx(beta, rel=1e-10)


@pytest.mark.parametrize("rho", [0.0, 1.0, 4 / 3, 1.3333333333])
def test_no_beta_at_or_below_four_thirds(rho):
    """No generalised Gaussian has rho of 4/3 or less."""
    assert beta_of_rho(rho) is None


@cache
def _drawn(beta):
    return stats.gennorm.rvs(beta, size=100_000, random_state=7)


@pytest.mark.parametrize("beta", [0.5, 0.9, 1.0, 1.5, 2.0, 4.0])
@pytest.mark.parametrize("bins", [False, True])
def test_beta_of_random_samples(counts_of, beta, bins):
    """A sample of a generalised Gaussian has its beta, from exact cells and from bins."""
    assert beta_moment(counts_of(_drawn(beta), bins=bins)) == pytest.approx(beta, rel=0.04)


def test_beta_of_moments_is_the_formula(counts_of):
    """rho is N sum(w^2)/(sum|w|)^2 about zero: a mean is not removed."""
    x = np.random.default_rng(1).normal(0.5, 1, 10_000)
    rho = len(x) * (x**2).sum() / np.abs(x).sum() ** 2
    assert exp(log_rho(beta_moment(counts_of(x)))) == pytest.approx(rho, rel=1e-9)


@pytest.mark.parametrize(
    "x", [[], [0.0, 0.0], [1.0, -1.0, 1.0], [1e-150, 2e-150, -9e-150], [1e200, 2e200, -9e200]]
)
def test_beta_of_nothing_zeros_and_signs(counts_of, x):
    """No weights, zeros alone, two opposite values and squares beyond float64 have no beta."""
    assert beta_moment(counts_of(x)) is None


def test_pooling_unequal_gaussians_fakes_a_small_beta(counts_of):
    """Twelve exact Gaussians with sigma 0.01 to 0.03 pool to beta 1.43, each alone has 2."""
    rng = np.random.default_rng(2)
    parts = [counts_of(rng.normal(0, s, 25_000)) for s in np.linspace(0.01, 0.03, 12)]
    assert [beta_moment(p) for p in parts] == pytest.approx([2.0] * 12, abs=0.06)
    assert beta_moment(sum(parts, ValueCounts())) == pytest.approx(1.43, abs=0.02)


@pytest.mark.parametrize(
    ("log_sd", "beta"), [(0.0, 2.0), (0.1, 1.83), (0.2, 1.49), (0.3, 1.18), (0.5, 0.76)]
)
def test_uneven_scales_fake_a_small_beta(log_sd, beta):
    """Log-normal scales on rows and columns of a Gaussian lower the likeliest beta."""
    rng = np.random.default_rng(3)
    a, b = (np.exp(log_sd * stats.norm.ppf((np.arange(256) + 0.5) / 256)) for _ in range(2))
    w = np.abs(rng.permutation(a)[:, None] * rng.standard_normal((256, 256)) * rng.permutation(b))
    grid = np.arange(beta - 0.2, beta + 0.2, 0.01)
    # maximum likelihood about zero: alpha^beta = beta mean|w|^beta
    loglik = [log(g / 2) - log(g * (w**g).mean()) / g - lgamma(1 / g) - 1 / g for g in grid]
    assert grid[int(np.argmax(loglik))] == pytest.approx(beta, abs=0.03)


def test_weibull_slope_of_a_gaussian(counts_of):
    """A Gaussian has slope 1.2054 in the limit of many weights, whatever its sigma."""
    x = 0.02 * stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert weibull_k(counts_of(x)) == pytest.approx(1.2054, abs=5e-5)
    assert weibull_k(counts_of(x, bins=True)) == pytest.approx(1.2054, abs=1e-3)


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.5])
def test_weibull_slope_of_a_weibull(counts_of, shape):
    """Weights whose size follows a Weibull law give its shape, and signs do not matter."""
    size = stats.weibull_min.ppf((np.arange(100_000) + 0.5) / 100_000, shape)
    assert weibull_k(counts_of(size)) == pytest.approx(shape, rel=1e-4)
    assert weibull_k(counts_of(np.concatenate([size, -size]))) == pytest.approx(shape, rel=1e-4)


def test_weibull_slope_is_the_stated_regression(counts_of):
    """It is the least-squares slope of ln(-ln(1-F)) on ln|w| for F over 0.1..0.9."""
    x = np.random.default_rng(4).laplace(0, 1, 300_000)
    share = np.linspace(0.1, 0.9, 8001)
    want = np.polyfit(np.log(np.quantile(np.abs(x), share)), np.log(-np.log(1 - share)), 1)[0]
    assert weibull_k(counts_of(x)) == pytest.approx(want, abs=1e-3)


@pytest.mark.parametrize("x", [[], [0.5] * 9, [0.5, -0.5] * 9, [0.0] * 3 + [1.0, 2.0, 3.0] * 5])
def test_weibull_slope_where_there_is_none(counts_of, x):
    """No weights, one size alone, or zeros reaching into the range give null."""
    assert weibull_k(counts_of(x)) is None
