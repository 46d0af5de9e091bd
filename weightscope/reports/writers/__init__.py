"""The output formats, one file each; a new one is its file and its line here."""

from __future__ import annotations

from .csv import CSV
from .writer import Writer

WRITERS: dict[str, Writer] = {w.name: w for w in (CSV,)}

__all__ = ["WRITERS", "Writer"]
