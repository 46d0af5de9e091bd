"""Rows and columns: spreads of their scales, variance of their means, neighbours."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import special

from ..case import Array, Case, NotCompared
from .definition import Definition


def _one(case: Case) -> float:
    return 1.0


def _near_mean(case: Case) -> float:
    """Sums of lines lose digits where the elements vary little beside their mean."""
    if case.std < 0.1 * abs(case.mean):
        return 1e-5
    return 1e-7


def _comparable(case: Case) -> Array | None:
    """The matrix where lines are compared: finite, not constant, of two lines or more."""
    matrix = case.matrix
    if matrix is None or not np.isfinite(matrix).all() or matrix.min() == matrix.max():
        return None
    return matrix


def _spread_lines(case: Case) -> Array | None:
    """The matrix without zero lines, where two rows and two columns or more are left."""
    lines = case.lines
    if _comparable(case) is None or lines is None or min(lines.shape) < 2:
        return None
    return lines


def _spread(case: Case, axis: int) -> float | None:
    lines = _spread_lines(case)
    if lines is None:
        return None
    return float(np.log(np.sqrt((lines**2).mean(axis))).std())


def _spread_null(case: Case, axis: int) -> float | None:
    """Standard deviation of the log RMS of n Gaussian values: sqrt(psi_1(n/2))/2."""
    lines = _spread_lines(case)
    if lines is None:
        return None
    return sqrt(special.polygamma(1, lines.shape[axis] / 2)) / 2


def _constant_spread(case: Case) -> float | None:
    """`spectrum` measures the lines of a constant matrix too: all alike."""
    lines = case.lines
    if lines is None or min(lines.shape) < 2:
        return None
    return 0.0


def _mean_share(case: Case, axis: int) -> float | None:
    matrix = _comparable(case)
    if matrix is None:
        return None
    centred = matrix - matrix.mean()
    between = (centred.mean(axis) ** 2).sum() * matrix.shape[axis]
    return float(between / (centred**2).sum())


def _mean_share_null(case: Case, axis: int) -> float | None:
    matrix = _comparable(case)
    if matrix is None:
        return None
    return (matrix.shape[1 - axis] - 1) / (matrix.size - 1)


def _lag(case: Case, axis: int) -> float | None:
    matrix = _comparable(case)
    if matrix is None:
        return None
    if axis == 1:
        matrix = matrix.T
    first, second = matrix[:-1].ravel(), matrix[1:].ravel()
    if first.std() == 0 or second.std() == 0:
        raise NotCompared
    return float(np.corrcoef(first, second)[0, 1])


def _lag_null(case: Case) -> float | None:
    matrix = _comparable(case)
    if matrix is None:
        return None
    return 1 / sqrt(matrix.size)


SPREADS = (
    Definition("row_spread", lambda case: _spread_of(case, 1), 1e-7, unit=_one),
    Definition("row_spread_null", lambda case: _null_of(case, 1)),
    Definition("col_spread", lambda case: _spread_of(case, 0), 1e-7, unit=_one),
    Definition("col_spread_null", lambda case: _null_of(case, 0)),
)
LINES = (
    Definition("row_spread", lambda case: _spread(case, 1), 1e-7, unit=_one),
    Definition("row_spread_null", lambda case: _spread_null(case, 1)),
    Definition("col_spread", lambda case: _spread(case, 0), 1e-7, unit=_one),
    Definition("col_spread_null", lambda case: _spread_null(case, 0)),
    Definition("row_mean_share", lambda case: _mean_share(case, 1), _near_mean, unit=_one),
    Definition("row_mean_share_null", lambda case: _mean_share_null(case, 1)),
    Definition("col_mean_share", lambda case: _mean_share(case, 0), _near_mean, unit=_one),
    Definition("col_mean_share_null", lambda case: _mean_share_null(case, 0)),
    Definition("lag_row", lambda case: _lag(case, 1), _near_mean, unit=_one),
    Definition("lag_row_null", _lag_null),
    Definition("lag_col", lambda case: _lag(case, 0), _near_mean, unit=_one),
    Definition("lag_col_null", _lag_null),
)


def _spread_of(case: Case, axis: int) -> float | None:
    if case.matrix is not None and _comparable(case) is None:
        return _constant_spread(case)
    return _spread(case, axis)


def _null_of(case: Case, axis: int) -> float | None:
    if _constant_spread(case) is None:
        return None
    lines = case.lines
    assert lines is not None
    return sqrt(special.polygamma(1, lines.shape[axis] / 2)) / 2
