"""The loop from pieces to values, common to all analyses.

A request declares the units that a piece needs, and computes values from their sketches. Where a
piece needs one unit, its values are computed by the worker that has measured it, while other
tensors are read; where it needs several, after the last has arrived. Requests of several analyses
are joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from ..engine.unit import Measured, Measurer, Unit
from ..notes import Note, Notes, notes_of, united
from ..statistics.statistic import Statistic
from .joining import JoinedUnits, Share
from .piece import Piece

VECTOR = Note("vector", "a vector: element statistics only")
Units = tuple[Unit, ...]
Sketches = Mapping[Any, Any]


@dataclass(frozen=True, eq=False)
class Answer:
    """The values and sketches of one piece."""

    piece: Piece
    values: Mapping[str, object]
    sketches: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def pooling(self) -> Mapping[Any, Any]:
        """The sketches that may be added up over tensors."""
        return {
            measure: sketch
            for measure, sketch in self.sketches.items()
            if sketch.forget() is not None
        }


class Request(Protocol):
    """The measures that an analysis needs, and the values that it computes from them.

    Law: equal options and pieces give equal units.
    """

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics whose columns the values fill."""

    def units(self, piece: Piece) -> Units:
        """The units of a piece; empty where it cannot be measured."""

    def lack(self, piece: Piece) -> Notes:
        """Why a piece is not measured, in addition to its own notes."""

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Sketches:
        """The sketches that the statistics use."""

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """All columns of the statistics, and notes."""


def answers(pieces: Sequence[Piece], request: Request, measure: Measurer) -> Iterator[Answer]:
    """Every piece in order with its values and sketches; nulls and notes if not measured."""
    # All units are known before the first is read: the plan batches equal ones.
    by_piece = [request.units(piece) for piece in pieces]
    units = [unit for units_of_piece in by_piece for unit in units_of_piece]
    single = frozenset(units_of_piece[0] for units_of_piece in by_piece if len(units_of_piece) == 1)
    measured: Iterator[Measured] = iter(())
    if units:
        measured = measure(units, partial(_values_of_single, request, single))
    # Results arrive in the order of the units.
    for piece, units_of_piece in zip(pieces, by_piece, strict=True):
        yield _answer(request, piece, [next(measured) for _ in units_of_piece])


def no_values(measured: Measured) -> Mapping[str, object]:
    """Of units whose sketches alone are asked for."""
    return {}


def nulls(statistics: Iterable[Statistic]) -> dict[str, object]:
    """The columns of statistics, all null."""
    return {column.name: None for statistic in statistics for column in statistic.columns}


def limits(measured: Iterable[Measured]) -> Notes:
    """Notes about units that did not fit into the memory, or into that of the device."""
    notes = []
    for result in measured:
        if result.note:
            notes.append(Note("memory", result.note))
        if result.moved:
            notes.append(Note("on-cpu", result.moved))
    return united(notes)


def _values_of_single(
    request: Request, single: frozenset[Unit], measured: Measured
) -> Mapping[str, object]:
    """The values of a piece with one unit; pieces with several are computed by `_answer`."""
    if measured.unit in single:
        return request.values(measured.unit.key, (measured,))
    return {}


def _answer(request: Request, piece: Piece, measured: Sequence[Measured]) -> Answer:
    if not measured:
        return Answer(piece, _unmeasured(request, piece))
    sketches = request.sketches(piece, measured)
    if len(measured) == 1:
        return Answer(piece, measured[0].values, sketches)
    return Answer(piece, request.values(piece, measured), sketches)


def _values(request: Request, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
    if not measured:
        return _unmeasured(request, piece)
    return request.values(piece, measured)


def _unmeasured(request: Request, piece: Piece) -> Mapping[str, object]:
    notes = united(piece.notes, request.lack(piece))
    return {**nulls(request.statistics), "notes": notes}


@dataclass(frozen=True)
class Joined:
    """Several requests as one: shared entries are read once, and equal measures are taken once.

    Where several requests fill a column, the last value other than null is used; notes are joined.
    """

    requests: tuple[Request, ...]

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Of all requests."""
        statistics: list[Statistic] = []
        for request in self.requests:
            statistics += request.statistics
        return tuple(statistics)

    def units(self, piece: Piece) -> Units:
        """The units of all requests, those that share an entry as one."""
        units, _ = self._joined(piece)
        return units

    def lack(self, piece: Piece) -> Notes:
        """The reasons of all requests."""
        reasons = [request.lack(piece) for request in self.requests]
        return united(*reasons)

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Sketches:
        """Of all requests."""
        sketches: dict[Any, Any] = {}
        for request, measured_of_request in self._by_request(piece, measured):
            if measured_of_request:
                sketches |= request.sketches(piece, measured_of_request)
        return sketches

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """Of all requests, each from the measures that it needs."""
        values: dict[str, object] = {}
        notes: list[Notes] = []
        for request, measured_of_request in self._by_request(piece, measured):
            added = _values(request, piece, measured_of_request)
            for name, value in added.items():
                if value is not None or name not in values:
                    values[name] = value
            notes.append(notes_of(added))
        return {**values, "notes": united(*notes)}

    # Computed again for each use, since it follows from options and piece: no state to keep.
    def _joined(self, piece: Piece) -> tuple[Units, list[list[Share]]]:
        """The joined units, and the shares of each request in them."""
        joined = JoinedUnits(piece)
        shares = [
            [joined.share(unit) for unit in request.units(piece)] for request in self.requests
        ]
        return joined.freeze(), shares

    def _by_request(
        self, piece: Piece, measured: Sequence[Measured]
    ) -> Iterator[tuple[Request, list[Measured]]]:
        """Each request with its units as measured, as if it were the only one."""
        _, shares_by_request = self._joined(piece)
        for request, shares in zip(self.requests, shares_by_request, strict=True):
            yield request, [share.of(measured) for share in shares]
