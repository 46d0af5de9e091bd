"""What chance alone gives: the expectation that stands beside a reading, for i.i.d. elements of the same shape.

Closed forms and one integral; each was checked against simulation. m rows, n columns.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

from ..heavy import numpy as np
from ..heavy import special


@lru_cache(maxsize=4096)
def max_z_null(count: int) -> float | None:
    """E max|z| of that many Gaussians: the integral over x >= 0 of 1 - erf(x/sqrt 2)^N.

    >>> round(max_z_null(4_000_000), 2)
    5.26
    """
    if count < 1:
        return None
    x = np.linspace(1e-12, 14, 4001)            # beyond 14 sigma nothing is left for any count that can be stored
    inside = np.log1p(-special.erfc(x / sqrt(2)))
    return float(np.trapezoid(-np.expm1(count * inside), x))


def spread_null(length: int) -> float:
    """Sd of the log RMS of lines of that many Gaussians: sqrt(psi1(n/2))/2, about sqrt(1/(2n)).

    >>> round(spread_null(512), 5)
    0.03128
    """
    return float(np.sqrt(special.polygamma(1, length / 2)) / 2)


def spread_iid(kurtosis: float, length: int) -> float:
    """Sd of the log RMS of lines of that many elements of that excess kurtosis: sqrt((kurtosis + 2)/(4n)).

    >>> spread_iid(0, 512)
    0.03125
    """
    return sqrt(max(kurtosis + 2, 0.0) / (4 * length))


def mean_share_null(lines: int, length: int) -> float:
    """Share of variance in the means of lines of i.i.d. elements: (lines - 1)/(lines * length - 1).

    >>> mean_share_null(3, 4)
    0.18181818181818182
    """
    return (lines - 1) / (lines * length - 1)


def lag_null(m: int, n: int) -> float:
    """Standard error of a lag correlation: 1/sqrt(mn).

    >>> lag_null(16, 64)
    0.03125
    """
    return 1 / sqrt(m * n)


def scale_spread_null(length: int) -> float:
    """Sd of the log scales that balancing finds in i.i.d. Gaussians, lines of that length: sqrt(1/(2n)).

    >>> scale_spread_null(512)
    0.03125
    """
    return sqrt(1 / (2 * length))


def balanced_kurtosis_gaussian(m: int, n: int) -> float:
    """Excess kurtosis of a balanced i.i.d. Gaussian matrix: -6/(n+2) - 6/(m+2), within 0.011 from 64 x 64 on.

    >>> balanced_kurtosis_gaussian(94, 94)
    -0.125
    """
    return -6 / (n + 2) - 6 / (m + 2)
