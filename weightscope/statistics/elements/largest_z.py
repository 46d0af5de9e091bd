"""Largest |z| of a tensor, and its expectation for as many independent Gaussian values."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special

if TYPE_CHECKING:
    from ...sketches import ValueCounts

FAR = 14.0  # sigma: P(|z| > 14) = 2e-44, nothing for any count that can be stored


def max_z(counts: ValueCounts) -> float | None:
    """max|w - mean|/std, mean and std of all weights; None where std is 0 or undefined."""
    if not counts.std > 0:
        return None
    mean = counts.power.mean
    return max(counts.maximum - mean, mean - counts.minimum) / counts.std


@lru_cache(maxsize=4096)
def max_z_null(count: int) -> float | None:
    """E max|z| of that many Gaussian values: the integral over x >= 0 of 1 - erf(x/sqrt 2)^N.

    >>> round(max_z_null(4_000_000), 2)
    5.26
    """
    if count < 1:
        return None
    x = np.linspace(1e-12, FAR, 4001)
    log_inside = np.log1p(-special.erfc(x / sqrt(2)))  # ln P(|z| <= x)
    outside = -np.expm1(count * log_inside)
    return float(np.trapezoid(outside, x))
