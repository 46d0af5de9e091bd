"""What `outliers` needs of a piece, and the values that it makes of it; the base of the model stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.unit import Measured, Unit
from ...notes import Notes, notes_of, united
from ...sketches import Beyond, Hashes, Top, Untrained
from ...statistics.elements import EXTREMES, quantisation
from ...statistics.lines import CROWDING, MARKED_LINES, UNTRAINED
from ...statistics.lines.margins import MARGINS
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from ..measuring import VECTOR, limits, nulls
from ..piece import Piece
from .base import BASE, CHANGES, counterpart
from .buffers import ALONE, NONFINITE, is_buffer, is_checked
from .options import OutliersOptions

PLACES = 256  # weights that a picture of one tensor shows
TOKENS = ("embed", "head")  # roles whose rows are tokens


def statistics(o: OutliersOptions) -> tuple[Statistic, ...]:
    """In the order of their columns."""
    return (EXTREMES, MARKED_LINES, UNTRAINED, CROWDING) + (
        (quantisation(o.schemes),) if o.schemes else ()
    )


@dataclass(frozen=True, eq=False)
class OutliersRequest:
    """Far elements, sums and words of rows and columns; `needed` are the columns to fill, `base` the earlier pieces.

    `alone`: there is one tensor, whose picture shows where its largest weights are.
    """

    options: OutliersOptions
    needed: frozenset[str] | None = None
    base: Mapping[str, Piece] = field(default_factory=dict)
    alone: bool = False

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Those of the columns to fill; lists have columns of their own."""
        return () if self.options.lists else chosen(statistics(self.options), self.needed)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """The tensor, and its base where there is one of the same shape and type."""
        if (
            piece.entry is None
            or not is_checked(piece)
            or (is_buffer(piece) and self.options.lists)
        ):
            return ()
        base = None if is_buffer(piece) else counterpart(piece, self.base)
        if base is None:
            return (Unit(piece, {"": piece.entry}, {"": self._wants(piece)}),)
        wants = {"": self._wants(piece) | CHANGES, BASE: CHANGES}
        return (Unit(piece, {"": piece.entry, BASE: base}, wants),)

    def lack(self, piece: Piece) -> Notes:
        """Nothing beyond the piece's own notes."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured, with the hashes of the base under BASE."""
        own = measured[0].sketches[""]
        base = measured[0].sketches.get(BASE, {}).get(Hashes())
        return {**own, BASE: base} if base and Hashes() in own else own

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The columns of the statistics; of a buffer only its NaN and Inf."""
        shape = piece.entry.shape if piece.entry else None
        evidence = Evidence(measured[0].sketches[""], shape, piece.dtype, piece.place.kind)
        asked, lost = self.statistics, limits(measured)
        if is_buffer(piece):
            found = evaluate((NONFINITE,), evidence)
            return {
                **nulls(asked),
                **found,
                "notes": united(piece.notes, lost, notes_of(found), ALONE),
            }
        values = evaluate(asked, evidence)
        vector = VECTOR if piece.params and not piece.is_matrix else None
        return values | {"notes": united(piece.notes, vector, lost, notes_of(values))}

    def _wants(self, piece: Piece) -> frozenset[Any]:
        """Vectors have element statistics only; tokens have rows of their own; buffers are counted."""
        o = self.options
        if is_buffer(piece):
            return NONFINITE.needs
        if o.top:
            return frozenset({Beyond(), Top(o.top)})
        if o.top_rows:
            return frozenset({MARGINS}) if piece.is_matrix else frozenset()
        wants = needed(self.statistics)
        if o.panels:
            wants |= {Beyond(), Top(PLACES)} if self.alone else {Beyond()}
        if piece.place.role not in TOKENS:  # positions are parallel to their neighbours by design
            wants -= {Untrained()}
        return wants if piece.is_matrix else wants - {MARGINS, Untrained()}
