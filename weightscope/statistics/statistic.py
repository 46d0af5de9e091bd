"""A statistic: some columns, the measures they need, and the pure function between them.

Chosen by column: only the measures of the requested columns are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..columns import Column
from ..errors import Unmeasured
from ..geometry import Shape
from ..notes import COLUMNS, Notes, notes_of, united
from ..sketches.sketch import Measure


@dataclass(frozen=True)
class Evidence:
    """Input of a statistic: sketches, and the shape, type and kind of the tensor for its nulls."""

    sketches: Mapping[Measure, Any]
    shape: Shape | None  # None where sketches of several tensors were pooled
    dtype: str = ""
    kind: str = "matrix"  # matrix conv embedding norm bias router buffer


@dataclass(frozen=True)
class Statistic:
    """`of(evidence)` fills exactly `columns`; a null has its reason under "notes"."""

    columns: tuple[Column, ...]
    needs: frozenset[Measure]
    of: Callable[[Evidence], Mapping[str, object]]
    pools: bool = False  # whether the sketches of several tensors can be added up first


def needed(statistics: Iterable[Statistic]) -> frozenset[Measure]:
    """The measures of all, each once."""
    return frozenset().union(*(s.needs for s in statistics))


def chosen(statistics: Iterable[Statistic], wanted: frozenset[str] | None) -> tuple[Statistic, ...]:
    """Those that fill a wanted column, None: all.

    All of them too where only notes are wanted: every statistic may have some.
    """
    every = tuple(statistics)
    if wanted is None:
        return every
    matches = tuple(s for s in every if wanted & {c.name for c in s.columns})
    if not matches and wanted & COLUMNS:
        return every
    return matches


def evaluate(statistics: Iterable[Statistic], evidence: Evidence) -> dict[str, object]:
    """All columns, and each note once; a statistic that fails or lacks a measure gives nulls."""
    values: dict[str, object] = {}
    notes: list[Notes] = []
    for statistic in statistics:
        columns: dict[str, object] = {c.name: None for c in statistic.columns}
        if statistic.needs <= evidence.sketches.keys():
            try:
                columns |= statistic.of(evidence)
            except Unmeasured as reason:
                columns["notes"] = (reason.note,)
        notes.append(notes_of(columns))
        columns.pop("notes", None)
        values |= columns
    return values | {"notes": united(*notes)}
