"""Notes as the text that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weightscope.notes import texts


def told(of: Any) -> str:
    """The texts of the notes of a record, or among some values; "" without any."""
    return texts(of.get("notes", ()) if isinstance(of, Mapping) else of.notes) or ""
