"""Nulls: the expectations of statistics for i.i.d. elements of the same shape.

Closed forms; each was checked against simulation. m rows, n columns.
"""

from __future__ import annotations

from math import sqrt

from ...lazy import numpy as np
from ...lazy import special


def spread_null(length: int) -> float:
    """Sd of the log RMS of lines of n = `length` Gaussians: sqrt(psi1(n/2))/2, about sqrt(1/(2n)).

    >>> round(spread_null(512), 5)
    0.03128
    """
    # The trigamma function is the variance of the log of a chi-squared variable.
    trigamma = special.polygamma(1, length / 2)
    return float(np.sqrt(trigamma) / 2)


def mean_share_null(lines: int, length: int) -> float:
    """Share of the variance in the means of i.i.d. lines: (lines - 1)/(lines * length - 1).

    >>> mean_share_null(3, 4)
    0.18181818181818182
    """
    size = lines * length
    return (lines - 1) / (size - 1)


def mean_share_deviation(lines: int, length: int, kurtosis: float) -> float:
    """Standard deviation of a share of the means, for the same elements in random order.

    Its square is 2 (lines - 1)(N - lines)/((N - 1)^2 (N + 1)) (1 - g/N), N = lines * length, g the
    unbiased excess kurtosis: a beta law with a correction, exact over all orders (Box and Andersen
    1955).

    >>> round(mean_share_deviation(30, 2000, 0.0), 8)
    0.0001269
    """
    size = lines * length
    if size < 4:
        return 0.0
    unbiased = (size - 1) / ((size - 2) * (size - 3)) * ((size + 1) * kurtosis + 6)
    beta = 2 * (lines - 1) * (size - lines) / ((size - 1) ** 2 * (size + 1))
    return sqrt(max(beta * (1 - unbiased / size), 0.0))


def lag_null(m: int, n: int) -> float:
    """Standard error of a lag correlation: 1/sqrt(mn).

    >>> lag_null(16, 64)
    0.03125
    """
    return 1 / sqrt(m * n)


def scale_spread_null(length: int) -> float:
    """Sd of the log scales from balancing i.i.d. Gaussian lines of length n: sqrt(1/(2n)).

    >>> scale_spread_null(512)
    0.03125
    """
    return sqrt(1 / (2 * length))
