"""Routers of B with equal rows: each expert's row was copied with the expert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ....checkpoints.views import Chosen, Indices
from ....engine.unit import Measurer, Unit
from ....sketches import Kept
from ....statistics.lineage import among_experts, spaced
from ...measuring import no_values
from ...piece import Piece
from ..pair import Pair
from .families import entry_of, shape_of
from .sampling import ACROSS

EXPERTS = "experts"  # the index set of the rows
MOST = 1024  # rows: the cosines of all pairs grow with their square


@dataclass(frozen=True, eq=False)
class Router:
    """A router whose rows are equal modulo a number of experts."""

    piece: Piece
    granularity: int


def equal_routers(pairs: Sequence[Pair], measure: Measurer) -> Iterator[Router]:
    """The routers of B with equal rows, from 1,024 columns of each."""
    pieces = [pair.b for pair in pairs if pair.b is not None and _is_router(pair.b)]
    units = [_unit(piece) for piece in pieces]
    if not units:
        return
    for measured in measure(units, no_values):
        kept = measured.sketches[""].get(Kept())
        if kept is None:
            continue
        rule = among_experts(kept.values[:, None, :])
        if rule is not None:
            yield Router(measured.unit.key, rule.granularity)


def _is_router(piece: Piece) -> bool:
    """Whether it has one row for each expert."""
    if not piece.is_matrix or piece.place.out_set != EXPERTS:
        return False
    return shape_of(piece)[0] <= MOST


def _unit(piece: Piece) -> Unit:
    _, width = shape_of(piece)
    entry = Chosen(entry_of(piece), None, Indices.of(spaced(width, ACROSS)))
    return Unit(piece, {"": entry}, {"": frozenset({Kept()})})
