"""Measured records as they are stored: JSON, a record a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path


def store(records: Iterable[Mapping[str, object]], path: Path) -> None:
    """Write the records."""
    lines = ",\n".join(json.dumps(record) for record in records)
    path.write_text(f"[\n{lines}\n]\n", "utf-8")
