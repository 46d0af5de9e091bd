"""What every reading of a spectrum shares: the measures behind it, and the spectrum made of their sketches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...sketches import Decompose, Lines, Measure
from ..elements.spacing import eps_of
from ..statistic import Evidence, Statistic
from .spectrum import ZERO, Spectrum, spectrum

if TYPE_CHECKING:
    from ...sketches import Margins

Reading = Callable[[Spectrum, Evidence], Mapping[str, object]]


def spectral(
    columns: tuple[Column, ...], measure: Decompose, of: Reading, more: frozenset[Measure]
) -> Statistic:
    """A statistic of the spectrum by `measure`, which may look at `more` sketches beside it.

    Of a zero matrix every reading has the one note.
    """

    def read(evidence: Evidence) -> Mapping[str, object]:
        s = spectrum(evidence.sketches[measure], evidence.sketches[Lines()], eps_of(evidence.dtype))
        found = of(s, evidence)
        return {**found, "notes": (ZERO,)} if s.zero else found

    needs: frozenset[Measure] = frozenset({measure, Lines()})
    return Statistic(columns, needs | more, read)


def margins_of(evidence: Evidence) -> Margins:
    """Row and column sums beside the spectrum."""
    found: Margins = evidence.sketches[Lines()]
    return found
