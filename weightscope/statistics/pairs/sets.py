"""The statistics of a set: of two task vectors, and of the share of one in a merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...sketches.shared_outliers import OutlierPositions
from ...sketches.vector_record import VectorProducts
from ..statistic import Evidence, Statistic
from .mixing import COLUMNS as MIX_COLUMNS
from .mixing import mixing
from .task_vectors import DIRECTION_COLUMNS, OVERLAP_COLUMNS, directions, overlaps

# What sketches of several entries are kept under: of two vectors, or of all sources and the merge.
PRODUCTS, POSITIONS = "products of task vectors", "outliers of task vectors"


def _directions(evidence: Evidence) -> Mapping[str, object]:
    products: VectorProducts = evidence.sketches[PRODUCTS]
    return directions(products, 0, 1)


def _overlaps(evidence: Evidence) -> Mapping[str, object]:
    positions: OutlierPositions = evidence.sketches[POSITIONS]
    return overlaps(positions, 0, 1)


@dataclass(frozen=True)
class _Mixing:
    """The share of source `index`."""

    index: int

    def __call__(self, evidence: Evidence) -> Mapping[str, object]:
        products: VectorProducts = evidence.sketches[PRODUCTS]
        return mixing(products)[self.index]


DIRECTIONS = Statistic(DIRECTION_COLUMNS, frozenset({PRODUCTS}), _directions, pools=True)
OVERLAPS = Statistic(OVERLAP_COLUMNS, frozenset({POSITIONS}), _overlaps, pools=True)


def mix_of(index: int) -> Statistic:
    """The share of the source with this index, among all of a merge."""
    return Statistic(MIX_COLUMNS, frozenset({PRODUCTS}), _Mixing(index), pools=True)
