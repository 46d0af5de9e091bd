"""Repeated layers as one row: `layers.0.q .. layers.31.q` of one role, shape and type become `layers.{0-31}.q`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

SAME = (
    "role",
    "slot",
    "part",
    "stack",
    "kind",
    "shape",
    "dtype",
    "quantised",
    "alias_of",
    "orientation",
    "family",
    "notes",
)


def collapsed(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that differ in their layer alone, as one; params and bytes are of all of them.

    >>> collapsed([{"tensor": f"h.{i}.w", "layer": i, "params": 2, "bytes": 4} for i in range(3)])[0]["tensor"]
    'h.{0-2}.w'
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        key = (_pattern(row), *(row.get(name) for name in SAME))
        groups.setdefault(key, []).append(row)
    return [_one(key[0], group) for key, group in groups.items()]


def ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers as ranges.

    >>> ranges([0, 1, 2, 5])
    '0-2,5'
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)


def _pattern(row: dict[str, Any]) -> str:
    """The name with its layer index left open; the first number that equals the layer is the index."""
    layer = row.get("layer")
    if layer is None:
        return str(row["tensor"])
    return re.sub(rf"(?<![0-9]){layer}(?![0-9])", "\0", str(row["tensor"]), count=1)


def _one(pattern: str, group: list[dict[str, Any]]) -> dict[str, Any]:
    if len(group) == 1:
        return group[0]
    layers = "{" + ranges([row["layer"] for row in group]) + "}"
    files = {row.get("file") for row in group}
    return group[0] | {
        "tensor": pattern.replace("\0", layers),
        "layer": None,
        "params": sum(r["params"] for r in group),
        "bytes": sum(r["bytes"] for r in group),
        "file": files.pop() if len(files) == 1 else None,
    }
