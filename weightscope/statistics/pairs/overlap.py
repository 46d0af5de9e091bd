"""How much the leading left singular vectors of A and B have in common."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches.overlap import SubspaceOverlap
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
)


def _of_evidence(evidence: Evidence) -> Mapping[str, object]:
    found: SubspaceOverlap = evidence.sketches[labels.OVERLAP]
    if found.overlap is None:
        return {}
    return {"overlap": found.overlap, "overlap_null": found.k / found.m}


OVERLAP = Statistic(COLUMNS, frozenset({labels.OVERLAP}), _of_evidence)
