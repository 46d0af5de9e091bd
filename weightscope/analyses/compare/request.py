"""The measures that `compare` needs of a pair, and the values that it computes from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...checkpoints import Entry
from ...checkpoints.views import difference
from ...engine.unit import Measured, Unit
from ...notes import Note, Notes, notes_of, united
from ...sketches import Count, MarginSums
from ...statistics.pairs import (
    CHANGED,
    DELTA,
    LAW_DISTANCE,
    MEAN_DISTANCE,
    OF_DELTA,
    OVERLAP,
    labels,
)
from ...statistics.pairs.changes import status
from ...statistics.statistic import At, Evidence, Statistic, chosen, evaluate, needed
from ..measuring import limits, nulls
from ..piece import Piece
from ..spectrum.matrices import lack as no_spectrum
from .comparable import words
from .lineage.columns import NAMES, RULE, of_rule
from .matching_lines import lines_match
from .options import SERIES, CompareOptions
from .pair import Pair
from .spectra import OF_SIDES, OF_SPECTRUM, SPECTRAL
from .top import TOP_BESIDE, top_of

SHAPES = Note("shapes-differ", "shapes differ: only the laws are compared")
MISMATCH = Note("lines-differ", "the common rows do not match: only the laws are compared")
STATUS, RELATION, CHANGE = "status", "relation", "change"
UNCHANGED = ("same", "retyped")
# notes that are not about the law of the difference
OF_PAIR = ("no-elements", "overflow-squared", "pairs-left-out", "wide-bins", "zero-norm")
COUNTED = ("same", "retyped", "changed", "reshaped", "added", "removed")
VERDICT = frozenset({"cosine", "changed_share"})  # columns that decide relation and change
# of matrices whose elements cannot be paired
MEANS = frozenset(At(label, MarginSums()) for label in (labels.A, labels.B))


def statistics(o: CompareOptions) -> tuple[Statistic, ...]:
    """In the order of their columns."""
    usual = (CHANGED, DELTA, LAW_DISTANCE, MEAN_DISTANCE, *OF_DELTA)
    if o.spectrum:
        return (*usual, OVERLAP, *OF_SPECTRUM)
    return usual


@dataclass(frozen=True)
class CompareRequest:
    """Words, moments and counts of A and B, and the law of their difference, as far as needed."""

    options: CompareOptions

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics of the requested columns, and those behind the verdict.

        A list of changes has columns of its own.
        """
        if self.options.top:
            return (CHANGED, DELTA)
        return chosen(statistics(self.options), self._wanted)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """One unit of both entries and their difference; of other shapes one unit each."""
        assert isinstance(piece, Pair)
        if piece.a is None or piece.b is None:
            return ()
        a, b = piece.a.entry, piece.b.entry
        if a is None or b is None or not piece.is_weight:
            return self._of_words(piece)
        if piece.reshaped:
            return self._of_laws(piece, a, b)
        wants = self._wants(piece)
        entries: dict[str, Entry] = {labels.A: a, labels.B: b}
        if labels.DELTA in wants:
            entries[labels.DELTA] = difference(a, b)
        return _units(Unit(piece, entries, wants, _beside(wants)))

    def lack(self, piece: Piece) -> Notes:
        """No reasons other than the piece's own notes."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """By label and measure."""
        sketches = {}
        for result in measured:
            for label, of_label in result.sketches.items():
                for measure, sketch in of_label.items():
                    sketches[At(label, measure)] = sketch
        return sketches

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The columns of the statistics, the status, and notes."""
        assert isinstance(piece, Pair)
        sketches = self.sketches(piece, measured)
        shape = piece.entry.shape if piece.entry else None
        evidence = Evidence(sketches, shape, "F32", piece.place.kind)
        values = evaluate(self.statistics, evidence)
        notes = notes_of(values)
        matches = lines_match(piece, sketches)
        if not matches:
            laws = nulls((LAW_DISTANCE,))
            values |= {name: None for name in nulls(self.statistics) if name not in laws}
            notes = (MISMATCH,)
        elif piece.reshaped:
            notes = (SHAPES,)
        own_status = self.status_of(piece, sketches)
        if own_status in (None, *UNCHANGED) and _is_zero(sketches):
            # the law of an unchanged tensor is no news
            notes = tuple(note for note in notes if note.code in OF_PAIR)
        return {
            **values,
            **of_rule(piece, values, matches),
            STATUS: own_status,
            "notes": united(piece.notes, limits(measured), notes),
        }

    def status_of(self, pair: Pair, sketches: Mapping[Any, Any]) -> str | None:
        """The status of a pair; None where it was not measured or not requested."""
        if pair.a is None:
            return "added"
        if pair.b is None:
            return "removed"
        if pair.resized:
            return "reshaped"
        changed = sketches.get(labels.CHANGES) or sketches.get(labels.EQUALITY)
        if changed is None:
            return None
        return status(changed, pair.a.dtype == pair.b.dtype)

    @property
    def has_change(self) -> bool:
        """Whether relation and kind of change are measured: statuses alone go without.

        So the verdict does not depend on which statistics are shown.
        """
        wanted = self.options.wanted
        if wanted is None or self.options.top:
            return True
        measured = {c.name for statistic in statistics(self.options) for c in statistic.columns}
        # a rule holds only where the cosine of its elements confirms it
        return bool(wanted & {*measured, RELATION, CHANGE, RULE.name, *NAMES})

    @property
    def _wanted(self) -> frozenset[str] | None:
        """The requested columns of statistics, with those behind the verdict."""
        wanted = self.options.wanted
        if wanted is None or not self.has_change:
            return wanted
        return wanted | VERDICT

    @property
    def has_status(self) -> bool:
        """Whether words are compared: a call that shows names alone goes without."""
        wanted = self.options.wanted
        return self.has_change or wanted is None or bool(wanted & {STATUS, *COUNTED})

    def _wants(self, pair: Pair) -> dict[str, frozenset[Any]]:
        """The measures of a pair by label."""
        wants = (needed(self.statistics) | self._drawn) - MEANS
        if self.options.top:
            wants |= {At(labels.DELTA, top_of(self.options.top))}
        if not pair.ordered:
            wants &= LAW_DISTANCE.needs
        if labels.CHANGES not in wants and self.has_status:
            wants |= {labels.EQUALITY}
        if self.has_change and pair.is_matrix:
            wants |= {labels.SAMPLE}
        if no_spectrum(pair):
            wants -= SPECTRAL
        if not pair.is_matrix:
            wants -= {At(labels.DELTA, MarginSums())}
        by_label: dict[str, frozenset[Any]] = {}
        for at in wants:
            by_label[at.label] = by_label.get(at.label, frozenset()) | {at.measure}
        return by_label

    def _of_words(self, pair: Pair) -> tuple[Unit, ...]:
        """The stored words of buffers and of what has no values."""
        a, b = words(pair.a), words(pair.b)
        if not self.has_status or a is None or b is None or a.shape != b.shape:
            return ()
        wants = {labels.B: frozenset({labels.EQUALITY.measure})}
        return _units(Unit(pair, {labels.A: a, labels.B: b}, wants, labels.BESIDE))

    def _of_laws(self, pair: Pair, a: Entry, b: Entry) -> tuple[Unit, ...]:
        """The counts of two shapes, and the means of their rows and columns."""
        wants = (needed(self.statistics) | self._drawn) & MEAN_DISTANCE.needs
        if not pair.is_matrix:
            wants -= MEANS
        units = []
        for label, entry in ((labels.A, a), (labels.B, b)):
            measures = frozenset(at.measure for at in wants if at.label == label)
            if measures:
                units.append(Unit(pair, {label: entry}, {label: measures}))
        return tuple(units)

    @property
    def _drawn(self) -> frozenset[Any]:
        """The measures of the picture."""
        if not self.options.panels:
            return frozenset()
        laws = {At(label, Count()) for label in (labels.A, labels.B, labels.DELTA)}
        drawn = frozenset((*laws, labels.MOMENTS))
        if self.options.mode == SERIES and self.options.spectrum:
            return drawn | OF_SIDES
        return drawn


def _units(unit: Unit) -> tuple[Unit, ...]:
    """The unit, if anything is wanted of it."""
    return (unit,) if any(unit.wants.values()) else ()


def _beside(wants: Mapping[str, frozenset[Any]]) -> Mapping[str, tuple[str, ...]]:
    """The tiles that the measures of each label see."""
    beside = {**labels.BESIDE, **TOP_BESIDE}
    return {label: others for label, others in beside.items() if label in wants}


def _is_zero(sketches: Mapping[Any, Any]) -> bool:
    """Whether D is 0 in every element that is finite."""
    moments = sketches.get(labels.MOMENTS)
    return moments is not None and moments.absmax == 0
