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


def spread_iid(kurtosis: float, length: int) -> float:
    """Sd of the log RMS of lines of n elements of an excess kurtosis: sqrt((kurtosis + 2)/(4n)).

    >>> spread_iid(0, 512)
    0.03125
    """
    variance = max(kurtosis + 2, 0.0)  # of squares; rounding may take it below 0
    return sqrt(variance / (4 * length))


def mean_share_null(lines: int, length: int) -> float:
    """Share of the variance in the means of i.i.d. lines: (lines - 1)/(lines * length - 1).

    >>> mean_share_null(3, 4)
    0.18181818181818182
    """
    size = lines * length
    return (lines - 1) / (size - 1)


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
