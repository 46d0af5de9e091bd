"""Statistics of singular values: ranks, power law, bulk and spikes, effective depth, and nulls."""

from __future__ import annotations

from .balanced_spectrum import balanced_spectrum
from .bulk import noise
from .effective_depth import depth
from .evenness import evenness
from .null_distance import null_distance
from .null_samples import with_null_columns
from .ranks import sizes
from .tail_columns import tail

__all__ = [
    "balanced_spectrum",
    "depth",
    "evenness",
    "noise",
    "null_distance",
    "sizes",
    "tail",
    "with_null_columns",
]
