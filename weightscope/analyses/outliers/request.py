"""The measures that `outliers` needs of a piece, and the values that it computes from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.unit import Measured, Unit
from ...notes import Note, Notes, notes_of, united
from ...sketches import Beyond, Hashes, Measure, Top, Untrained
from ...statistics.elements import EXTREMES, quantisation
from ...statistics.lines import CROWDING, MARKED_LINES, UNTRAINED
from ...statistics.lines.margins import MARGINS
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from ..measuring import VECTOR, limits, nulls
from ..piece import Piece
from .base import BASE, CHANGES, counterpart
from .buffers import CHECKED, NAMED, NONFINITE, is_checked
from .judgements import TOKENS
from .options import OutliersOptions

PLACES = 256  # weights in the picture of one tensor


def statistics(o: OutliersOptions) -> tuple[Statistic, ...]:
    """In the order of their columns."""
    usual = (EXTREMES, MARKED_LINES, UNTRAINED, CROWDING)
    if o.schemes:
        return (*usual, quantisation(o.schemes))
    return usual


@dataclass(frozen=True, eq=False)
class OutliersRequest:
    """The measures and values of a run.

    `needed` are the columns to fill, `base` the pieces of the base by name. `single`: there is one
    tensor, whose picture has the positions of its largest weights.
    """

    options: OutliersOptions
    needed: frozenset[str] | None = None
    base: Mapping[str, Piece] = field(default_factory=dict)
    single: bool = False

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics of the columns to fill; lists of extremes have columns of their own."""
        if self.options.lists:
            return ()
        return chosen(statistics(self.options), self.needed)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """The tensor, and its base where there is one of the same shape and type."""
        if piece.entry is None or not is_checked(piece):
            return ()
        if not piece.is_weight:
            if self.options.lists:
                return ()
            return (Unit(piece, {"": piece.entry}, {"": NONFINITE.needs}),)
        # Both are hashed in one unit: `changes` compares them row by row.
        wants = self._wants(piece)
        base = counterpart(piece, self.base)
        if base is None:
            return (Unit(piece, {"": piece.entry}, {"": wants}),)
        entries = {"": piece.entry, BASE: base}
        return (Unit(piece, entries, {"": wants | CHANGES, BASE: CHANGES}),)

    def lack(self, piece: Piece) -> Notes:
        """No reasons other than the piece's own notes."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured, with the hashes of the base under BASE."""
        sketches = measured[0].sketches[""]
        base_hashes = measured[0].sketches.get(BASE, {}).get(Hashes())
        if base_hashes and Hashes() in sketches:
            return {**sketches, BASE: base_hashes}
        return sketches

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The columns of the statistics; of a buffer only its NaN and Inf."""
        shape = piece.entry.shape if piece.entry else None
        evidence = Evidence(measured[0].sketches[""], shape, piece.dtype, piece.place.kind)
        memory = limits(measured)
        if not piece.is_weight:
            values = evaluate((NONFINITE,), evidence)
            notes = united(piece.notes, memory, notes_of(values), CHECKED)
            return {**nulls(self.statistics), **values, "notes": notes}
        values = evaluate(self.statistics, evidence)
        kind = NAMED if piece.place.kind == "buffer" else None
        notes = united(piece.notes, kind, _vector(piece), memory, notes_of(values))
        return {**values, "notes": notes}

    def _wants(self, piece: Piece) -> frozenset[Measure]:
        """The measures of a weight; vectors have element statistics only."""
        o = self.options
        if o.top:
            return frozenset({Beyond(), Top(o.top)})
        wants = needed(self.statistics) | self._for_panels()
        if o.top_rows:
            wants = frozenset({MARGINS})
        # Rows of position embeddings are parallel to their neighbours by design.
        if piece.place.role not in TOKENS:
            wants -= {Untrained()}
        if not piece.is_matrix:
            wants -= {MARGINS, Untrained()}
        if piece.named:  # it shares a group with buffers of which nothing else is counted
            wants |= NONFINITE.needs
        return wants

    def _for_panels(self) -> frozenset[Measure]:
        """The measures of the picture."""
        if not self.options.panels:
            return frozenset()
        if self.single:
            return frozenset({Beyond(), Top(PLACES)})
        return frozenset({Beyond()})


def _vector(piece: Piece) -> Note | None:
    """The note of a vector; an empty tensor is neither a vector nor a matrix."""
    if piece.is_matrix or not piece.params:
        return None
    return VECTOR
