"""Results as they are stored: a record per column, from which the page of docs is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from .checking import Result
from .definitions import PENDING, WITHOUT

STORED = Path(__file__).with_name("results.json")
IDENTITY = [
    "tensor",
    "layer",
    "role",
    "slot",
    "part",
    "stack",
    "kind",
    "shape",
    "dtype",
    "quantised",
    "params",
    "note",
    "note_codes",
]
Record = Mapping[str, object]


def merged(parts: Iterable[Mapping[str, Result]]) -> dict[str, Result]:
    """The results of several sets of tensors added up."""
    totals: dict[str, Result] = {}
    for part in parts:
        for column, more in part.items():
            total = totals.setdefault(column, Result())
            total.compared += more.compared
            total.nulls += more.nulls
            total.left_out += more.left_out
            total.largest = max(total.largest, more.largest)
            total.largest_wide = max(total.largest_wide, more.largest_wide)
            total.wrong += more.wrong
    return totals


def records(results: Mapping[str, Result], columns: Iterable[str]) -> list[Record]:
    """A record per column of the command, in its order; without a definition only a reason."""
    found: list[Record] = []
    for column in columns:
        if column in results and results[column].compared:
            found.append(_record(column, results[column]))
        elif column not in IDENTITY:
            reason = WITHOUT.get(column, "no second definition yet")
            found.append({"column": column, "reason": reason})
    return found


def _record(column: str, result: Result) -> Record:
    record: dict[str, object] = {
        "column": column,
        "compared": result.compared,
        "nulls": result.nulls,
        "left_out": result.left_out,
        "largest": float(f"{result.largest:.1e}"),
        "wrong": len(result.wrong),
    }
    if result.largest_wide:
        record["largest_wide"] = float(f"{result.largest_wide:.1e}")
    if column in PENDING:
        record["pending"] = PENDING[column]
    return record


def store(
    tensors: Mapping[str, int], commands: Mapping[str, list[Record]], tails: list[Record]
) -> None:
    """Writes the file of results."""
    text = json.dumps({"tensors": tensors, "commands": commands, "tails": tails}, indent=1)
    STORED.write_text(text + "\n", "utf-8")
