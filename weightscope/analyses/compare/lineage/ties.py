"""Tied layers of B: equal ones, and those that are equal but for a rest of low rank.

Samples give the candidates; one more read of the tied matrices alone confirms each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from ....checkpoints import Entry
from ....checkpoints.views import difference
from ....engine.unit import Measured, Measurer, Unit
from ....lazy import numpy as np
from ....sketches import Changes, Decompose, Pairwise
from ....statistics.lineage import spacing_bits, tied
from ....statistics.pairs.labels import DELTA, A, B
from ...measuring import no_values
from ...piece import Piece
from .families import entry_of, shape_of
from .keys import Key

if TYPE_CHECKING:
    from numpy.typing import NDArray

EQUAL = Changes(A, counted=False)
MOMENTS = Pairwise(A)
SPECTRUM = Decompose()


@dataclass(frozen=True, eq=False)
class Tie:
    """A matrix of B that is one of an earlier layer of B, but for a rest of this rank."""

    key: Key
    first: Piece
    later: Piece
    rank: int

    @property
    def text(self) -> str:
        """`tied to layer 0`, `tied to layer 0 but for rank 4`."""
        text = f"tied to layer {self.first.place.layer}"
        if self.rank:
            text += f" but for rank {self.rank}"
        return text


def candidates(
    key: Key, pieces: Sequence[Piece], samples: Sequence[NDArray[np.float32]]
) -> list[Tie]:
    """Matrices of a family whose samples differ by a low rank, each with the first of its group."""
    if len(pieces) < 2:
        return []
    found = []
    dtypes = [piece.dtype for piece in pieces]
    for group in tied(np.stack(samples), range(len(pieces)), dtypes):
        first, *later = group.layers
        for number, rank in zip(later, group.ranks[1:], strict=True):
            found.append(Tie(key, pieces[first], pieces[number], rank))
    return found


def confirmed(found: Sequence[Tie], measure: Measurer) -> Iterator[Tie]:
    """The ties that hold for all elements, with the rank of the whole difference."""
    units = [_unit(tie) for tie in found]
    if not units:
        return
    for measured in measure(units, no_values):
        tie: Tie = measured.unit.key
        rank = _rank(measured)
        if rank is not None and rank <= _most(tie):
            yield Tie(tie.key, tie.first, tie.later, rank)


def _unit(tie: Tie) -> Unit:
    """Both matrices; their difference too where a rest is expected."""
    first, later = entry_of(tie.first), entry_of(tie.later)
    entries: dict[str, Entry] = {A: first, B: later}
    if not tie.rank:
        return Unit(tie, entries, {B: frozenset({EQUAL})}, {B: (A,)})
    entries[DELTA] = difference(first, later)
    wants: dict[str, frozenset[Any]] = {B: frozenset({MOMENTS}), DELTA: frozenset({SPECTRUM})}
    return Unit(tie, entries, wants, {B: (A,)})


def _most(tie: Tie) -> int:
    """The largest rank that is low: a quarter of the smaller side."""
    return min(shape_of(tie.first)) // 4


def _rank(measured: Measured) -> int | None:
    """Of the difference, above the rounding of both stored types; None where it is not known."""
    tie: Tie = measured.unit.key
    if not tie.rank:
        changed = measured.sketches[B].get(EQUAL)
        return None if changed is None or changed.elements else 0
    moments = measured.sketches[B].get(MOMENTS)
    spectrum = measured.sketches[DELTA].get(SPECTRUM)
    if moments is None or spectrum is None:
        return None
    m, n = spectrum.shape
    count = m * n
    spacing = max(
        2.0 ** -spacing_bits(tie.first.dtype) * sqrt(moments.aa / count),
        2.0 ** -spacing_bits(tie.later.dtype) * sqrt(moments.bb / count),
    )
    threshold = max(spacing / 2 * (sqrt(m) + sqrt(n)), spectrum.floor)
    return int((spectrum.values > threshold).sum())
