"""Log densities of a tail under four laws: power law, log-normal, exponential, truncated power law.

Each by maximum likelihood on z = lambda/xmin >= 1, normalised over z >= 1 (arXiv 0706.1062, table
2.1), from y = ln z. The exponential and the truncated power law need e^y in float64.
"""

from __future__ import annotations

from math import inf, log, pi, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .cut_off import fitted_cut_off, log_integral

if TYPE_CHECKING:
    from numpy.typing import NDArray

HALVINGS = 60  # of the interval of h: to the last digits of 1,000
LARGEST_H = 1e3  # beyond it the log-normal is the power law to 1e-6 of its density
UNTRUNCATED = -5.0  # below it erfcx nears overflow, and less than 3e-7 of the mass is cut off


def power_law_densities(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln((alpha - 1) z^-alpha) with alpha = 1 + 1/mean(y).

    >>> power_law_densities(np.array([0.0, 2.0])).tolist()
    [0.0, -4.0]
    """
    slope = 1 / float(y.mean())
    return log(slope) - (slope + 1) * y


def exponential_densities(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln(L exp(-L (z - 1))) with L = 1/(mean(z) - 1)."""
    excess = np.expm1(y)
    rate = 1 / float(excess.mean())
    return log(rate) - rate * excess


def log_normal_densities(y: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Log densities of the log-normal above z = 1; None where the power law is its best limit.

    y is Gaussian, cut off at 0. Equal first and second moments of y solve the likelihood: with h
    the standardised cut-off and k(h) = phi(h)/(1 - Phi(h)), mean(y^2)/mean(y)^2 =
    (1 - h (k - h))/(k - h)^2, which rises from 1 to 2; 2 is the power law.
    """
    mean = float(y.mean())
    ratio = float(np.square(y).mean()) / mean**2
    if ratio >= _moment_ratio(LARGEST_H):
        return None
    h = _standardised_start(ratio)
    sigma = mean / _mean_excess(h)
    t = y / sigma
    constant = -log(sigma) - log(2 * pi) / 2
    if h < UNTRUNCATED:
        share = float(special.log_ndtr(-h))
        return constant - share - np.square(t + h) / 2 - y
    # h^2/2 cancels between the exponent and the normalisation
    share = log(float(special.erfcx(h / sqrt(2))) / 2)
    return constant - share - np.square(t) / 2 - h * t - y


def truncated_densities(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln(z^-a exp(-L z) / integral), a >= 0 and L >= 0: a power law with an exponential cut-off."""
    excess = np.expm1(y)
    fit = fitted_cut_off(float(y.mean()), float(excess.mean()))
    if fit.rate == 0:
        return power_law_densities(y)
    if fit.exponent == 0:
        return exponential_densities(y)
    return -fit.exponent * y - fit.rate * excess - log_integral(fit.exponent, fit.rate)


def score_against_log_normal(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per value, the log ratio of the power law to a log-normal close to it, up to a factor.

    y^2 - 4 m y + 2 m^2, m = mean(y): the derivative of the log density in the coefficient of y^2,
    with that of y at its best value.
    """
    mean = float(y.mean())
    return np.square(y) - 4 * mean * y + 2 * mean**2


def _mean_excess(h: float) -> float:
    """k(h) - h: the mean of a Gaussian above its standardised cut-off h, from there on."""
    return sqrt(2 / pi) / float(special.erfcx(h / sqrt(2))) - h


def _moment_ratio(h: float) -> float:
    excess = _mean_excess(h)
    return (1 - h * excess) / excess**2


def _standardised_start(ratio: float) -> float:
    """The h of this ratio of moments, by bisection."""
    low = -inf
    if ratio > 1:
        low = -1 - 1 / sqrt(ratio - 1)
    high = LARGEST_H
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _moment_ratio(middle) < ratio:
            low = middle
        else:
            high = middle
    return high
