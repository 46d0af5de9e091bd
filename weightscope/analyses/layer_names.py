"""Layers in sentences: `layers 0-3,7`."""

from __future__ import annotations

from collections.abc import Collection

from ..notes import RUNS
from .collapse import ranges


def layers_named(indices: Collection[int]) -> str:
    """`layer 1`, `layers 2,4`."""
    noun = "layer" if len(indices) == 1 else "layers"
    return f"{noun} {few_ranges(indices)}"


def few_ranges(indices: Collection[int]) -> str:
    """Layers as ranges, the first of many.

    >>> few_ranges({2, 0, 1, 7})
    '0-2,7'
    """
    runs = ranges(sorted(indices)).split(",")
    if len(runs) > RUNS:
        runs = [*runs[:RUNS], "..."]
    return ",".join(runs)
