"""Repeated layers as one row: `layers.0.q`, ..., `layers.31.q` become `layers.{0-31}.q`.

Only rows of equal role, shape, type and so on are joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

# Columns whose values must be equal.
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


def collapsed(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Joins rows that differ in their layer only; params and bytes are sums.

    >>> rows = [{"tensor": f"h.{i}.w", "layer": i, "params": 2, "bytes": 4} for i in range(3)]
    >>> [(row["tensor"], row["params"]) for row in collapsed(rows)]
    [('h.{0-2}.w', 6)]
    """
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        same = [row.get(name) for name in SAME]
        key = (_pattern(row), *same)
        groups.setdefault(key, []).append(row)
    return [_joined(pattern, group) for (pattern, *_), group in groups.items()]


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
    return ",".join(_range(run[0], run[-1]) for run in runs)


def _range(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}-{last}"


def _pattern(row: dict[str, Any]) -> str:
    """The name with a placeholder for its layer index: the first number equal to the layer."""
    layer = row.get("layer")
    if layer is None:
        return str(row["tensor"])
    # NUL marks the index until the layers are known.
    return re.sub(rf"(?<![0-9]){layer}(?![0-9])", "\0", str(row["tensor"]), count=1)


def _joined(pattern: str, group: list[dict[str, Any]]) -> dict[str, Any]:
    if len(group) == 1:
        return group[0]
    layers = "{" + ranges([row["layer"] for row in group]) + "}"
    # Layers of a sharded checkpoint may be in different files.
    files = {row.get("file") for row in group}
    file = None
    if len(files) == 1:
        (file,) = files
    return group[0] | {
        "tensor": pattern.replace("\0", layers),
        "layer": None,
        "params": sum(row["params"] for row in group),
        "bytes": sum(row["bytes"] for row in group),
        "file": file,
    }
