"""Bytes to entries, lazily: a source is opened once, headers only, and hands out what the engine reads later."""

from __future__ import annotations

from .checkpoint import Checkpoint, LoraPair
from .entry import Entry, Span, Stored, lines_in_memory, same
from .files import advise, changed, close_all, read_into
from .open import Opening, inputs, open_checkpoint
from .pairs import lone_factors

__all__ = ["Checkpoint", "Entry", "LoraPair", "Opening", "Span", "Stored", "advise", "changed", "close_all", "inputs",
           "lines_in_memory", "lone_factors", "open_checkpoint", "read_into", "same"]
