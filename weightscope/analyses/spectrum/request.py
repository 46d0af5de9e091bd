"""What `spectrum` needs of a piece, and the values that it makes of it; a product is decomposed by its factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...checkpoints import Entry
from ...checkpoints.views import Product, Transpose
from ...engine.unit import Measured, Unit
from ...errors import Unmeasured
from ...notes import Notes, notes_of, united
from ...sketches import Count, Factor, Lines
from ...statistics.elements.spacing import eps_of
from ...statistics.spectra import chance, depth, evenness, noise, sizes, tail, twin
from ...statistics.spectra.drawn import NULLS_OF
from ...statistics.spectra.spectrum import THIN, Spectrum, of_product, spectrum
from ...statistics.statistic import Evidence, Statistic, chosen, evaluate, needed
from ..measuring import Answer, limits
from ..piece import Piece
from .matrices import lack
from .options import SpectrumOptions


def statistics(o: SpectrumOptions) -> tuple[Statistic, ...]:
    """In the order of their columns; the balanced twin with --balance."""
    m = o.measure
    usual = (
        sizes(m),
        tail(m, o.alpha_cut, o.alpha_ci, o.seed),
        noise(m, o.balance),
        chance(m),
        depth(m),
        evenness(m),
    )
    return usual + ((twin(m),) if o.balance else ())


def draws_wanted(o: SpectrumOptions) -> bool:
    """Whether any column needs randomised matrices."""
    return o.null is not None and (o.wanted is None or any(name in NULLS_OF for name in o.wanted))


def spectrum_of(answer: Answer, o: SpectrumOptions) -> Spectrum | None:
    """The spectrum behind an answer; None where there is none, where it does not fit, and where nothing asked."""
    try:
        return spectrum(
            answer.sketches[o.measure], answer.sketches[Lines()], eps_of(_rounded_as(answer.piece))
        )
    except (Unmeasured, KeyError):
        return None


@dataclass(frozen=True)
class SpectrumRequest:
    """The decomposition of a matrix with its row and column sums; of a product the triangles of both factors."""

    options: SpectrumOptions

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Those of the columns asked for."""
        return chosen(statistics(self.options), self.options.wanted)

    def units(self, piece: Piece) -> tuple[Unit, ...]:
        """One; of a product three: itself without its decomposition, or a balanced one if thin, and both factors."""
        entry = piece.entry
        if entry is None or lack(piece):
            return ()
        wants, decompose = self._wants, self.options.measure
        if not isinstance(entry, Product):
            return (Unit(piece, {"": entry}, {"": wants}),)
        own = wants & {Lines(), Count()} if _thin(entry) else wants - {decompose}
        factor = frozenset({Factor()} if decompose in wants else ())
        of_factor = replace(piece, entry=None)
        return (
            Unit(piece, {"": entry}, {"": own}),
            *(Unit(of_factor, {"": side}, {"": factor}) for side in _factors(entry)),
        )

    def lack(self, piece: Piece) -> Notes:
        """Why a piece is no matrix."""
        return united(lack(piece))

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured; the decomposition of a product from both triangles."""
        found = measured[0].sketches[""]
        if len(measured) == 1:
            return found
        product = piece.entry
        assert isinstance(product, Product)
        left, right = (part.sketches[""].get(Factor()) for part in measured[1:])
        if left is None or right is None:
            return found
        return {
            **found,
            self.options.measure: of_product(left, right, product.scale, product.shape),
        }

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """The columns of the statistics."""
        entry, asked = piece.entry, self.statistics
        assert entry is not None
        evidence = Evidence(
            self.sketches(piece, measured), entry.shape, _rounded_as(piece), piece.place.kind
        )
        values = evaluate(asked, evidence)
        thin = THIN if asked and isinstance(entry, Product) and _thin(entry) else None
        return values | {"notes": united(piece.notes, limits(measured), thin, notes_of(values))}

    @property
    def _wants(self) -> frozenset[Any]:
        """What the statistics need, and what tables, pictures and draws need beside them."""
        o = self.options
        drawing = draws_wanted(o)
        wants = needed(self.statistics)
        if o.values or o.panels or drawing:
            wants |= {o.measure, Lines()}
        if drawing and o.null in ("gaussian", "logistic"):
            wants |= {Count()}
        return wants


def _rounded_as(piece: Piece) -> str:
    """The type that its elements were rounded to: of a pair the coarser of its factors'."""
    entry = piece.entry
    return (
        max((entry.a.dtype, entry.b.dtype), key=eps_of)
        if isinstance(entry, Product)
        else piece.dtype
    )


def _thin(product: Product) -> bool:
    """Whether the factors are thinner than what they make."""
    return product.a.shape[0] < min(product.shape)


def _factors(product: Product) -> tuple[Entry, Entry]:
    """B and A^T, both thin."""
    return product.b, Transpose(product.a)
