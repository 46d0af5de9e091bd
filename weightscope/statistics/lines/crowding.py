"""Concentration of outliers in few rows or columns: Gini coefficients of counts, with nulls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import INDEX, Column
from ...lazy import numpy as np
from ...lazy import special
from ...sketches import Beyond
from ..score import score
from ..statistic import Evidence, Statistic
from .crowding_law import gini_law

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _columns(side: str, line: str) -> tuple[Column, ...]:
    outliers = "weights beyond 4 robust_std"
    return (
        Column(
            f"{side}_gini",
            "float",
            f"Gini coefficient of the {outliers} over {line}s of a matrix",
            version=2,
        ),
        Column(
            f"{side}_gini_null",
            "float",
            f"{side}_gini of outliers at random (Poisson counts)",
            version=2,
        ),
        Column(
            f"{side}_gini_score",
            "float",
            f"{side}_gini - its expectation, in standard deviations of as many outliers at random",
        ),
        Column(
            f"top_{side}",
            "int",
            f"index of the {line} with the most of them, from 0",
            INDEX,
            version=2,
        ),
    )


COLUMNS = _columns("row", "row") + _columns("col", "column")


def gini(counts: NDArray[np.int64]) -> float | None:
    """Gini coefficient of counts (n,): sum_i (2i - n - 1) c_(i) / (n sum c), ascending, i from 1.

    0 for equal counts; 1 - 1/n where one line has all; None without any. Half the relative mean
    absolute difference.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    total, n = int(counts.sum()), len(counts)
    if not total:
        return None
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights * np.sort(counts)).sum() / (n * total))


def gini_null(mean: float) -> float | None:
    """Gini coefficient of a Poisson law of that mean: e^(-2 mu) (I0(2 mu) + I1(2 mu)).

    Counts of rare events that are spread over the lines at random. Means 0.1, 0.5, 1, 10 have 0.91,
    0.67, 0.52, 0.18; None for mean 0.

    >>> round(gini_null(1.0), 2)
    0.52
    """
    if not mean > 0:
        return None
    # `ive` is I times e^(-2 mu): neither factor overflows.
    bessel = special.ive(0, 2 * mean) + special.ive(1, 2 * mean)
    return float(bessel)


def _both_sides(evidence: Evidence) -> Mapping[str, object]:
    outliers = evidence.sketches[Beyond()]
    if outliers.rows is None or min(len(outliers.rows), len(outliers.cols)) < 2:
        return dict.fromkeys(column.name for column in COLUMNS)  # vectors have no lines to compare
    m, n = len(outliers.rows), len(outliers.cols)
    return {**_side("row", outliers.rows, n), **_side("col", outliers.cols, m)}


def _side(side: str, counts: NDArray[np.int64] | None, length: int) -> Mapping[str, object]:
    """The columns of a side; null without outliers or a robust scale."""
    gini_name, null_name, score_name = f"{side}_gini", f"{side}_gini_null", f"{side}_gini_score"
    top_name = f"top_{side}"
    if counts is None or not counts.any():  # None: no robust scale
        return dict.fromkeys((gini_name, null_name, score_name, top_name))
    coefficient = gini(counts)
    law = gini_law(len(counts), length, int(counts.sum()))
    return {
        gini_name: coefficient,
        null_name: gini_null(float(counts.mean())),
        score_name: law and score(coefficient, *law),
        top_name: int(counts.argmax()),
    }


CROWDING = Statistic(COLUMNS, frozenset({Beyond()}), _both_sides)
