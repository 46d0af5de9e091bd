"""The units behind product_stable_rank, and its values.

Of a head M = O_h V_h = (Q R)(Q' R')^T, so that the singular values of M are those of R R'^T, a
square of the width of a head: no product as large as the model's width is made. Of an MLP the
hidden side is the longer one, so that the product itself is made, box by box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ....checkpoints import Entry
from ....checkpoints.views import Part, Product, Transpose
from ....engine.unit import Measured, Unit
from ....geometry import Index, Shape
from ....notes import Note, Notes, united
from ....sketches import Decompose, Factor, SingularValues
from ....statistics.spectra.spectrum import ZERO, of_product
from ....statistics.statistic import Statistic
from ...measuring import limits
from ...piece import Piece
from .column import NOTES, PRODUCT, RANGE, stable_rank
from .partners import Composed

LINEAR = Note("linear-path", "down after up without the activation between both")
NONFINITE = Note("non-finite", "NaN or Inf in one of both matrices: no product")
OVERFLOW = Note("overflow-squared", "the product overflows: no stable rank")


@dataclass(frozen=True, eq=False)
class ProductRequest:
    """Triangles of the heads of o and v; singular values of down up.

    `composed` has what a piece composes with by its name; pieces without are no later matrix.
    """

    composed: Mapping[str, Composed]

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The column alone: its values need two pieces."""
        return (Statistic((PRODUCT,), frozenset(), _nothing),)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """Two units of an attention, one of an MLP."""
        one = self.composed.get(piece.name)
        if one is None or one.earlier is None:
            return ()
        assert piece.entry is not None
        assert one.earlier.entry is not None
        if one.heads:
            left = _thin(Transpose(piece.entry), one.heads)
            right = _thin(one.earlier.entry, one.kv_heads)
            return (_unit(piece, left, Factor()), _unit(piece, right, Factor()))
        product = Product(piece.entry, one.earlier.entry)
        return (_unit(piece, {"": product}, Decompose()),)

    def lack(self, piece: Piece) -> Notes:
        """The reason why there is no product; none for a role without products."""
        one = self.composed.get(piece.name)
        if one is None:
            return ()
        return united(one.reason)

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """None that other statistics use."""
        return {}

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The column, its range over the heads, and notes."""
        one = self.composed[piece.name]
        memory = limits(measured)
        spectra = _spectra(piece, one, measured)
        reason = _reason(spectra)
        ranks = [rank for rank in map(_rank, spectra) if rank is not None]
        if reason is not None or not ranks:
            return {PRODUCT.name: None, "notes": united(piece.notes, memory, reason)}
        values: dict[str, object] = {PRODUCT.name: median(ranks), "notes": united(piece.notes)}
        if one.heads:
            note = Note.of("over-experts", "median over {n} heads of a layer", n=len(ranks))
            return values | {RANGE: (min(ranks), max(ranks)), NOTES: (note,)}
        return values | {NOTES: (LINEAR,)}


def _nothing(evidence: object) -> Mapping[str, object]:
    return {PRODUCT.name: None}


def _unit(piece: Piece, entries: Mapping[str, Entry], measure: Any) -> Unit:
    return Unit(piece, entries, dict.fromkeys(entries, frozenset({measure})))


def _thin(entry: Entry, heads: int) -> Mapping[str, Entry]:
    """The transposed rows of each head: as many columns as the head is wide."""
    lines, _ = entry.shape
    width = lines // heads
    parts = {}
    for head in range(heads):
        parts[str(head)] = Transpose(Part(entry, Index(head * width, width)))
    return parts


def _spectra(
    piece: Piece, one: Composed, measured: Sequence[Measured]
) -> list[SingularValues | None]:
    """The singular values of each product; None where a measure did not fit into memory."""
    if not one.heads:
        (of_product_itself,) = measured
        return [of_product_itself.sketches[""].get(Decompose())]
    left, right = measured
    assert piece.entry is not None
    assert one.earlier is not None
    assert one.earlier.entry is not None
    outputs, _ = piece.entry.shape
    _, inputs = one.earlier.entry.shape
    shape: Shape = outputs, inputs
    group = one.heads // one.kv_heads  # heads that share a head of v
    spectra: list[SingularValues | None] = []
    for head in range(one.heads):
        a = left.sketches[str(head)].get(Factor())
        b = right.sketches[str(head // group)].get(Factor())
        if a is None or b is None:
            spectra.append(None)
            continue
        spectra.append(of_product(a, b, 1.0, shape))
    return spectra


def _reason(spectra: Sequence[SingularValues | None]) -> Note | None:
    """Why there is no value: one head without a product is reason enough."""
    present = [spectrum for spectrum in spectra if spectrum is not None]
    if len(present) < len(spectra):
        return None  # the note of the memory
    if any(spectrum.nonfinite for spectrum in present):
        return NONFINITE
    if any(not len(spectrum.values) for spectrum in present):
        return OVERFLOW
    if all(_rank(spectrum) is None for spectrum in present):
        return ZERO
    return None


def _rank(spectrum: SingularValues | None) -> float | None:
    return None if spectrum is None else stable_rank(spectrum.values)
