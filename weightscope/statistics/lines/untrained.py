"""Column of rows that training never reached, of embeddings and heads."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Untrained
from ..statistic import Evidence, Statistic

COLUMNS = (
    Column(
        "untrained_rows",
        "int",
        "nearly parallel rows apart from the rest; embeddings and heads",
        "",
        "Land and Bartolo 2024",
        shown=True,
    ),
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    return {"untrained_rows": len(evidence.sketches[Untrained()].untrained)}


UNTRAINED = Statistic(COLUMNS, frozenset({Untrained()}), _of)
