"""What chance alone gives: the expectation that stands beside a reading, for i.i.d. elements of the same shape.

Closed forms; each was checked against simulation. m rows, n columns.
"""

from __future__ import annotations

from math import sqrt

from ...lazy import numpy as np
from ...lazy import special


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
