"""A statistic: some columns, the measures they need, and the pure function between.

Chosen by column, so that nobody pays for what is not asked.
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
    """What a statistic may look at: the sketches it asked for, and the shape, type and kind of tensor for its nulls."""

    sketches: Mapping[Measure, Any]
    shape: Shape | None  # None where sketches of several tensors were pooled
    dtype: str = ""
    kind: str = "matrix"  # matrix conv embedding norm bias router buffer


@dataclass(frozen=True)
class Statistic:
    """`of(evidence)` fills exactly `columns`; a column that cannot be computed is None, its reason under "notes"."""

    columns: tuple[Column, ...]
    needs: frozenset[Measure]
    of: Callable[[Evidence], Mapping[str, object]]
    pools: bool = False  # counts and energies of several tensors add up to what it reads


def needed(statistics: Iterable[Statistic]) -> frozenset[Measure]:
    """The measures of all, each once."""
    return frozenset().union(*(s.needs for s in statistics))


def chosen(statistics: Iterable[Statistic], wanted: frozenset[str] | None) -> tuple[Statistic, ...]:
    """Those that fill a wanted column; None = all, and so does a note that is wanted alone: it is about all of them."""
    every = tuple(statistics)
    found = tuple(s for s in every if wanted is None or wanted & {c.name for c in s.columns})
    return found or (every if wanted is not None and wanted & COLUMNS else ())


def evaluate(statistics: Iterable[Statistic], evidence: Evidence) -> dict[str, object]:
    """All columns; a statistic that fails or lacks a measure gives nulls, and `notes` has the reasons, each once."""
    values: dict[str, object] = {}
    notes: list[Notes] = []
    for statistic in statistics:
        answer: dict[str, object] = {c.name: None for c in statistic.columns}
        try:
            answer |= statistic.of(evidence) if statistic.needs <= evidence.sketches.keys() else {}
        except Unmeasured as reason:
            answer |= {"notes": (reason.note,)}
        notes.append(notes_of(answer))
        values |= {name: value for name, value in answer.items() if name != "notes"}
    return values | {"notes": united(*notes)}
