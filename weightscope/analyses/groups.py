"""Grouped rows: tensors of one role, layer or model pooled, beside the median, least and greatest of the tensors.

Pooling exact Gaussians of different sigma fakes heavy tails, so a pooled value never stands alone; kinds never mix.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from ..columns import INDEX, Column
from ..statistics.statistic import Statistic
from .analysis import Piece
from .identity import KEYS, KIND, SIZES, of_group

SPREAD = {
    "_median": "median over the tensors of",
    "_min": "least over the tensors of",
    "_max": "greatest over the tensors of",
}


@dataclass
class Group:
    """What has come in so far: keys, the tensors' values, and their sketches added up without positions."""

    keys: dict[str, object]
    params: int = 0
    values: list[Mapping[str, object]] = field(default_factory=list)
    pooled: dict[Any, Any] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)  # by tensor
    lacking: dict[str, int] = field(default_factory=dict)  # values that each has not

    def take(self, piece: Piece, values: Mapping[str, object], sketches: Mapping[Any, Any]) -> None:
        """One tensor more."""
        self.params += piece.params
        self.values.append(values)
        if values["note"]:
            self.notes[piece.name] = str(values["note"]).split("; ")
            self.lacking[piece.name] = sum(value is None for value in values.values())
        for measure, sketch in sketches.items():
            free = sketch.forget()
            if free is not None:
                self.pooled[measure] = self.pooled[measure] + free if measure in self.pooled else free

    @property
    def noted(self) -> str:
        """How many tensors have a note, and the first of the rarest: what every tensor says hides what one says.

        Notes that differ in their numbers alone are one; of equally rare ones the tensor tells that lacks the most.
        """
        if not self.notes:
            return ""
        said = Counter(_sort(note) for notes in self.notes.values() for note in notes)
        every = [(name, note) for name, notes in self.notes.items() for note in notes]
        name, note = min(every, key=lambda x: (said[_sort(x[1])], -self.lacking[x[0]]))
        return f"{len(self.notes)} of {len(self.values)} tensors noted: {name}: {note}"


def _sort(note: str) -> str:
    return re.sub(r"\d[\d.,e+-]*", "N", note)


def keys_of(by: str) -> tuple[Column, ...]:
    """What a group is known by: keys, kind and sizes."""
    return (*KEYS[by], KIND, *SIZES)


def with_spread(statistics: Sequence[Statistic]) -> tuple[Column, ...]:
    """Every statistic pooled, where its records merge, and for numbers the spread over the tensors."""
    return tuple(
        x for s in statistics for c in s.columns for x in (*((c,) if s.pools else ()), *_around(c, s.pools))
    )


def _around(column: Column, pooled: bool) -> Iterator[Column]:
    """Spread of one column; a terminal shows the median beside pooled beta, and in place of what is not pooled."""
    for suffix, meaning in SPREAD.items() if _spreads(column) else ():
        shown = suffix == "_median" and (column.name == "beta" or (column.shown and not pooled))
        yield replace(column.suffixed(suffix, meaning), shown=shown)


def _spreads(column: Column) -> bool:
    """Whether it is a number; which line of a matrix it is has no median."""
    return column.dtype in ("int", "float") and column.unit != INDEX


def grouped(answers: Iterable[tuple[Piece, Mapping[str, object], Mapping[Any, Any]]], by: str) -> tuple[Group, ...]:
    """Groups in the order in which their first tensor came."""
    groups: dict[tuple[object, ...], Group] = {}
    for piece, values, sketches in answers:
        keys = of_group(piece, by) | {"kind": piece.place.kind}
        group = groups.setdefault(tuple(keys.values()), Group(keys))
        group.take(piece, values, sketches)
    return tuple(groups.values())


def spread(group: Group, statistics: Sequence[Column]) -> Iterator[tuple[str, object]]:
    """<name>_median, _min, _max over the tensors that have the value."""
    for column in statistics:
        if not _spreads(column):
            continue
        seen = [v for row in group.values if isinstance(v := row.get(column.name), int | float) and v == v]
        around = (float(median(seen)), min(seen), max(seen)) if seen else (None,) * 3
        yield from zip((column.name + suffix for suffix in SPREAD), around, strict=True)
