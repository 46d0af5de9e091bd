"""The measures of `--coupling`: sums of rows and columns, scales of balancing; no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....engine.unit import Measured, Unit
from ....notes import Note, Notes, united
from ....sketches import Balanced
from ....statistics.statistic import Statistic
from ...measuring import limits
from ...piece import Model, Piece
from .options import SCALES
from .vectors import MARGINS, lines

CANCELLED = Note(
    "no-effect",
    "a bias of keys adds one number to all scores of a query, which softmax removes: no gradient",
)
UNKNOWN = Note("orientation-unknown", "orientation unknown: rows and columns may be exchanged")
K_BIAS = "attn.k.bias"
POSITION = "position"


@dataclass(frozen=True)
class CouplingRequest:
    """Margins of every matrix and vector, scales of every matrix for `scales`.

    Margins count NaN and Inf, which scales do not.
    """

    kinds: tuple[str, ...]

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """None: the rows are those of pairs."""
        return ()

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """The tensor."""
        if piece.entry is None:
            return ()
        wants: set[Any] = {MARGINS}
        if SCALES in self.kinds and piece.is_matrix:
            wants.add(Balanced(()))
        return (Unit(piece, {"": piece.entry}, {"": frozenset(wants)}),)

    def lack(self, piece: Piece) -> Notes:
        """No reasons other than the piece's own notes."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured."""
        return measured[0].sketches[""]

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """Why a measure is missing."""
        return {"notes": united(limits(measured))}


def lack(piece: Piece, absolute: bool) -> Note | None:
    """Why the vectors of a piece make no pair; `absolute`: positions are added to the input.

    A rotation of queries and keys by their positions gives the bias of keys an effect.
    """
    if piece.place.orientation == "unknown":
        return UNKNOWN
    if piece.entry is None:
        return next(iter(piece.notes), Note("no-elements", "it cannot be read"))
    if not piece.params:
        return Note("no-elements", "no elements")
    if absolute and piece.place.role == K_BIAS:
        return CANCELLED
    return None


def with_lacks(model: Model, pieces: Iterable[Piece]) -> Iterator[tuple[Piece, Note | None]]:
    """Pieces of a model, each with the reason why its vectors make no pair."""
    absolute: dict[str, bool] = {}
    for piece in pieces:
        stack = piece.place.stack
        if stack not in absolute:
            absolute[stack] = adds_positions(model, stack)
        yield piece, lack(piece, absolute[stack])


def adds_positions(model: Model, stack: str) -> bool:
    """Whether a stack has a table of positions, which are added to its input."""
    placed = model.placed or model.pieces
    return any(p.place.role == POSITION and p.place.stack == stack for p in placed)


def paired(model: Model) -> list[Piece]:
    """The pieces that have a vector on an index set of a block."""
    return [piece for piece in model.pieces if lines(piece)]
