"""Rotated matrices: those of equal singular values whose elements have nothing in common.

A rotation keeps the Frobenius norm, so that only pairs of equal norms are read once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ....engine.unit import Measured, Measurer, Unit
from ....sketches import Decompose
from ....statistics.lineage import NEAR, NEAR_ZERO, spectrum_distance
from ....statistics.pairs.labels import A, B
from ...measuring import no_values
from ..facts import Facts
from ..pair import Pair
from .families import entry_of
from .permuting import PERMUTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....lazy import numpy as np

SPECTRUM = Decompose()
ROTATED = "rotated"


def rotated(facts: Sequence[Facts], measure: Measurer) -> Iterator[Pair]:
    """The pairs whose B is A rotated."""
    found = [f for f in facts if _is_candidate(f)]
    units = [_unit(f) for f in found]
    if not units:
        return
    for measured in measure(units, no_values):
        f: Facts = measured.unit.key
        a, b = _values(measured, A), _values(measured, B)
        if a is None or b is None or f.cosine is None:
            continue
        apart = spectrum_distance(a, b, f.cosine)
        if apart is not None and apart.rotated:
            yield f.pair


def _is_candidate(f: Facts) -> bool:
    """Whether both sides are matrices of one shape and norm, without a common direction."""
    pair = f.pair
    if pair.a is None or pair.b is None or pair.resized or not pair.ordered:
        return False
    if f.rule.endswith(PERMUTED) or not f.is_matrix:
        return False
    if not pair.a.is_matrix or not pair.b.is_matrix:
        return False
    if f.moments is None or f.cosine is None or abs(f.cosine) >= NEAR_ZERO:
        return False
    if not f.moments.aa > 0:
        return False
    return abs(f.moments.bb / f.moments.aa - 1) <= 2 * NEAR  # of squares


def _unit(f: Facts) -> Unit:
    a, b = f.pair.both
    entries = {A: entry_of(a), B: entry_of(b)}
    wanted = frozenset({SPECTRUM})
    return Unit(f, entries, {A: wanted, B: wanted})


def _values(measured: Measured, label: str) -> NDArray[np.float64] | None:
    spectrum = measured.sketches[label].get(SPECTRUM)
    return None if spectrum is None else spectrum.values
