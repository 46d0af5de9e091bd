"""Means and standard deviations of `orthogonality` and `identity` of i.i.d. elements."""

from __future__ import annotations

from math import sqrt

# Of simulated Gaussian, Laplace and uniform noise from 30 x 2000 to 200 x 200 (ours).
SHIFT = 0.47  # over the shorter side: relative excess over the law's limit
KURTIC, SQUARE = 0.46, 0.09  # the same for each unit of kurtosis, and what a square lacks
WIDTH = 0.55  # over the root of the number of elements


def orthogonality_law(limit: float, m: int, n: int, kurtosis: float) -> tuple[float, float]:
    """limit (1 + (0.47 + (0.46 - 0.09 q) kurtosis)/min(m, n)) and 0.55/sqrt(mn).

    `limit` is that of the Marchenko-Pastur law, q = min(m, n)/max(m, n).

    >>> mean, deviation = orthogonality_law(0.6228, 64, 64, 0.0)
    >>> round(mean, 4), round(deviation, 4)
    (0.6274, 0.0086)
    """
    short, long = sorted((m, n))
    excess = SHIFT + (KURTIC - SQUARE * short / long) * kurtosis
    return limit * (1 + excess / short), WIDTH / sqrt(m * n)


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
