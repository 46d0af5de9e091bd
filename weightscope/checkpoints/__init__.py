"""Bytes to entries, lazily: opening reads headers only, the engine reads the rest later.

The names load when they are used, so that the options of opening import no reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import on_demand
from .opening import Opening, Source

if TYPE_CHECKING:
    from .checkpoint import Checkpoint, LoraPair, NormPair
    from .entry import Entry, Span, Stored, joined, lines_in_memory, same
    from .files import advise, changed, close_all, read_into
    from .open import inputs, open_checkpoint, uncollected
    from .pairs import lone_factors
else:
    __getattr__ = on_demand(
        __name__,
        {
            "checkpoint": ("Checkpoint", "LoraPair", "NormPair"),
            "entry": ("Entry", "Span", "Stored", "joined", "lines_in_memory", "same"),
            "files": ("advise", "changed", "close_all", "read_into"),
            "open": ("inputs", "open_checkpoint", "uncollected"),
            "pairs": ("lone_factors",),
        },
    )

__all__ = [
    "Checkpoint",
    "Entry",
    "LoraPair",
    "NormPair",
    "Opening",
    "Source",
    "Span",
    "Stored",
    "advise",
    "changed",
    "close_all",
    "inputs",
    "joined",
    "lines_in_memory",
    "lone_factors",
    "open_checkpoint",
    "read_into",
    "same",
    "uncollected",
]
