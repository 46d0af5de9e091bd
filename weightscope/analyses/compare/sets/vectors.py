"""The task vectors of one tensor: the differences of its tunings from the base, in one unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....checkpoints import Entry
from ....checkpoints.views import difference
from ....engine.unit import Measured, Unit
from ....notes import Note, Notes
from ....sketches import Count
from ....sketches.shared_outliers import OutlierPositions, SharedOutliers
from ....sketches.sketch import Measure
from ....sketches.task_vectors import TaskVectors
from ....sketches.vector_record import VectorProducts
from ....statistics.pairs.rounding import rounding_energy
from ....statistics.pairs.sets import OVERLAPS
from ....statistics.statistic import Statistic
from ...measuring import limits
from ...piece import Piece
from ..many.bundle import Bundle, Member, bundles
from ..options import MIX, CompareOptions

VALUES = "vectors"  # the key of the values of a bundle
NO_TENSOR = Note("no-delta", "a model has no such tensor: no task vector")
OTHER_SHAPE = Note("no-delta", "another shape or order of rows: no task vector")
UNREAD = Note("no-delta", "the values cannot be read: no task vector")
MERGED = "merged"  # the label of the merged model itself


@dataclass(frozen=True, eq=False)
class Vectors:
    """What was measured of the task vectors of a tensor.

    `tunings` have one, in the order of the records; `lacks` has the reason of each that has none.
    `rounding` is the energy that rounding the merged tensor to its type adds.
    """

    tunings: tuple[int, ...] = ()
    lacks: Mapping[int, Note] | None = None
    products: VectorProducts | None = None
    positions: OutlierPositions | None = None
    rounding: float = 0.0
    notes: Notes = ()

    def places(self, tunings: Sequence[int]) -> list[int] | None:
        """Where these tunings are in the records; None where one of them has no task vector."""
        if self.products is None or not all(tuning in self.tunings for tuning in tunings):
            return None
        return [self.tunings.index(tuning) for tuning in tunings]


@dataclass(frozen=True)
class VectorsRequest:
    """Inner products of the task vectors, and where wanted their common outliers."""

    options: CompareOptions

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """None of the tensor itself: rows are of two tunings."""
        return ()

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """One unit of all differences; none where fewer than two models have the tensor."""
        assert isinstance(piece, Bundle)
        entries = _differences(piece)
        if len(entries) < 2:
            return ()
        first, *others = entries
        wants: set[Measure] = {TaskVectors(tuple(others))}
        if self._has_outliers:
            wants.add(SharedOutliers(tuple(others)))
        wanted = {first: frozenset(wants)}
        beside = {first: tuple(others)}
        last = piece.pairs[-1]
        is_merge = self.options.mode == MIX and _lack(last) is None
        if is_merge and last.b is not None and last.b.entry is not None:
            entries = {**entries, MERGED: last.b.entry}
            wanted[MERGED] = frozenset({Count()})
        return (Unit(piece, entries, wanted, beside),)

    def lack(self, piece: Piece) -> Notes:
        """The reasons are those of the tunings."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """None beside the values."""
        return {}

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The records of the vectors under one key."""
        assert isinstance(piece, Bundle)
        (result,) = measured
        first, *others = _differences(piece)
        found = result.sketches[first]
        rounding = 0.0
        counts = result.sketches.get(MERGED, {}).get(Count())
        if counts is not None:
            rounding = rounding_energy(counts, result.unit.entries[MERGED].dtype)
        vectors = Vectors(
            tuple(int(label) for label in (first, *others)),
            lacks_of(piece),
            found.get(TaskVectors(tuple(others))),
            found.get(SharedOutliers(tuple(others))),
            rounding,
            limits(measured),
        )
        return {VALUES: vectors}

    @property
    def _has_outliers(self) -> bool:
        if self.options.mode == MIX:
            return False
        wanted = self.options.wanted
        return wanted is None or bool(wanted & {column.name for column in OVERLAPS.columns})


def without_two(pairs: Iterable[Member]) -> Iterator[Member]:
    """The pairs of tensors that are not read: fewer than two tunings have a task vector."""
    for bundle in bundles(pairs):
        if len(bundle.pairs) - len(lacks_of(bundle)) < 2:
            yield from (pair for pair in bundle.pairs if pair.entry is not None)


def lacks_of(bundle: Bundle) -> dict[int, Note]:
    """The tunings without a task vector, with the reason."""
    lacks = {}
    for pair in bundle.pairs:
        reason = _lack(pair)
        if reason is not None:
            lacks[pair.sides[1]] = reason
    return lacks


def _differences(bundle: Bundle) -> dict[str, Entry]:
    """B - base of each tuning that has one, by the index of its model as text."""
    entries: dict[str, Entry] = {}
    for pair in bundle.pairs:
        if _lack(pair) is None:
            assert pair.a is not None
            assert pair.b is not None
            assert pair.a.entry is not None
            assert pair.b.entry is not None
            entries[str(pair.sides[1])] = difference(pair.a.entry, pair.b.entry)
    return entries


def _lack(pair: Member) -> Note | None:
    """Why a tuning has no task vector of this tensor."""
    if pair.a is None or pair.b is None:
        return NO_TENSOR
    if pair.reshaped or pair.rule or not pair.ordered:
        return OTHER_SHAPE
    if pair.a.entry is None or pair.b.entry is None or not pair.is_weight:
        return UNREAD
    return None
