"""One question, one file: ANALYSES is the table of contents."""

from __future__ import annotations

from .analysis import Analysis, Model, Piece
from .fit import FIT
from .inventory import LS
from .outliers import OUTLIERS
from .pieces import Reading
from .selection import Selection, selected
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
    "selected",
]
