"""One question, one file: ANALYSES is the table of contents."""

from __future__ import annotations

from .analysis import Analysis, Setting
from .fit import FIT
from .inventory import LS
from .outliers import OUTLIERS
from .piece import Model, Piece
from .pieces import Reading
from .selection import Selection
from .spectrum import SPECTRUM

ANALYSES = (LS, FIT, SPECTRUM, OUTLIERS)

__all__ = [
    "ANALYSES",
    "FIT",
    "LS",
    "OUTLIERS",
    "SPECTRUM",
    "Analysis",
    "Model",
    "Piece",
    "Reading",
    "Selection",
    "Setting",
]
