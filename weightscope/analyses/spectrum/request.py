"""Units that `spectrum` measures of a piece, and its values; of a product the factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...checkpoints.views import Product, Transpose
from ...engine.unit import Measured, Unit
from ...errors import Unmeasured
from ...notes import Notes, notes_of, united
from ...sketches import Count, Factor, MarginSums
from ...statistics.elements.spacing import eps_of
from ...statistics.spectra import (
    balanced_spectrum,
    depth,
    evenness,
    noise,
    null_distance,
    sizes,
    tail,
)
from ...statistics.spectra.null_samples import NULL_COLUMNS
from ...statistics.spectra.spectrum import THIN, Spectrum, of_product, spectrum
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from ..measuring import Answer, limits
from ..piece import Piece
from .matrices import lack
from .options import SpectrumOptions


def statistics(o: SpectrumOptions) -> tuple[Statistic, ...]:
    """In the order of their columns; with --balance also those of the balanced matrix."""
    m = o.measure
    usual = (
        sizes(m),
        tail(m, o.alpha_cut, o.alpha_ci, o.seed),
        noise(m, o.balance),
        null_distance(m),
        depth(m),
        evenness(m),
    )
    if o.balance:
        return (*usual, balanced_spectrum(m))
    return usual


def null_wanted(o: SpectrumOptions) -> bool:
    """Whether any column needs randomised matrices."""
    if o.null is None:
        return False
    return o.wanted is None or not o.wanted.isdisjoint(NULL_COLUMNS)


def spectrum_of(answer: Answer, o: SpectrumOptions) -> Spectrum | None:
    """The spectrum behind an answer; None where it was not measured, or not requested."""
    values, margins = answer.sketches.get(o.measure), answer.sketches.get(MarginSums())
    if values is None or margins is None:
        return None
    try:
        return spectrum(values, margins, eps_of(_rounded_as(answer.piece)))
    except Unmeasured:
        return None


@dataclass(frozen=True)
class SpectrumRequest:
    """Decomposition, row and column sums of a matrix; of a product the triangles of its factors."""

    options: SpectrumOptions

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Those of the requested columns."""
        return chosen(statistics(self.options), self.options.wanted)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """One unit of a matrix; of a product three: itself and both factors."""
        entry = piece.entry
        if entry is None or lack(piece):
            return ()
        if not isinstance(entry, Product):
            return (Unit(piece, {"": entry}, {"": self._wants}),)
        wants, decompose = self._wants, self.options.measure
        whole = wants - {decompose}  # the product itself is never decomposed
        if _thin(entry):
            whole = wants & {MarginSums(), Count()}  # and a thin one not balanced
        factor = frozenset({Factor()} if decompose in wants else ())
        of_factor = replace(piece, entry=None)
        return (
            Unit(piece, {"": entry}, {"": whole}),
            Unit(of_factor, {"": entry.b}, {"": factor}),
            # A^T, thin as B is
            Unit(of_factor, {"": Transpose(entry.a)}, {"": factor}),
        )

    def lack(self, piece: Piece) -> Notes:
        """The reason why a piece is no matrix."""
        return united(lack(piece))

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """The sketches as measured; the decomposition of a product is made of both triangles."""
        sketches = measured[0].sketches[""]
        if len(measured) == 1:
            return sketches
        product = piece.entry
        assert isinstance(product, Product)
        left, right = (part.sketches[""].get(Factor()) for part in measured[1:])
        if left is None or right is None:
            return sketches
        decomposition = of_product(left, right, product.scale, product.shape)
        return {**sketches, self.options.measure: decomposition}

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The columns of the statistics, and notes."""
        entry, statistics = piece.entry, self.statistics
        assert entry is not None
        sketches = self.sketches(piece, measured)
        evidence = Evidence(sketches, entry.shape, _rounded_as(piece), piece.place.kind)
        values = evaluate(statistics, evidence)
        notes = united(piece.notes, limits(measured))
        if statistics and isinstance(entry, Product) and _thin(entry):
            notes = united(notes, THIN)
        return values | {"notes": united(notes, notes_of(values))}

    @property
    def _wants(self) -> frozenset[Any]:
        """Measures that the statistics, values, plots and randomised matrices need."""
        o = self.options
        random = null_wanted(o)
        wants = needed(self.statistics)
        # whichever columns are requested
        if o.values or o.panels or random:
            wants |= {o.measure, MarginSums()}
        if random and o.null in ("gaussian", "logistic"):
            wants |= {Count()}  # the law is fitted to the counts
        return wants


def _rounded_as(piece: Piece) -> str:
    """The type that the elements were rounded to; of a product the coarser type of its factors."""
    entry = piece.entry
    if isinstance(entry, Product):
        return max((entry.a.dtype, entry.b.dtype), key=eps_of)
    return piece.dtype


def _thin(product: Product) -> bool:
    """Whether the inner dimension is smaller than both sides."""
    inner = product.a.shape[0]
    return inner < min(product.shape)
