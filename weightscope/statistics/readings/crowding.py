"""Columns of concentration: do outliers crowd into few rows or columns, and into which?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import INDEX, Column
from ...sketches import Beyond
from ..concentration import gini, gini_null
from ..statistic import Evidence, Statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...heavy import numpy as np

COLUMNS = tuple(
    column
    for side, lines in (("row", "rows"), ("col", "columns"))
    for column in (
        Column(f"{side}_gini", "float", f"Gini coefficient over {lines} of the weights beyond 4 robust_std"),
        Column(f"{side}_gini_null", "float", f"what chance (Poisson) gives for {side}_gini"),
        Column(f"top_{side}", "int", f"which of the {lines} has the most of them, from 0", INDEX),
    )
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    found = evidence.sketches[Beyond()]
    return {**_side("row", found.rows), **_side("col", found.cols)}


def _side(side: str, counts: NDArray[np.int64] | None) -> Mapping[str, object]:
    """Nulls where there is no outlier, no scale to tell one by, or one line alone."""
    if counts is None or not counts.any() or len(counts) < 2:
        return {f"{side}_gini": None, f"{side}_gini_null": None, f"top_{side}": None}
    null = gini_null(float(counts.mean()))
    return {f"{side}_gini": gini(counts), f"{side}_gini_null": null, f"top_{side}": int(counts.argmax())}


CROWDING = Statistic(COLUMNS, frozenset({Beyond()}), _of)
