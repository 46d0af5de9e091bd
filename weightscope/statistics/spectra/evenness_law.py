"""Means and standard deviations of `orthogonality` and `identity` of i.i.d. elements.

The mean of sigma is a linear statistic of f = sqrt(x) (`linear_statistic`), and orthogonality
follows from it at a fixed mean square.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .linear_statistic import ORDERS, Elements, shift
from .mp_law import mp_mean_root

if TYPE_CHECKING:
    from .linear_statistic import Array


def orthogonality_law(m: int, n: int, elements: Elements) -> tuple[float, float] | None:
    """Mean and standard deviation; None where far weights dominate the sum of squares.

    With r = min(m, n) and M the Marchenko-Pastur mean of sqrt(x), the mean of sigma is M + D/r,
    D = (sqrt(low) + sqrt(high))/4 - a_0/4 + `shift`, and orthogonality sqrt(1/(M + D/r)^2 - 1). Its
    variance is that of a sum of sqrt(x), a_2^2 (1 + p (1/m + 1/n)/2) + sum over k > 2 of k a_k^2/2,
    times the square of the derivative. p = (kurtosis + 2)^2 - sum tau^4 are the products of two
    squares in one line, in random order.

    >>> mean, deviation = orthogonality_law(64, 64, Elements(0.0))
    >>> round(mean, 4), round(deviation, 4)
    (0.6284, 0.0089)
    """
    short, long = sorted((m, n))
    a, others = _roots(short / long)
    # sqrt(low) + sqrt(high) = 2
    added = 1 / 2 - float(a[0]) / 4 + shift(a, np.sqrt, short / long, elements)
    mean_root = mp_mean_root(short / long) + added / short
    if not 0 < mean_root < 1:
        return None
    orthogonality = sqrt((1 - mean_root) * (1 + mean_root)) / mean_root
    pairs = (elements.kurtosis + 2) ** 2 - float(elements.tau**4 @ elements.number)
    variance = float(a[2]) ** 2 * (1 + max(pairs, 0.0) * (1 / m + 1 / n) / 2) + others
    return orthogonality, sqrt(variance) / (short * mean_root**3 * orthogonality)


@lru_cache(maxsize=256)
def _roots(q: float) -> tuple[Array, float]:
    """Chebyshev coefficients a_k of |1 + sqrt(q) e^(i phi)|, and the sum of k a_k^2/2 over k > 2.

    a_k = 2 binom(1/2, k) q^(k/2) 2F1(-1/2, k - 1/2; k + 1; q), from the binomial series.
    """
    k = np.arange(ORDERS)
    of_order = special.hyp2f1(-0.5, k - 0.5, k + 1.0, q)
    a = 2 * special.binom(0.5, k) * q ** (k / 2) * of_order
    return a, float((k * a**2 / 2)[3:].sum())


def identity_deviation(m: int, n: int, kurtosis: float) -> float:
    """Standard deviation of the energy share of max(m,n) of mn elements in random order.

    d/N sqrt((kurtosis + 2)(N - d)/(d (N - 1))), N = mn and d = max(m, n), mean 0: kurtosis + 2 is
    the variance of w^2 over the square of its mean.

    >>> round(identity_deviation(64, 64, 0.0), 5)
    0.00274
    """
    count, diagonal = m * n, max(m, n)
    if count < 2:
        return 0.0
    relative = (kurtosis + 2) * (count - diagonal) / (diagonal * (count - 1))
    return diagonal / count * sqrt(max(relative, 0.0))
