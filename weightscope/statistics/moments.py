"""Moments and L-moments of counted cells.

Mean, std, skew and kurtosis come from the exact power sums, never from cells. L-moments come from the cells: where
cells are exact values they equal those of the expanded sample, in wide bins they use the middle of the bin (2^-8 of a
value at most).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..heavy import numpy as np
from ..sketches.quantiles import resolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..sketches.value_counts import ValueCounts

BEYOND = "squares leave float64: no std"        # of values about 1e155 or 1e-146


def moments(counts: ValueCounts) -> Mapping[str, float | None]:
    """Mean, population std, skew m3/m2^1.5, excess kurtosis m4/m2^2 - 3, min and max of the finite values.

    A constant has std 0 and neither skew nor kurtosis; what has squares beyond float64 has no std either. Equals
    numpy.mean, numpy.std, scipy.stats.skew and kurtosis.
    """
    if not counts.n:
        return dict.fromkeys(("mean", "std", "skew", "kurtosis", "min", "max"))
    power, varies = counts.power, counts.minimum < counts.maximum
    return {
        "mean": _number(counts.mean),
        "std": _number(counts.std),
        "skew": _number(power.skew) if varies else None,
        "kurtosis": _number(power.kurtosis) if varies else None,
        "min": counts.minimum,
        "max": counts.maximum,
    }


def l_kurtosis(counts: ValueCounts) -> float | None:
    """L-kurtosis l4/l2 (Gaussian: 0.1226), from the unbiased probability-weighted moments of the sample.

    With x the cells in order, A_i the weights up to cell i and G_r = C(A, r+1)/C(N, r+1), summing by parts gives
    l2 = sum dx (G_0 - G_1) and l4 = sum dx (G_0 - 6 G_1 + 10 G_2 - 5 G_3); None below 4 weights or for a constant.
    """
    n = int(counts.counts.sum())
    if n < 4 or not resolved(counts):
        return None
    a = np.cumsum(counts.counts)[:-1].astype(np.float64)
    dx = np.diff(counts.value)
    g0 = a / n
    g1 = g0 * (a - 1) / (n - 1)
    g2 = g1 * (a - 2) / (n - 2)
    g3 = g2 * (a - 3) / (n - 3)
    l2, l4 = dot(dx, g0 - g1), dot(dx, g0 - 6 * g1 + 10 * g2 - 5 * g3)
    return l4 / l2 if l2 > 0 else None


def dot(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Sum of products, the same on any number of threads: `a @ b` rounds by how many BLAS takes, and waits for them."""
    return float((a * b).sum())


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
