"""Concentration of outliers in few rows or columns: Gini coefficients of their counts, beside those of chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import INDEX, Column
from ...lazy import numpy as np
from ...lazy import special
from ...sketches import Beyond
from ..statistic import Evidence, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = tuple(
    column
    for side, lines in (("row", "rows"), ("col", "columns"))
    for column in (
        Column(
            f"{side}_gini",
            "float",
            f"Gini coefficient over {lines} of the weights beyond 4 robust_std",
        ),
        Column(f"{side}_gini_null", "float", f"what chance (Poisson) gives for {side}_gini"),
        Column(f"top_{side}", "int", f"which of the {lines} has the most of them, from 0", INDEX),
    )
)


def gini(counts: NDArray[np.int64]) -> float | None:
    """Gini coefficient of counts (n,): sum_i (2i - n - 1) c_(i) / (n sum c), ascending, i from 1; None without any.

    0 where all lines have as many; 1 - 1/n where one line has all. Half the relative mean absolute difference.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    total, n = int(counts.sum()), len(counts)
    if not total:
        return None
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return float((ranks * np.sort(counts)).sum() / (n * total))


def gini_null(mean: float) -> float | None:
    """Gini coefficient of a Poisson law of that mean: e^(-2 mu) (I0(2 mu) + I1(2 mu)); None for mean 0.

    Counts of rare events that fall on lines by chance. Means 0.1, 0.5, 1, 10 give 0.91, 0.67, 0.52, 0.18.

    >>> round(gini_null(1.0), 2)
    0.52
    """
    return float(special.ive(0, 2 * mean) + special.ive(1, 2 * mean)) if mean > 0 else None


def _of(evidence: Evidence) -> Mapping[str, object]:
    found = evidence.sketches[Beyond()]
    return {**_side("row", found.rows), **_side("col", found.cols)}


def _side(side: str, counts: NDArray[np.int64] | None) -> Mapping[str, object]:
    """Nulls where there is no outlier, no scale to tell one by, or one line alone."""
    if counts is None or not counts.any() or len(counts) < 2:
        return {f"{side}_gini": None, f"{side}_gini_null": None, f"top_{side}": None}
    null = gini_null(float(counts.mean()))
    return {
        f"{side}_gini": gini(counts),
        f"{side}_gini_null": null,
        f"top_{side}": int(counts.argmax()),
    }


CROWDING = Statistic(COLUMNS, frozenset({Beyond()}), _of)
