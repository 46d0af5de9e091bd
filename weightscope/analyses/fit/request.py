"""The measures that `fit` needs of a piece, and the values that it computes from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from ...engine.unit import Measured, Unit
from ...notes import Note, Notes, notes_of, united
from ...sketches import Count, RowPairs
from ...statistics.elements import CODING, MOMENTS, SHAPE
from ...statistics.elements.moments import BEYOND
from ...statistics.elements.sampled_steps import with_steps
from ...statistics.laws import BEST_LAW
from ...statistics.lines import IID, balanced_elements
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from ..measuring import VECTOR, limits
from ..piece import Piece
from .options import FitOptions

# In the order of their columns.
ALWAYS = (MOMENTS, BEST_LAW, SHAPE, IID)


def statistics(o: FitOptions) -> tuple[Statistic, ...]:
    """The usual four, the balanced matrix with --balance, coding costs with --coding."""
    statistics = list(ALWAYS)
    if o.balance:
        statistics.append(balanced_elements(o.seed, o.draws))
    if o.coding:
        statistics.append(CODING)
    return tuple(statistics)


@dataclass(frozen=True)
class FitRequest:
    """Counts of all elements, and sums of rows and columns, as far as the columns need them.

    `also`: statistics of other commands that need no more than these.
    """

    options: FitOptions
    also: tuple[Statistic, ...] = ()

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics of the requested columns; with --long, laws are fitted row by row."""
        if self.options.long:
            return self.also
        return (*chosen(statistics(self.options), self.options.wanted), *self.also)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """The tensor; of a vector the counts of its elements only."""
        if piece.entry is None:
            return ()
        wants = needed(self.statistics) | self._for_panels
        if not piece.is_matrix:
            wants &= {Count()}  # no rows and columns to compare
        if Count() in wants:
            wants |= {RowPairs()}  # they show the steps of a quantiser
        return (Unit(piece, {"": piece.entry}, {"": wants}),)

    def lack(self, piece: Piece) -> Notes:
        """No reasons other than the piece's own notes."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured, and counts with the steps of a quantiser that rows show."""
        sketches = measured[0].sketches[""]
        if not {Count(), RowPairs()} <= sketches.keys():
            return sketches
        counts = with_steps(sketches[Count()], sketches[RowPairs()], piece.dtype)
        return {**sketches, Count(): counts}

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The columns of the statistics, and notes."""
        sketches = self.sketches(piece, measured)
        shape = piece.entry.shape if piece.entry else None
        evidence = Evidence(sketches, shape, piece.dtype, piece.place.kind)
        values = evaluate(self.statistics, evidence)
        notes = united(
            piece.notes,
            self._vector(piece, sketches),
            limits(measured),
            _overflow(sketches),
            notes_of(values),
        )
        return {**values, "notes": notes}

    def _vector(self, piece: Piece, sketches: Mapping[Any, Any]) -> Note | None:
        """The note of a vector, if a requested statistic needs rows and columns."""
        if piece.is_matrix or not piece.params:
            return None
        if all(statistic.needs <= sketches.keys() for statistic in self.statistics):
            return None
        return VECTOR

    @property
    def _for_panels(self) -> frozenset[Any]:
        """The measures of tables, pictures and histograms."""
        o = self.options
        if o.long or o.counts or o.panels or o.histogram:
            return frozenset({Count()})
        return frozenset()


def _overflow(sketches: Mapping[Any, Any]) -> Note | None:
    """The note of values whose squares overflow."""
    counts = sketches.get(Count())
    if counts is None or not counts.n:
        return None
    if isnan(counts.std):
        return BEYOND
    return None
