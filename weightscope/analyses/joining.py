"""Units of several requests as one unit each, where they share an entry.

A shared entry is read once, and a measure that several requests want is taken once. Entries keep
their labels in the units of the requests; in the joined unit each has one label, and measures that
see the tile of another entry refer to it by that label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..checkpoints import Entry, same
from ..engine.unit import Measured, Unit
from ..sketches import Measure
from ..sketches.beside import relabelled


@dataclass(frozen=True)
class Share:
    """The unit of one request inside a joined one."""

    unit: Unit
    index: int  # of the joined unit
    labels: Mapping[str, str]  # label in the unit -> label in the joined unit

    def of(self, measured: Sequence[Measured]) -> Measured:
        """The sketches that the request needs, as if its unit were measured alone."""
        joint = measured[self.index]
        sketches = {}
        for label, wants in self.unit.wants.items():
            all_sketches = joint.sketches[self.labels[label]]
            sketches[label] = _wanted(wants, all_sketches, self.labels)
        return Measured(self.unit, sketches, joint.note, joint.moved)


@dataclass(eq=False)
class JoinedUnits:
    """Joined units while units are added."""

    key: Any
    members: list[_JoinedUnit] = field(default_factory=list)

    def share(self, unit: Unit) -> Share:
        """Adds a unit to the first joined one that has one of its entries, or else as a new one."""
        index = self._index_of(unit)
        if index == len(self.members):
            self.members.append(_JoinedUnit())
        target = self.members[index]
        labels = {label: target.add(label, entry) for label, entry in unit.entries.items()}
        target.want(unit, labels)
        return Share(unit, index, labels)

    def _index_of(self, unit: Unit) -> int:
        for index, target in enumerate(self.members):
            if any(target.label_of(entry) is not None for entry in unit.entries.values()):
                return index
        return len(self.members)

    def freeze(self, divisible: bool = False) -> tuple[Unit, ...]:
        """The finished units; `divisible` ones may be measured request by request."""
        return tuple(member.freeze(self.key, divisible) for member in self.members)


@dataclass(eq=False)
class _JoinedUnit:
    """A joined unit while units of requests are added to it."""

    entries: dict[str, Entry] = field(default_factory=dict)
    wants: dict[str, frozenset[Measure]] = field(default_factory=dict)
    beside: dict[str, tuple[str, ...]] = field(default_factory=dict)
    known: dict[int, str] = field(default_factory=dict)  # id of an entry -> its label
    shares: list[tuple[Unit, Mapping[str, str]]] = field(default_factory=list)

    def freeze(self, key: Any, divisible: bool) -> Unit:
        """The finished unit."""
        unit = Unit(key, self.entries, self.wants, self.beside)
        if not divisible or len(self.shares) < 2:
            return unit
        taken: set[tuple[str, Measure]] = set()
        parts = [_part(key, share, labels, taken) for share, labels in self.shares]
        return replace(unit, parts=tuple(part for part in parts if any(part.wants.values())))

    def label_of(self, entry: Entry) -> str | None:
        """The label of an equal entry; None without one."""
        label = self.known.get(id(entry))
        if label is not None:
            return label
        for label, other in self.entries.items():
            if same(other, entry):
                return label
        return None

    def add(self, label: str, entry: Entry) -> str:
        """Adds an entry unless an equal one is there; returns its label in the joined unit."""
        joined_label = self.label_of(entry)
        if joined_label is None:
            joined_label = label
            if label in self.entries:
                joined_label = f"{label}.{len(self.entries)}"
            self.entries[joined_label] = entry
            self.wants[joined_label] = frozenset()
            self.known[id(entry)] = joined_label
        return joined_label

    def want(self, unit: Unit, labels: Mapping[str, str]) -> None:
        """Adds the measures of a unit, and which tiles they see."""
        self.shares.append((unit, labels))
        for label, wants in unit.wants.items():
            renamed = frozenset(relabelled(measure, labels) for measure in wants)
            self.wants[labels[label]] |= renamed
        for label, others in unit.beside.items():
            earlier = self.beside.get(labels[label], ())
            seen = (labels[other] for other in others)
            self.beside[labels[label]] = tuple(dict.fromkeys((*earlier, *seen)))


def _part(key: Any, unit: Unit, labels: Mapping[str, str], taken: set[tuple[str, Measure]]) -> Unit:
    """The unit of one request under the labels of the joined one, without what is `taken`."""
    wants: dict[str, frozenset[Measure]] = {}
    for label, measures in unit.wants.items():
        joined = labels[label]
        renamed = {(joined, relabelled(measure, labels)) for measure in measures}
        wants[joined] = frozenset(measure for _, measure in renamed - taken)
        taken |= renamed
    entries = {labels[label]: entry for label, entry in unit.entries.items()}
    beside = {
        labels[label]: tuple(labels[other] for other in others)
        for label, others in unit.beside.items()
    }
    return Unit(key, entries, wants, beside)


def _wanted(
    wants: frozenset[Measure], sketches: Mapping[Measure, Any], labels: Mapping[str, str]
) -> dict[Measure, Any]:
    """The sketches of these measures, which have other labels in the joined unit."""
    found = {}
    for measure in wants:
        renamed = relabelled(measure, labels)
        if renamed in sketches:
            found[measure] = sketches[renamed]
    return found
