"""A unit is measured together: entries over the same boxes, the measures wanted of each, a key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from ..checkpoints import Entry
from ..geometry import Axis
from ..sketches.sketch import Measure

ALONE = "tiles of labels that no other label sees"


@dataclass(frozen=True, eq=False)
class Unit:
    """Entries of one shape under labels; stored bytes that several of them need are read once.

    `key` belongs to the analysis. The first entry decides along which axis tiles are cut. `beside`
    names the labels whose tiles the measures of a label see: with {"delta": ("a", "b")} they find
    `tile.beside["a"]`, whether anything is wanted of "a" or not.
    """

    key: Any
    entries: Mapping[str, Entry]  # {"": W}, or {"a": A, "b": B, "delta": B - A}
    wants: Mapping[str, frozenset[Measure]]  # per entry
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # measured instead, one after the other, where this unit does not fit into the memory: together
    # they have all its measures under its labels
    parts: tuple[Unit, ...] = ()

    @cached_property
    def seen_beside(self) -> frozenset[str]:
        """Labels that the measures of other labels see."""
        return frozenset(other for others in self.beside.values() for other in others)

    def buffer_of(self, label: str) -> str:
        """The name of the buffer of its tiles: one for all labels that no other label sees."""
        return label if label in self.seen_beside else ALONE

    def seen(self, label: str) -> tuple[str, ...]:
        """Labels of the tiles that a measure of `label` sees, `label` itself first."""
        return (label, *self.beside.get(label, ()))

    @cached_property
    def wanted(self) -> tuple[tuple[str, Measure], ...]:
        """Every measure with its label, in a fixed order."""
        wants = []
        for label, measures in self.wants.items():
            wants += [(label, measure) for measure in measures]
        return tuple(sorted(wants, key=repr))

    @cached_property
    def cuts(self) -> dict[str, Axis]:
        """The axis of each label along which its rows or columns are cheap to read."""
        return {label: entry.cut for label, entry in self.entries.items()}

    @cached_property
    def sizes(self) -> dict[object, int]:
        """Bytes that plans ask for again and again, filled by room.py."""
        return {}

    def shown(self, without: Collection[tuple[str, Measure]] = ()) -> tuple[str, ...]:
        """Labels that any measure sees, apart from the measures in `without`."""
        if without:
            return self._shown(without)
        return self._shown_to_all

    @cached_property
    def _shown_to_all(self) -> tuple[str, ...]:
        return self._shown(())

    def _shown(self, without: Collection[tuple[str, Measure]]) -> tuple[str, ...]:
        visible: set[str] = set()
        for label, measures in self.wants.items():
            if any((label, measure) not in without for measure in measures):
                visible.update(self.seen(label))
        return tuple(label for label in self.entries if label in visible)


@dataclass(frozen=True, eq=False)
class Measured:
    """The result of a unit: sketches[label][measure], the reason for a missing one, and values."""

    unit: Unit
    sketches: Mapping[str, Mapping[Measure, Any]]
    note: str = ""
    moved: str = ""  # the reason why the CPU measured it instead of the device
    values: Mapping[str, object] = field(default_factory=dict)


# from the sketches of a unit to its `values`; runs in the worker, while other tensors are read
Each = Callable[[Measured], Mapping[str, object]]


class Measurer(Protocol):
    """The engine as an analysis sees it: units in, results in the same order."""

    def __call__(self, units: Sequence[Unit], each: Each) -> Iterator[Measured]:
        """Measures all units, lazily."""
