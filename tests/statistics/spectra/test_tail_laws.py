"""Densities of a tail: normalised over z >= 1, and at their greatest likelihood."""

from __future__ import annotations

from math import exp, inf

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from weightscope.statistics.spectra.tail_laws import (
    exponential_densities,
    log_normal_densities,
    power_law_densities,
    score_against_log_normal,
    truncated_densities,
)


def _logs(seed: int, spread: float = 1.0) -> np.ndarray:
    z = np.sort(np.exp(np.random.default_rng(seed).normal(0, spread, 200)))
    return np.log(z[100:] / z[100])


def _weibull_logs() -> np.ndarray:
    return np.random.default_rng(5).weibull(1.5, 150)


LAWS = {
    "power law": power_law_densities,
    "exponential": exponential_densities,
    "log-normal": log_normal_densities,
    "truncated": truncated_densities,
}


@pytest.mark.parametrize("name", LAWS)
def test_densities_integrate_to_one(name):
    """Interpolated finely over ln z, the density times z has an integral of 1.

    Values between those of the sample belong to the same law: they move no mean.
    """
    y = _logs(1)
    mean, square, z_mean = y.mean(), np.square(y).mean(), np.exp(y).mean()
    density = LAWS[name](y) + y
    # every law is exp of a combination of 1, y, y^2 and e^y
    basis = np.stack([np.ones_like(y), y, np.square(y), np.exp(y)])
    coefficients, *_ = np.linalg.lstsq(basis.T, density, rcond=None)

    def height(u: float) -> float:
        return exp(coefficients @ [1, u, u * u, exp(u)])

    assert integrate.quad(height, 0, 12)[0] == pytest.approx(1, abs=1e-6)
    assert min(mean, square, z_mean) > 0


@pytest.mark.parametrize("logs", [_logs(2), _logs(3, 2.0), _weibull_logs()], ids="123")
def test_the_log_normal_is_the_likeliest(logs):
    """Nelder and Mead on the Gaussian of ln z cut off at 0 finds nothing likelier."""

    def minus_likelihood(parameters) -> float:
        mu, sigma = parameters
        if sigma <= 0:
            return inf
        inside = stats.norm.logpdf(logs, mu, sigma) - stats.norm.logsf(0, mu, sigma)
        return -float((inside - logs).sum())

    best = float(log_normal_densities(logs).sum())
    other = optimize.minimize(minus_likelihood, (logs.mean(), logs.std()), method="Nelder-Mead")
    assert -other.fun <= best + 1e-9
    assert -other.fun == pytest.approx(best, abs=1e-3)


def test_the_power_law_is_a_limit_of_log_normals():
    """Logs of std above their mean have none; just below it the ratio is near that of the score."""
    y = np.random.default_rng(4).exponential(size=400)
    assert log_normal_densities(np.append(y, 20.0)) is None
    y = y[y < 4.5]
    ratio = float(np.square(y).mean() / y.mean() ** 2)
    assert ratio < 2
    spread = y.copy()
    for _ in range(60):  # the largest value moves until the ratio is just below 2
        ratio = float(np.square(spread).mean() / spread.mean() ** 2)
        spread[-1] += 60 * (2 - 1e-4 - ratio)
    difference = power_law_densities(spread) - log_normal_densities(spread)
    score = score_against_log_normal(spread)
    scaled = difference / np.abs(difference).max()
    assert scaled == pytest.approx(score / np.abs(score).max(), abs=0.05)


def test_nested_laws_are_never_less_likely():
    """The truncated power law holds the power law and the exponential as its ends."""
    ridge = np.array([0, 0.02618, 0.09146])  # nearly the same likelihood from end to end
    for logs in (_logs(6), _weibull_logs(), np.random.default_rng(7).exponential(size=99), ridge):
        best = truncated_densities(logs).sum()
        assert best >= power_law_densities(logs).sum() - 1e-9
        assert best >= exponential_densities(logs).sum() - 1e-9


def test_near_equal_values():
    """A tail within 1e-9 of its start: finite densities, without warnings."""
    y = np.linspace(0, 1e-9, 30)
    for densities in LAWS.values():
        assert np.isfinite(densities(y)).all()
    assert np.isfinite(log_normal_densities(1 + 1e-12 * np.arange(30.0))).all()
