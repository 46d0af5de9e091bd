"""What `fit` needs of a piece, and the values that it makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from ...engine.unit import Measured, Unit
from ...notes import Notes, notes_of, united
from ...sketches import Count
from ...statistics.elements import CODING, MOMENTS, SHAPE
from ...statistics.elements.moments import BEYOND
from ...statistics.laws import BEST_LAW
from ...statistics.lines import LINES, core
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from ..measuring import VECTOR, limits
from ..piece import Piece
from .options import FitOptions

ALWAYS = (MOMENTS, BEST_LAW, SHAPE, LINES)


def statistics(o: FitOptions) -> tuple[Statistic, ...]:
    """The usual four, the balanced core with --balance, coding costs with --coding."""
    return ALWAYS + ((core(o.seed),) if o.balance else ()) + ((CODING,) if o.coding else ())


@dataclass(frozen=True)
class FitRequest:
    """Counts of every element, and sums of rows and columns of matrices, as the columns asked for need them."""

    options: FitOptions

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Those of the columns asked for; with --long the laws are fitted row by row."""
        return () if self.options.long else chosen(statistics(self.options), self.options.wanted)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """The tensor; of a vector the elements alone."""
        if piece.entry is None:
            return ()
        wants = needed(self.statistics) | self._kept
        return (
            Unit(piece, {"": piece.entry}, {"": wants if piece.is_matrix else wants & {Count()}}),
        )

    def lack(self, piece: Piece) -> Notes:
        """Nothing beyond the piece's own notes."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured."""
        return measured[0].sketches[""]

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The columns of the statistics, and what limits them."""
        sketches, asked = self.sketches(piece, measured), self.statistics
        shape = piece.entry.shape if piece.entry else None
        values = evaluate(asked, Evidence(sketches, shape, piece.dtype, piece.place.kind))
        missing = any(not s.needs <= sketches.keys() for s in asked)
        vector = VECTOR if missing and piece.params and not piece.is_matrix else None
        counts = sketches.get(Count())
        beyond = BEYOND if counts is not None and counts.n and isnan(counts.std) else None
        return values | {
            "notes": united(piece.notes, vector, limits(measured), beyond, notes_of(values))
        }

    @property
    def _kept(self) -> frozenset[Any]:
        """What tables, pictures and histograms need beside the statistics."""
        o = self.options
        return frozenset({Count()} if o.long or o.counts or o.panels or o.histogram else ())
