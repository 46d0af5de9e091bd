"""The request of norm_inf: sums of |w| of the rows of each matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....engine.unit import Measured, Unit
from ....notes import Notes, notes_of, united
from ....sketches import AbsoluteSums
from ....statistics.lines import NORM_INF
from ....statistics.statistic import Evidence, Statistic, evaluate
from ...measuring import VECTOR, limits
from ...piece import Piece

VECTORS = ("norm", "bias")  # kinds


@dataclass(frozen=True)
class NormRequest:
    """Sums of the rows of matrices; vectors have no operator norm."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """One."""
        return (NORM_INF,)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """The matrix."""
        if piece.entry is None or self.lack(piece):
            return ()
        return (Unit(piece, {"": piece.entry}, {"": frozenset({AbsoluteSums()})}),)

    def lack(self, piece: Piece) -> Notes:
        """The reason why a piece is no matrix."""
        if piece.is_matrix and piece.place.kind not in VECTORS:
            return ()
        return (VECTOR,)

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured."""
        return measured[0].sketches[""]

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The norm, and notes."""
        assert piece.entry is not None
        sketches = self.sketches(piece, measured)
        evidence = Evidence(sketches, piece.entry.shape, piece.dtype, piece.place.kind)
        values = evaluate(self.statistics, evidence)
        return {**values, "notes": united(piece.notes, limits(measured), notes_of(values))}
