"""Largest |z| of a tensor, its mean and std for as many independent Gaussian values, its score."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...lazy import special
from ...sketches import Count
from ..statistic import Evidence, Statistic
from .end_law import MOST, chance_of_larger, ends_of
from .tail_z import tail_z

if TYPE_CHECKING:
    from ...sketches import ValueCounts

COLUMNS = (
    Column("max_z", "float", "largest |w - mean|/std", "std", shown=True, error="max_z_se"),
    Column("max_z_null", "float", "expected max_z of as many Gaussian values", "std", shown=True),
    Column(
        "max_z_score",
        "float",
        "normal quantile of the probability of a smaller largest weight, by the tail of the others",
        version=2,
    ),
    Column(
        "max_z_tail",
        "float",
        "max_z that one matrix in 1,000 with the tail of its other weights exceeds",
        "std",
    ),
    Column(
        "max_z_se",
        "float",
        "standard deviation of max_z of as many Gaussian values",
        "std",
        on_request=True,
    ),
)
FAR = 14.0  # sigma: P(|z| > 14) = 2e-44, nothing for any count that can be stored


def max_z(counts: ValueCounts) -> float | None:
    """max|w - mean|/std, mean and std of all weights; None where std is 0 or undefined."""
    if not counts.std > 0:
        return None
    mean = counts.power.mean
    return max(counts.maximum - mean, mean - counts.minimum) / counts.std


def max_z_null(count: int) -> float | None:
    """E max|z| of that many Gaussian values: the integral over x >= 0 of 1 - erf(x/sqrt 2)^N.

    >>> round(max_z_null(4_000_000), 2)
    5.26
    """
    return _null(count)[0]


def max_z_se(count: int) -> float | None:
    """The standard deviation of max|z| of that many Gaussian values.

    E max|z|^2 is the integral over x >= 0 of 2x (1 - erf(x/sqrt 2)^N).

    >>> round(max_z_se(4_000_000), 3)
    0.231
    """
    return _null(count)[1]


def max_z_score(counts: ValueCounts) -> float | None:
    """The normal quantile of the probability of a smaller largest weight, each end by its own tail.

    P = 1 - m (2 - m), m the smaller of the two ends' probabilities of a larger weight; None where
    an end has too few different weights, and where the middle half is one value.
    """
    ends = ends_of(counts)
    if ends is None:
        return None
    least = min(chance_of_larger(end) for end in ends)
    either = min(least * (2 - least), MOST)  # the less probable of two
    return -float(special.ndtri(either))


@lru_cache(maxsize=4096)
def _null(count: int) -> tuple[float | None, float | None]:
    """Mean and standard deviation of max|z|."""
    if count < 1:
        return None, None
    x = np.linspace(1e-12, FAR, 4001)
    log_inside = np.log1p(-special.erfc(x / sqrt(2)))  # ln P(|z| <= x)
    outside = -np.expm1(count * log_inside)
    mean = float(np.trapezoid(outside, x))
    square = float(np.trapezoid(2 * x * outside, x))
    return mean, sqrt(square - mean * mean)


def largest_z(counts: ValueCounts) -> Mapping[str, object]:
    """`max_z`, its expectation and standard deviation for Gaussian values, its score and tail."""
    z = max_z(counts)
    if z is None:
        return dict.fromkeys(column.name for column in COLUMNS)
    return {
        "max_z": z,
        "max_z_null": max_z_null(counts.n),
        "max_z_score": max_z_score(counts),
        "max_z_tail": tail_z(counts),
        "max_z_se": max_z_se(counts.n),
    }


def _of_counts(evidence: Evidence) -> Mapping[str, object]:
    return largest_z(evidence.sketches[Count()])


# counts alone: without the passes of the other extremes
LARGEST_Z = Statistic(COLUMNS, frozenset({Count()}), _of_counts, pools=True)
