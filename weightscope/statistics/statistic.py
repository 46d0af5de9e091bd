"""A statistic: some columns, the measures they need, and the pure function between them.

Chosen by column: only the measures of the requested columns are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..columns import Column
from ..errors import Unmeasured
from ..geometry import Shape
from ..notes import COLUMNS, Note, Notes, notes_of, united
from ..sketches.sketch import Measure


@dataclass(frozen=True)
class At:
    """A measure of the entry with this label, where a unit has several."""

    label: str
    measure: Measure


@dataclass(frozen=True)
class Evidence:
    """Input of a statistic: sketches, and the shape, type and kind of the tensor for its nulls.

    Sketches are keyed by their measure, where a unit has several entries by `At`.
    """

    sketches: Mapping[Any, Any]
    shape: Shape | None  # None where sketches of several tensors were pooled
    dtype: str = ""
    kind: str = "matrix"  # matrix conv embedding norm bias router buffer


@dataclass(frozen=True)
class Statistic:
    """`of(evidence)` fills exactly `columns`; a null has its reason under "notes"."""

    columns: tuple[Column, ...]
    needs: frozenset[Any]  # measures; `At` where a unit has several entries
    of: Callable[[Evidence], Mapping[str, object]]
    pools: bool = False  # whether the sketches of several tensors can be added up first


def needed(statistics: Iterable[Statistic]) -> frozenset[Any]:
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


def under(
    label: str, prefix: str, statistic: Statistic, without: Collection[str] = ()
) -> Statistic:
    """The statistic of the entry with this label, its columns and notes with a prefix.

    >>> from ..sketches import Count
    >>> std = Statistic((Column("std", "float", ""),), frozenset({Count()}), lambda evidence: {})
    >>> under("delta", "delta_", std).columns[0].name
    'delta_std'
    """
    columns = [column for column in statistic.columns if not column.on_request]
    kept = [column for column in columns if column.name not in without]
    needs = frozenset(At(label, measure) for measure in statistic.needs)

    def of(evidence: Evidence) -> Mapping[str, object]:
        sketches = {measure: evidence.sketches[At(label, measure)] for measure in statistic.needs}
        try:
            values = statistic.of(replace(evidence, sketches=sketches))
        except Unmeasured as reason:
            raise Unmeasured(_prefixed_note(reason.note, label)) from None
        prefixed: dict[str, object] = {prefix + c.name: values.get(c.name) for c in kept}
        notes = tuple(_prefixed_note(note, label) for note in notes_of(values))
        return {**prefixed, "notes": notes}

    names = {column.name for column in kept}
    named = tuple(_prefixed_column(column, label, prefix, names) for column in kept)
    return Statistic(named, needs, of, statistic.pools)


def _prefixed_column(column: Column, label: str, prefix: str, kept: Collection[str]) -> Column:
    error = prefix + column.error if column.error in kept else ""
    return replace(
        column,
        name=prefix + column.name,
        meaning=f"of the {label}: {column.meaning}",
        shown=False,
        error=error,
    )


def _prefixed_note(note: Note, label: str) -> Note:
    template = f"{label}: {note.template}" if note.template else ""
    return replace(note, text=f"{label}: {note.text}", template=template)
