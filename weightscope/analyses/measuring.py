"""The one loop from pieces to values; what an analysis needs of the pieces is a request, and requests join.

A request says which units a piece needs and makes values of what was measured. Where a piece needs one unit, its values
are computed beside the reading, by the worker that has measured it; where it needs several, when the last has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from ..checkpoints import Entry, same
from ..engine.unit import Measured, Measurer, Unit
from ..notes import Note, Notes, notes_of, united
from ..sketches import Measure
from ..statistics.statistic import Statistic
from .piece import Piece

VECTOR = Note("vector", "a vector: element statistics only")
Units = tuple[Unit, ...]
Sketches = Mapping[Any, Any]


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of one piece."""

    piece: Piece
    values: Mapping[str, object]
    sketches: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def pooling(self) -> Mapping[Any, Any]:
        """What may be added up over tensors."""
        return {m: s for m, s in self.sketches.items() if s.forget() is not None}


class Request(Protocol):
    """What an analysis needs of pieces. Law: equal options and pieces give equal units."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Those whose columns the values fill."""

    def units(self, piece: Piece) -> Units:
        """What is measured of a piece; nothing where nothing can be."""

    def lack(self, piece: Piece) -> Notes:
        """Why nothing is measured of a piece, beside its own notes."""

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Sketches:
        """What the statistics look at."""

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """All columns of the statistics, and notes."""


def answers(pieces: Sequence[Piece], request: Request, measure: Measurer) -> Iterator[Answer]:
    """Every piece with its values and sketches, in order; nulls with notes where nothing could be measured."""
    wanted = [request.units(piece) for piece in pieces]
    units = [unit for of_piece in wanted for unit in of_piece]
    alone = frozenset(of_piece[0] for of_piece in wanted if len(of_piece) == 1)
    measured = measure(units, partial(_each, request, alone)) if units else iter(())
    for piece, of_piece in zip(pieces, wanted, strict=True):
        yield _answer(request, piece, [next(measured) for _ in of_piece])


def nulls(statistics: Iterable[Statistic]) -> dict[str, object]:
    """The columns of statistics, all null."""
    return {column.name: None for statistic in statistics for column in statistic.columns}


def limits(measured: Iterable[Measured]) -> Notes:
    """What did not fit the memory."""
    return united(*(Note("memory", one.note) for one in measured if one.note))


def _each(request: Request, alone: frozenset[Unit], measured: Measured) -> Mapping[str, object]:
    """The values of a piece of one unit; the others wait for their last unit."""
    return request.values(measured.unit.key, (measured,)) if measured.unit in alone else {}


def _answer(request: Request, piece: Piece, measured: Sequence[Measured]) -> Answer:
    if not measured:
        return Answer(piece, _unmeasured(request, piece))
    values = measured[0].values if len(measured) == 1 else request.values(piece, measured)
    return Answer(piece, values, request.sketches(piece, measured))


def _unmeasured(request: Request, piece: Piece) -> Mapping[str, object]:
    return {**nulls(request.statistics), "notes": united(piece.notes, request.lack(piece))}


@dataclass(frozen=True)
class Joined:
    """Several requests as one: entries that they share are read once, and equal measures are taken once.

    A later request's value of a column replaces an earlier one's, save by null; notes are joined.
    """

    requests: tuple[Request, ...]

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Of all requests."""
        return tuple(s for request in self.requests for s in request.statistics)

    def units(self, piece: Piece) -> Units:
        """The units of all requests, those that share an entry as one."""
        return tuple(shared.unit(piece) for shared in self._shared(piece)[0])

    def lack(self, piece: Piece) -> Notes:
        """All reasons."""
        return united(*(request.lack(piece) for request in self.requests))

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Sketches:
        """Of all requests."""
        found: dict[Any, Any] = {}
        for request, own in self._own(piece, measured):
            found |= request.sketches(piece, own) if own else {}
        return found

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """Of all requests, each from what it has asked for."""
        values: dict[str, object] = {}
        notes: list[Notes] = []
        for request, own in self._own(piece, measured):
            found = request.values(piece, own) if own else _unmeasured(request, piece)
            values |= {
                name: value
                for name, value in found.items()
                if value is not None or name not in values
            }
            notes.append(notes_of(found))
        return {**values, "notes": united(*notes)}

    def _shared(self, piece: Piece) -> tuple[list[_Shared], list[list[_Share]]]:
        """The joined units, and for each request where its own units are in them."""
        units: list[_Shared] = []
        shares = [
            [_share(units, unit) for unit in request.units(piece)] for request in self.requests
        ]
        return units, shares

    def _own(
        self, piece: Piece, measured: Sequence[Measured]
    ) -> Iterator[tuple[Request, list[Measured]]]:
        """Each request with what was measured of its units, as if it had asked alone."""
        for request, shares in zip(self.requests, self._shared(piece)[1], strict=True):
            yield request, [share.of(measured) for share in shares]


@dataclass(eq=False)
class _Shared:
    """A joined unit while requests are added to it."""

    entries: dict[str, Entry] = field(default_factory=dict)
    wants: dict[str, frozenset[Measure]] = field(default_factory=dict)
    beside: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def unit(self, piece: Piece) -> Unit:
        return Unit(piece, self.entries, self.wants, self.beside)

    def takes(self, unit: Unit) -> bool:
        """Whether an entry is shared; measures that look beside them find others by label, which then must stay."""
        labels = {label: self.label(entry) for label, entry in unit.entries.items()}
        if not any(known is not None for known in labels.values()):
            return False
        kept = all(
            known == label or (known is None and label not in self.entries)
            for label, known in labels.items()
        )
        return kept or not unit.beside

    def label(self, entry: Entry) -> str | None:
        """Under which label an equal entry is there."""
        return next((label for label, known in self.entries.items() if same(known, entry)), None)

    def add(self, label: str, entry: Entry, wants: frozenset[Measure], stays: bool) -> str:
        """The label under which an entry stands from now on; its own where it `stays`, also beside an equal entry."""
        known = label if stays else self.label(entry)
        if known is not None:
            self.entries.setdefault(known, entry)
        else:
            known = label if label not in self.entries else f"{label}.{len(self.entries)}"
            self.entries[known] = entry
        self.wants[known] = self.wants.get(known, frozenset()) | wants
        return known


@dataclass(frozen=True)
class _Share:
    """One request's unit inside a joined one: which, and under which labels its entries stand there."""

    unit: Unit
    place: int
    labels: Mapping[str, str]

    def of(self, measured: Sequence[Measured]) -> Measured:
        """What the request has asked for, and nothing of the others."""
        joint = measured[self.place]
        sketches = {
            label: {m: s for m, s in joint.sketches[self.labels[label]].items() if m in wants}
            for label, wants in self.unit.wants.items()
        }
        return Measured(self.unit, sketches, joint.note)


def _share(units: list[_Shared], unit: Unit) -> _Share:
    """Adds a unit to the joined one that has an equal entry, or as a new one."""
    place = next((i for i, shared in enumerate(units) if shared.takes(unit)), len(units))
    if place == len(units):
        units.append(_Shared())
    shared, nothing = units[place], frozenset[Measure]()
    labels = {
        label: shared.add(label, entry, unit.wants.get(label, nothing), stays=bool(unit.beside))
        for label, entry in unit.entries.items()
    }
    for label, others in unit.beside.items():
        shared.beside[label] = tuple(dict.fromkeys((*shared.beside.get(label, ()), *others)))
    return _Share(unit, place, labels)
