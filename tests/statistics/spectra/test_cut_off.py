"""The power law with a cut-off against scipy's quadrature, closed forms and a plain optimiser."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, log

import numpy as np
import pytest
from scipy import integrate, optimize, special

from weightscope.statistics.spectra.cut_off import fitted_cut_off, log_integral

SHAPES = [
    (0.0, 0.01),
    (0.3, 1e-8),
    (0.9, 1e-3),
    (1.0, 1e-6),
    (1.5, 0.2),
    (2.0, 1e-10),
    (2.5, 3.0),
    (6.0, 1e-4),
    (200.0, 5.0),
    (0.5, 2000.0),
]


@pytest.mark.parametrize(("exponent", "rate"), SHAPES)
def test_the_integral_is_that_of_adaptive_quadrature(exponent, rate):
    """ln of the integral over u = ln z, to 1e-9."""
    top = max(0.0, log((1 - exponent) / rate)) if exponent < 1 else 0.0
    ends = sorted({0.0, top, *(top + width for width in (1e-4, 1e-2, 0.3, 1, 3, 10, 40))})

    def height(u: float) -> float:
        return exp((1 - exponent) * u - rate * np.expm1(u))

    parts = (integrate.quad(height, *end, epsabs=0) for end in pairwise(ends))
    expected = log(sum(value for value, _ in parts))
    assert log_integral(exponent, rate) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rate", [1e-6, 0.1, 4.0, 300.0])
def test_integer_exponents_are_exponential_integrals(rate):
    """a = 1 and a = 2 are scipy's E_1 and E_2, scaled by e^rate."""
    for exponent in (1, 2):
        expected = log(special.expn(exponent, rate)) + rate
        assert log_integral(exponent, rate) == pytest.approx(expected, abs=1e-10)


def _minus_likelihood(parameters, log_mean: float, excess: float) -> float:
    exponent, rate = parameters
    if exponent < 0 or rate <= 0:
        return inf
    return exponent * log_mean + rate * excess + log_integral(exponent, rate)


@pytest.mark.parametrize(("seed", "exponent"), [(1, 1.2), (2, 2.0), (3, 3.5)])
def test_the_optimum_is_that_of_a_plain_optimiser(seed, exponent):
    """Nelder and Mead from the fit and from elsewhere ends no higher."""
    rng = np.random.default_rng(seed)
    z = rng.pareto(exponent - 1, 20000) + 1
    z = z[rng.random(len(z)) < np.exp(-0.1 * (z - 1))]
    means = float(np.log(z).mean()), float(z.mean() - 1)
    fit = fitted_cut_off(*means)
    assert (fit.exponent, fit.rate) == pytest.approx((exponent, 0.1), abs=0.1)
    best = _minus_likelihood((fit.exponent, fit.rate), *means)
    for start in ((fit.exponent, fit.rate), (1.5, 0.02)):
        other = optimize.minimize(_minus_likelihood, start, means, "Nelder-Mead", tol=1e-9)
        assert best <= other.fun + 1e-10


def test_ends_of_the_range():
    """A mean above that of the power law needs no cut-off; below an exponential's, no exponent."""
    heavy = fitted_cut_off(0.5, 2.0)
    assert (heavy.exponent, heavy.rate) == (3.0, 0.0)
    light = fitted_cut_off(log(2.0), 1.0)  # all values equal to 2
    assert (light.exponent, light.rate) == (0.0, 1.0)
