"""A unit is what is measured together: entries over the same boxes, the measures wanted of each, and a key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..checkpoints import Entry
from ..sketches.sketch import Measure


@dataclass(frozen=True, eq=False)
class Unit:
    """`key` is the analysis's own; entries share their shape; leaves that several need are read once.

    The first entry decides along which axis tiles are cut. `beside` names the labels whose tiles the measures of a
    label see: with {"delta": ("a", "b")} they find `tile.beside["a"]`, whether anything is wanted of "a" or not.
    """

    key: Any
    entries: Mapping[str, Entry]  # {"": W}, or {"a": A, "b": B, "delta": B - A}
    wants: Mapping[str, frozenset[Measure]]  # per entry
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def seen(self, label: str) -> tuple[str, ...]:
        """The labels of the tiles that a measure of `label` sees, its own first."""
        return (label, *self.beside.get(label, ()))

    def shown(self, without: Collection[tuple[str, Measure]] = ()) -> tuple[str, ...]:
        """The labels that any measure sees, but for the measures left out."""
        wanted = [
            label
            for label, measures in self.wants.items()
            if any((label, m) not in without for m in measures)
        ]
        seen = {other for label in wanted for other in self.seen(label)}
        return tuple(label for label in self.entries if label in seen)


@dataclass(frozen=True, eq=False)
class Measured:
    """The answer: sketches[entry][measure], why one is missing, and what `each` made of it."""

    unit: Unit
    sketches: Mapping[str, Mapping[Measure, Any]]
    note: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


Each = Callable[[Measured], Mapping[str, object]]


class Measurer(Protocol):
    """The engine as an analysis sees it: units in, answers in the same order; `each` runs beside the reading."""

    def __call__(self, units: Sequence[Unit], each: Each) -> Iterator[Measured]:
        """Measures all, lazily."""
