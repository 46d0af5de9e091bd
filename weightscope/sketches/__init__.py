"""Sketches and their measures.

MEASURES lists all measures; the tests check the laws of `Measure` for each.
"""

from __future__ import annotations

from .balanced import Balanced, Core
from .beyond import Beyond, Crossings
from .count import Count
from .decompose import Decompose, SingularValues
from .factor import Factor, Triangle
from .groups import Groups, ZeroGroups
from .hashes import Hashes, RowHashes
from .lines import Lines
from .margins import Margins
from .power_sums import PowerSums
from .quantise import QuantisationError, QuantisationErrors, Quantise
from .schemes import SCHEMES
from .shuffled import Shuffled
from .sketch import Again, Measure, Sketch
from .tile import Scratch, Tile
from .top import Top, TopWeights
from .twins import TwinRows, Twins
from .untrained import Untrained, UntrainedRows
from .value_counts import ValueCounts

MEASURES = (
    Count,
    Lines,
    Beyond,
    Decompose,
    Factor,
    Groups,
    Hashes,
    Balanced,
    Quantise,
    Shuffled,
    Top,
    Twins,
    Untrained,
)

__all__ = [
    "MEASURES",
    "SCHEMES",
    "Again",
    "Balanced",
    "Beyond",
    "Core",
    "Count",
    "Crossings",
    "Decompose",
    "Factor",
    "Groups",
    "Hashes",
    "Lines",
    "Margins",
    "Measure",
    "PowerSums",
    "QuantisationError",
    "QuantisationErrors",
    "Quantise",
    "RowHashes",
    "Scratch",
    "Shuffled",
    "SingularValues",
    "Sketch",
    "Tile",
    "Top",
    "TopWeights",
    "Triangle",
    "TwinRows",
    "Twins",
    "Untrained",
    "UntrainedRows",
    "ValueCounts",
    "ZeroGroups",
]
