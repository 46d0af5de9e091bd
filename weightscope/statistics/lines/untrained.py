"""Number of rows of an embedding or head that training did not change individually."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Untrained
from ..statistic import Evidence, Statistic

COLUMNS = (
    Column(
        "untrained_rows",
        "int",
        "nearly parallel rows, distinct from the others; embeddings and heads",
        "",
        "Land and Bartolo 2024",
        shown=True,
    ),
)


def _untrained_rows(evidence: Evidence) -> Mapping[str, object]:
    sketch = evidence.sketches[Untrained()]
    return {"untrained_rows": len(sketch.untrained)}


UNTRAINED = Statistic(COLUMNS, frozenset({Untrained()}), _untrained_rows)
