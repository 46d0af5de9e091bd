"""How far the laws of two tensors are apart: Kolmogorov-Smirnov and Wasserstein-1 of their cells.

No elements are paired: the distances also compare two independent trainings, and two widths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note
from ...sketches import Count, ValueCounts
from ...sketches.quantiles import resolved
from ..laws.goodness import area
from ..statistic import At, Evidence, Statistic
from .labels import A, B

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

COLUMNS = (
    Column(
        "w1",
        "float",
        "Wasserstein-1 distance of the laws of A and B, no elements paired",
        "std of A",
        "scipy.stats.wasserstein_distance",
    ),
    Column(
        "ks",
        "float",
        "largest distance of the two distribution functions",
        "",
        "scipy.stats.ks_2samp",
    ),
)
WIDE = Note("wide-bins", "bins are too wide for the spread of the values: w1 and ks are null")


@dataclass(frozen=True)
class Distance:
    """sup |F_a - F_b|, and the integral of |F_a - F_b| in units of the values."""

    ks: float
    w1: float


def distance(a: ValueCounts, b: ValueCounts) -> Distance | None:
    """Distances of two laws of counted cells; None where one has no finite value.

    Exact values have steps: the distances equal scipy's of the samples. In bins the distribution
    function is a straight line.
    """
    if not a.n or not b.n:
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # of values near the largest: Inf or NaN
        return _distance(a, b)


def _distance(a: ValueCounts, b: ValueCounts) -> Distance:
    if a.exact and b.exact:
        x = np.union1d(a.value, b.value)
        gap = _steps(a, x) - _steps(b, x)
        return Distance(float(np.abs(gap).max()), float((np.abs(gap[:-1]) * np.diff(x)).sum()))
    x = np.unique(np.concatenate((*_edges(a), *_edges(b))))
    gap = _lines(a, x) - _lines(b, x)
    return Distance(float(np.abs(gap).max()), area(np.diff(x), gap[:-1], gap[1:]))


def _steps(counts: ValueCounts, x: Values) -> Values:
    """The share of values up to each x."""
    cumulated = np.concatenate(([0], np.cumsum(counts.counts)))
    below = np.searchsorted(counts.value, x, side="right")
    return np.asarray(cumulated[below] / cumulated[-1])


def _edges(counts: ValueCounts) -> tuple[Values, Values]:
    """Lower and upper edges of the cells, apart also where half a step of float64 is rounded."""
    low = np.minimum(counts.low, np.nextafter(counts.value, -np.inf))
    high = np.maximum(counts.high, np.nextafter(counts.value, np.inf))
    return low, high


def _lines(counts: ValueCounts, x: Values) -> Values:
    """The distribution function, straight inside each cell."""
    cumulated = np.cumsum(counts.counts) / counts.counts.sum()
    before = np.concatenate(([0.0], cumulated[:-1]))
    knots = np.column_stack(_edges(counts)).ravel()
    heights = np.column_stack((before, cumulated)).ravel()
    order = np.argsort(knots, kind="stable")  # the cell of zero lies inside its neighbours
    return np.interp(x, knots[order], np.maximum.accumulate(heights[order]))


def _of_evidence(evidence: Evidence) -> Mapping[str, object]:
    a, b = evidence.sketches[At(A, Count())], evidence.sketches[At(B, Count())]
    if not (resolved(a) and resolved(b)):
        return {"notes": (WIDE,)}
    apart = distance(a, b)
    if apart is None:
        return {}
    w1 = None
    if a.std > 0 and isfinite(apart.w1):
        w1 = apart.w1 / a.std
    return {"w1": w1, "ks": apart.ks}


LAW_DISTANCE = Statistic(
    COLUMNS, frozenset({At(A, Count()), At(B, Count())}), _of_evidence, pools=True
)
