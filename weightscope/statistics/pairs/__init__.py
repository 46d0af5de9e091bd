"""Statistics of two tensors element by element, of their difference, of their laws, and of sets."""

from __future__ import annotations

from .changes import CHANGED
from .delta import DELTA, OF_DELTA
from .law_distance import LAW_DISTANCE
from .mean_distance import MEAN_DISTANCE
from .mixing import COLUMNS as MIX_COLUMNS
from .mixing import mixing
from .overlap import OVERLAP
from .task_vectors import DIRECTION_COLUMNS, OVERLAP_COLUMNS, directions, overlaps

__all__ = [
    "CHANGED",
    "DELTA",
    "DIRECTION_COLUMNS",
    "LAW_DISTANCE",
    "MEAN_DISTANCE",
    "MIX_COLUMNS",
    "OF_DELTA",
    "OVERLAP",
    "OVERLAP_COLUMNS",
    "directions",
    "mixing",
    "overlaps",
]
