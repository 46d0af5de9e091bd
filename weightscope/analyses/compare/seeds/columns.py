"""The columns of `--bootstrap`: those of a comparison, each number with its 95% interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ....columns import INDEX, Column
from .. import columns as of_pair
from ..options import CompareOptions

LOW, HIGH = "_low", "_high"
WITH_INTERVAL = frozenset({"relative", "cosine"})  # on a terminal, which has no room for all
IDENTITY = frozenset({"params", "tensors"})  # numbers of A, which no seed alters


def columns(o: CompareOptions) -> tuple[Column, ...]:
    """Each column; behind a number the ends of its interval."""
    found: list[Column] = []
    for column in of_pair.columns(o):
        if not is_mean(column):
            found.append(column)
            continue
        meaning = f"mean over the seeds: {column.meaning}"
        found.append(replace(column, dtype="float", meaning=meaning, error=""))
        for suffix, end in ((LOW, "2.5%"), (HIGH, "97.5%")):
            of_end = column.suffixed(suffix, f"{end} of the means of resampled seeds of")
            shown = column.name in WITH_INTERVAL
            found.append(replace(of_end, dtype="float", of="", shown=shown))
    return tuple(found)


def is_mean(column: Column) -> bool:
    """Whether a column is a number that differs between seeds."""
    if column.unit == INDEX or column.name in IDENTITY or column.name == "layer":
        return False
    return column.dtype in ("int", "float")


def optional(o: CompareOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    return of_pair.optional(replace(o, bootstrap=0, models=2))
