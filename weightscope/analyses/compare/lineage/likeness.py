"""How alike the matrices of a family are: cosines of all pairs, under the maps that fit best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....lazy import numpy as np
from ....statistics.lineage import LayerCosines, layer_cosines
from .sampling import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Positions = NDArray[np.int64]
    Sample = NDArray[np.float32] | None
    Samples = Sequence[Sample]


def likeness(plan: Plan, a: Samples, b: Samples) -> LayerCosines:
    """Cosines of the samples of A's matrices with B's, (len(a), len(b)).

    Under the pair of maps with the largest median over B of the largest cosine over A.
    """
    best: LayerCosines | None = None
    for by_row in plan.rows.maps:
        for by_column in plan.columns.maps:
            of_a = _paired(a, plan.rows.in_a(by_row), plan.columns.in_a(by_column))
            of_b = _paired(b, plan.rows.in_b(by_row), plan.columns.in_b(by_column))
            found = layer_cosines(of_a, of_b)
            if best is None or _score(found) > _score(best):
                best = found
    assert best is not None
    return best


def _paired(samples: Samples, rows: Positions, columns: Positions) -> list[Sample]:
    """The lines of each sample that two maps pair."""
    paired: list[Sample] = []
    for sample in samples:
        if sample is None:
            paired.append(None)
        else:
            paired.append(sample[np.ix_(rows, columns)])
    return paired


def _score(found: LayerCosines) -> float:
    """The median over B's matrices of the largest cosine with any of A's."""
    known = np.nan_to_num(found.values, nan=-1.0)
    if not known.size:
        return -1.0
    return float(np.median(known.max(axis=0)))
