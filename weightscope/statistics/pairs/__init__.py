"""Statistics of two tensors element by element, of their difference, and of their two laws."""

from __future__ import annotations

from .changes import CHANGED
from .delta import DELTA, OF_DELTA
from .law_distance import LAW_DISTANCE
from .overlap import OVERLAP

__all__ = ["CHANGED", "DELTA", "LAW_DISTANCE", "OF_DELTA", "OVERLAP"]
