"""Equal matrices: equal samples are candidates, one read of these alone confirms or refutes them.

Equal means the stored words, so that 0 and -0 differ; of two types the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from ....engine.unit import Measurer, Unit
from ....sketches import Changes
from ...measuring import no_values
from ...piece import Piece
from .sample import Sample, likeness

MOST = 16  # matrices of a unit: its tiles are in memory together
Pair = tuple[Piece, Piece]
FIRST = "first"
COMPARED = Changes(FIRST, counted=False)  # whether anything differs


def confirmed(samples: Sequence[Sample], measure: Measurer) -> Iterator[Pair]:
    """(earlier, later) pieces with equal elements, each later one with the first of its equals."""
    units = list(_units(samples))
    if not units:
        return
    for measured in measure(units, no_values):
        first, *later = measured.unit.key
        for number, piece in enumerate(later):
            changed = measured.sketches[str(number)].get(COMPARED)
            if changed is not None and not changed.elements:
                yield first, piece


def _units(samples: Sequence[Sample]) -> Iterator[Unit]:
    """Units of the pieces whose samples are equal, the first of these in each."""
    groups: dict[object, list[Piece]] = {}
    for sample in samples:
        if sample.values is not None:
            digest = sha256(sample.values.data).digest()
            key = likeness(sample.piece), digest
            groups.setdefault(key, []).append(sample.piece)
    for first, *later in groups.values():
        for start in range(0, len(later), MOST - 1):
            yield _unit(first, later[start : start + MOST - 1])


def _unit(first: Piece, later: Sequence[Piece]) -> Unit:
    """The first piece and those that are compared with it."""
    assert first.entry is not None
    entries = {FIRST: first.entry}
    wants = {}
    beside = {}
    for number, piece in enumerate(later):
        label = str(number)
        assert piece.entry is not None
        entries[label] = piece.entry
        wants[label] = frozenset({COMPARED})
        beside[label] = (FIRST,)
    return Unit((first, *later), entries, wants, beside)
