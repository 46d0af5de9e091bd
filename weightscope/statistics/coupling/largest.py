"""The largest |rho| of independent vectors over L blocks: its expectation, and its points.

The correlation of two independent vectors of n elements, one of them Gaussian, has the standard
deviation 1/sqrt(n - 1) and nearly the distribution N(0, 1/n). Repeating each element of one vector
g times, as a kv head for its group, does not change this: n is the length after the repetition.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt
from typing import Any

from ...lazy import numpy as np
from ...lazy import special

STEPS = 4001  # of the integral; its error is below 1e-5
BEYOND = 9.0  # standard deviations: no larger |rho| among 1e15
HALVINGS = 60  # of an interval: below the precision of float64


def expected_largest(lengths: Sequence[int]) -> float:
    """E max over l of |N(0,1)| / sqrt(n_l) = integral of 1 - prod erf(x sqrt(n_l / 2)) dx.

    `lengths` are the n_l, one of each correlation. Of one n it equals the expectation of the
    largest of L half-normal values over sqrt(n). Source: order statistics, [David 1981].

    >>> round(expected_largest([384] * 6), 3)
    0.084
    """
    return _expected(_counted(lengths))


def largest_point(lengths: Sequence[int], share: float) -> float:
    """The x that the largest |rho| does not exceed with probability `share`.

    Solves prod erf(x sqrt(n_l / 2)) = share; of one n
    x = Phi^-1((1 + share^(1/L)) / 2) / sqrt(n). Equals scipy.stats.norm.ppf there.

    >>> round(largest_point([384] * 6, 0.95), 3)
    0.134
    """
    return _point(_counted(lengths), share)


def _counted(lengths: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """(length, number of correlations), ascending."""
    values, counts = np.unique(np.asarray(lengths), return_counts=True)
    return tuple(zip(values.tolist(), counts.tolist(), strict=True))


@cache
def _expected(counted: tuple[tuple[int, int], ...]) -> float:
    shortest, _ = counted[0]
    x = np.linspace(0.0, BEYOND / sqrt(shortest), STEPS)
    return float(np.trapezoid(1 - _below(x, counted), x))


@cache
def _point(counted: tuple[tuple[int, int], ...], share: float) -> float:
    if len(counted) == 1:
        ((n, count),) = counted
        # of the upper tail: 1 - (1 + share^(1/L))/2 keeps its digits
        tail = -float(np.expm1(np.log(share) / count)) / 2
        return -float(special.ndtri(tail)) / sqrt(n)
    low, high = 0.0, BEYOND / sqrt(counted[0][0])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _below(middle, counted) < share:
            low = middle
        else:
            high = middle
    return high


def _below(x: Any, counted: tuple[tuple[int, int], ...]) -> Any:
    """The probability that every |rho| is below x."""
    below: Any = 1.0
    for n, count in counted:
        below = below * special.erf(np.asarray(x) * sqrt(n / 2)) ** count
    return below
