"""One question, one file: ANALYSES is the table of contents."""

from __future__ import annotations

from .analysis import Analysis, Model, Piece
from .fit import FIT
from .inventory import LS
from .pieces import Reading
from .selection import Selection, selected

ANALYSES = (LS, FIT)

__all__ = [
    "ANALYSES",
    "FIT",
    "LS",
    "Analysis",
    "Model",
    "Piece",
    "Reading",
    "Selection",
    "selected",
]
