"""The L-infinity operator norm: the largest sum of |w| of a row."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from ...columns import Column
from ...errors import Unmeasured
from ...notes import Note
from ...sketches import AbsoluteSums, RowSums
from ..statistic import Evidence, Statistic

NONFINITE = Note("non-finite", "NaN, Inf, or a sum of a row that overflows: no norm_inf")
COLUMNS = (
    Column(
        "norm_inf",
        "float",
        "largest sum of |w| of a row: the operator norm for the largest |element| of a vector",
        "weight",
        "numpy.linalg.norm(W, inf)",
    ),
)


def norm_inf(sums: RowSums) -> float:
    """max over rows of sum |w_ij|, the operator norm of W for the maximum norm.

    Equals numpy.linalg.norm(W, inf). Raises Unmeasured where an element is NaN or Inf. Source:
    Horn and Johnson, Matrix Analysis, 5.6.5.

    >>> import numpy
    >>> norm_inf(RowSums(numpy.array([3.0, 7.0])))
    7.0
    """
    largest = float(sums.sums.max())
    if not isfinite(largest):
        raise Unmeasured(NONFINITE)
    return largest


def _norm_inf(evidence: Evidence) -> Mapping[str, object]:
    return {"norm_inf": norm_inf(evidence.sketches[AbsoluteSums()])}


NORM_INF = Statistic(COLUMNS, frozenset({AbsoluteSums()}), _norm_inf)
