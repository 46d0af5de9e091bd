"""How much the leading left singular vectors of A and B have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

from ...columns import Column
from ...sketches.overlap import SubspaceOverlap
from ..score import score, score_column
from ..statistic import Evidence, Statistic
from . import labels

COLUMNS = (
    Column(
        "overlap",
        "float",
        "|U_a^T U_b|_F^2 / k of the first k = min(16, m, n) left singular vectors of A and B",
        "",
        "numpy.linalg.svd",
        option="--spectrum",
    ),
    Column("overlap_null", "float", "overlap of independent subspaces: k/m", option="--spectrum"),
    replace(score_column("overlap"), option="--spectrum"),
)


def overlap_deviation(k: int, m: int) -> float:
    """The standard deviation of |U^T V|_F^2/k of independent k-dimensional subspaces of R^m.

    (1 - k/m) sqrt(2/((m-1)(m+2))): the variance of tr(P O Q O^T) over orthogonal O, P and Q the
    projections.

    >>> overlap_deviation(4, 4)
    0.0
    """
    if m < 2:
        return 0.0
    return (1 - k / m) * sqrt(2 / ((m - 1) * (m + 2)))


def _of_evidence(evidence: Evidence) -> Mapping[str, object]:
    found: SubspaceOverlap = evidence.sketches[labels.OVERLAP]
    if found.overlap is None:
        return {}
    null = found.k / found.m
    return {
        "overlap": found.overlap,
        "overlap_null": null,
        "overlap_score": score(found.overlap, null, overlap_deviation(found.k, found.m)),
    }


OVERLAP = Statistic(COLUMNS, frozenset({labels.OVERLAP}), _of_evidence)
