"""Sketches and their measures.

MEASURES lists all measures of one entry, PAIRED_MEASURES those that see the tiles of several; the
tests check the laws of `Measure` for each.
"""

from __future__ import annotations

from .absolute_sums import AbsoluteSums, RowSums
from .balanced import Balanced, BalancedMatrix
from .beyond import Beyond, Crossings
from .changes import Changed, Changes
from .count import Count
from .cross import Cross, CrossProducts
from .decompose import Decompose, SingularValues
from .duplicates import DuplicateRows, Duplicates
from .factor import Factor, Triangle
from .groups import Groups, ZeroGroups
from .hashes import Hashes, RowHashes
from .kept import Kept, KeptValues
from .margin_sums import MarginSums
from .margins import Margins
from .overlap import Overlap, SubspaceOverlap
from .pair_moments import Pairwise
from .pair_record import PairMoments
from .power_sums import PowerSums
from .quantise import QuantisationError, QuantisationErrors, Quantise
from .row_pairs import PairedRows, RowPairs
from .row_sample import RowSample, SampledRows
from .schemes import SCHEMES
from .shared_outliers import OutlierPositions, SharedOutliers
from .shuffled import Shuffled
from .sketch import Again, Measure, Sketch
from .task_vectors import TaskVectors
from .tile import Scratch, Tile
from .top import Top, TopWeights
from .top_changes import ChangedElements, TopChanges
from .untrained import Untrained, UntrainedRows
from .value_counts import ValueCounts
from .vector_record import VectorProducts

MEASURES = (
    Count,
    MarginSums,
    Beyond,
    Decompose,
    Factor,
    Groups,
    Hashes,
    Balanced,
    Quantise,
    Shuffled,
    Top,
    Duplicates,
    Untrained,
    Kept,
    RowPairs,
    AbsoluteSums,
)
PAIRED_MEASURES = (
    Pairwise,
    Changes,
    RowSample,
    TopChanges,
    TaskVectors,
    SharedOutliers,
)  # any tiling; Cross and Overlap have laws of their own

__all__ = [
    "MEASURES",
    "PAIRED_MEASURES",
    "SCHEMES",
    "AbsoluteSums",
    "Again",
    "Balanced",
    "BalancedMatrix",
    "Beyond",
    "Changed",
    "ChangedElements",
    "Changes",
    "Count",
    "Cross",
    "CrossProducts",
    "Crossings",
    "Decompose",
    "DuplicateRows",
    "Duplicates",
    "Factor",
    "Groups",
    "Hashes",
    "Kept",
    "KeptValues",
    "MarginSums",
    "Margins",
    "Measure",
    "OutlierPositions",
    "Overlap",
    "PairMoments",
    "PairedRows",
    "Pairwise",
    "PowerSums",
    "QuantisationError",
    "QuantisationErrors",
    "Quantise",
    "RowHashes",
    "RowPairs",
    "RowSample",
    "RowSums",
    "SampledRows",
    "Scratch",
    "SharedOutliers",
    "Shuffled",
    "SingularValues",
    "Sketch",
    "SubspaceOverlap",
    "TaskVectors",
    "Tile",
    "Top",
    "TopChanges",
    "TopWeights",
    "Triangle",
    "Untrained",
    "UntrainedRows",
    "ValueCounts",
    "VectorProducts",
    "ZeroGroups",
]
