"""Correlation of neighbours along rows and columns, from sums of products of neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING, Any

from ...notes import Note
from ..score import score
from .nulls import lag_null

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...lazy import numpy as np
    from ...sketches.margins import Margins

CANCELS = 1e-4  # variance over mean^2 below which lags have no correct digit, from float32 sums
NO_LAGS = Note("no-lags", "no lag correlation: the spread is too small beside the mean")


def lags(margins: Margins) -> Mapping[str, Any]:
    """Correlations `lag_row` of W_ij and W_i,j+1, `lag_col` of W_ij and W_i+1,j, as by numpy."""
    m, n = len(margins.rows["squares"]), len(margins.cols["squares"])
    # margins.lag has the sums of these products
    row = _lag(margins.cols, margins.lag[0], m)
    col = _lag(margins.rows, margins.lag[1], n)
    null = lag_null(m, n)
    return {
        "lag_row": row,
        "lag_row_null": null,
        "lag_row_score": score(row, 0.0, null),
        "lag_col": col,
        "lag_col_null": null,
        "lag_col_score": score(col, 0.0, null),
        "notes": (NO_LAGS,) if None in (row, col) else (),
    }


def _lag(lines: Mapping[str, NDArray[np.float64]], product: float, length: int) -> float | None:
    """Pearson correlation of all lines but the last, x, with all but the first, y, from their sums.

    None where the sums cancel.
    """
    total, squares = lines["sum"], lines["squares"]
    pairs = (len(total) - 1) * length
    x = float(total[:-1].sum()) / pairs
    y = float(total[1:].sum()) / pairs
    var_x = float(squares[:-1].sum()) / pairs - x * x
    var_y = float(squares[1:].sum()) / pairs - y * y
    if not (var_x > CANCELS * x * x and var_y > CANCELS * y * y):
        return None
    # Rounding may take the quotient beyond 1.
    covariance = product / pairs - x * y
    correlation = covariance / (sqrt(var_x) * sqrt(var_y))
    return min(max(correlation, -1.0), 1.0)
