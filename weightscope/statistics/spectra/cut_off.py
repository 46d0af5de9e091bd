"""The power law with an exponential cut-off: its integral, and its maximum likelihood.

Density z^-a exp(-L (z - 1))/I(a, L) on z >= 1, I = integral exp((1 - a) u - L (e^u - 1)) du over
u = ln z >= 0. ln I is convex, so there is one optimum. At a = 0 the law is the exponential, at
L = 0 the power law: both are ends of the range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from math import exp, inf, log, log1p
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NODES = 64  # of Gauss and Legendre: ln I to 1e-10
NEGLIGIBLE = 40.0  # e^-40 of the largest integrand: the end of the integral
STEPS = 100  # at most; 4 to 12 suffice
CONVERGED = 1e-7  # relative, of the means: squared, of the likelihood
SMALLEST = 1e-15  # rate over that of the exponential: below, the power law to the last digit


@dataclass(frozen=True)
class CutOff:
    """Exponent a >= 0 and rate L >= 0 of z^-a exp(-L z)."""

    exponent: float
    rate: float


@dataclass(frozen=True, eq=False)
class _Moments:
    """ln I, the means of ln z and z - 1 under the law, and their covariance matrix.

    A search of the exponent reads two of them; the others are computed where they are read.
    """

    log_integral: float
    log: NDArray[np.float64]  # ln z at the nodes, less its mean
    beyond: NDArray[np.float64]  # z - 1
    shares: NDArray[np.float64]  # of the nodes in the integral
    log_mean: float
    log_variance: float

    @cached_property
    def excess(self) -> float:
        """Mean of z - 1."""
        return float(self.shares @ self.beyond)

    @property
    def covariance(self) -> float:
        """Of ln z and z - 1."""
        return float(self.shares @ (self.log * (self.beyond - self.excess)))

    @property
    def variance(self) -> float:
        """Of z - 1."""
        from_mean = self.beyond - self.excess
        return float(self.shares @ (from_mean * from_mean))


def log_integral(exponent: float, rate: float) -> float:
    """ln of the integral of z^-a exp(-L (z - 1)) over z >= 1, for L > 0.

    >>> round(log_integral(0.0, 2.0), 12) == round(log(1 / 2), 12)
    True
    """
    return _moments(exponent, rate).log_integral


def fitted_cut_off(log_mean: float, excess: float) -> CutOff:
    """The likeliest a and L of a sample with these means of ln z and of z - 1."""
    power = 1 + 1 / log_mean
    if _needs_no_cut_off(log_mean, excess):
        return CutOff(power, 0.0)
    rate = 1 / excess
    if log_mean >= _moments(0.0, rate).log_mean:
        return CutOff(0.0, rate)
    return _joint(power, log_mean, excess)


def _needs_no_cut_off(log_mean: float, excess: float) -> bool:
    """Whether z - 1 has at least the mean it has under the power law, 1/(alpha - 2)."""
    if log_mean >= 1:
        return False  # alpha <= 2: that mean is infinite
    return excess >= log_mean / (1 - log_mean)


def _joint(power: float, log_mean: float, excess: float) -> CutOff:
    """Both parameters: the rate at which the mean of z is that of the sample, a following it.

    With a at its best value for each rate, the slope of the likelihood in the rate rises through
    0 once, between 0 and the rate of the exponential.
    """

    exponent = power / 2

    def slope(log_rate: float) -> tuple[float, float]:
        nonlocal exponent  # the next rate has one nearby
        rate = exp(log_rate)
        exponent = _exponent_at(rate, exponent, power, log_mean)
        moments = _moments(exponent, rate)
        # of the slope, with a following
        curvature = moments.variance - moments.covariance**2 / moments.log_variance
        return (excess - moments.excess) / excess, rate * curvature / excess

    largest = log(1 / excess)
    log_rate = _root(slope, log(SMALLEST) + largest, largest, largest - 1)
    return CutOff(exponent, exp(log_rate))


def _exponent_at(rate: float, start: float, power: float, log_mean: float) -> float:
    """The exponent at which the mean of ln z is that of the sample, from 0 to the power law's."""

    def slope(exponent: float) -> tuple[float, float]:
        moments = _moments(exponent, rate)
        return (log_mean - moments.log_mean) / log_mean, moments.log_variance / log_mean

    return _root(slope, 0.0, power, start)


def _root(
    slope: Callable[[float], tuple[float, float]], low: float, high: float, start: float
) -> float:
    """The root of a rising function from its value and derivative: Newton's steps, or halves."""
    x = start
    for _ in range(STEPS):
        value, derivative = slope(x)
        if abs(value) < CONVERGED:
            break
        if value < 0:
            low = x
        else:
            high = x
        step = inf
        if derivative > 0:
            step = value / derivative
        x -= step
        if not low < x < high:
            x = (low + high) / 2
    return x


@lru_cache(maxsize=64)  # the last exponent of a search is read again, with the other moments
def _moments(exponent: float, rate: float) -> _Moments:
    nodes, weights = _quadrature()
    end = _end(1 - exponent, rate)
    u = nodes * end
    beyond = np.expm1(u)
    heights = (1 - exponent) * u - rate * beyond
    top = float(heights.max())
    masses = weights * np.exp(heights - top)
    total = float(masses.sum())
    shares = masses / total
    log_mean = float(shares @ u)
    from_log = u - log_mean
    return _Moments(
        log_integral=top + log(total * end),
        log=from_log,
        beyond=beyond,
        shares=shares,
        log_mean=log_mean,
        log_variance=float(shares @ (from_log * from_log)),
    )


def _end(slope: float, rate: float) -> float:
    """A u from which on slope u - rate (e^u - 1) is below -40."""
    if slope <= 0:
        return min(NEGLIGIBLE / (rate - slope), log1p(NEGLIGIBLE / rate))
    end = 2 * NEGLIGIBLE + abs(log(rate))
    for _ in range(8):  # each step decreases, towards the solution
        end = log1p((NEGLIGIBLE + slope * end) / rate)
    return end


@cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2
