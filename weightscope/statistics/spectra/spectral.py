"""The common part of all statistics of a spectrum: their measures, and the spectrum itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...sketches import Decompose, MarginSums, Measure
from ..elements.spacing import eps_of
from ..statistic import Evidence, Statistic
from .spectrum import ZERO, Spectrum, spectrum

if TYPE_CHECKING:
    from ...sketches import Margins

Values = Callable[[Spectrum, Evidence], Mapping[str, object]]


def spectral(
    columns: tuple[Column, ...], measure: Decompose, of: Values, more: frozenset[Measure]
) -> Statistic:
    """A statistic of the spectrum by `measure`, with the sketches of `more` measures beside it.

    All statistics of a zero matrix have the same note.
    """

    def values(evidence: Evidence) -> Mapping[str, object]:
        sigma, margins = evidence.sketches[measure], evidence.sketches[MarginSums()]
        s = spectrum(sigma, margins, eps_of(evidence.dtype))
        columns = of(s, evidence)
        if s.zero:
            return {**columns, "notes": (ZERO,)}
        return columns

    needs: frozenset[Measure] = frozenset({measure, MarginSums()})
    return Statistic(columns, needs | more, values)


def margins_of(evidence: Evidence) -> Margins:
    """Row and column sums of the same matrix."""
    margins: Margins = evidence.sketches[MarginSums()]
    return margins
