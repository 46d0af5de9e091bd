"""Mean and standard deviation of the Gini coefficient of outliers that lie at random.

K outliers in m lines of n elements: counts c are binomial with share K/(mn), and their sum is K.
"""

from __future__ import annotations

from math import log, log1p, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEETINGS = 1.5  # pairs of outliers expected in one line; below, the coefficient has few values
REACH = 12.0  # standard deviations of a count
BESIDE = 25.0  # and counts beyond them, of rare outliers


def gini_law(lines: int, length: int, outliers: int) -> tuple[float, float] | None:
    """Expectation and standard deviation of `gini`; None where under 1.5 pairs share a line.

    (m-1)/m sum_k F(k)(1 - F(k))/mu, and sqrt(V/m)/mu: V is the variance of h(c) = E|c - c'| that
    is left beside a line in c, since the sum of all counts is known.
    """
    size = lines * length
    if lines < 2 or outliers >= size or outliers * (outliers - 1) < 2 * MEETINGS * lines:
        return None
    share = outliers / size
    mean = length * share
    reach = REACH * sqrt(mean * (1 - share)) + BESIDE
    low, high = max(0, int(mean - reach)), min(length, int(mean + reach))
    count = np.arange(low, high + 1)
    p = _binomial(count, length, share)
    below = np.cumsum(p)
    expected = (lines - 1) / lines * float((below * (1 - below)).sum()) / mean
    distance = count * (2 * below - 1) + mean - 2 * np.cumsum(count * p)
    distance = distance - p @ distance
    centred = count - p @ count
    along = float(p @ (distance * centred)) ** 2 / float(p @ centred**2)
    variance = max(float(p @ distance**2) - along, 0.0)
    return expected, sqrt(variance / lines) / mean


def _binomial(count: NDArray[np.int64], length: int, share: float) -> NDArray[np.float64]:
    """Probabilities of these counts among `length` elements, as a share of their sum."""
    choices = -special.gammaln(count + 1) - special.gammaln(length - count + 1)
    weight = choices + count * log(share) + (length - count) * log1p(-share)
    p: NDArray[np.float64] = np.exp(weight - weight.max())
    return np.asarray(p / p.sum())
