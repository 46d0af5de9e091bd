"""Thresholds of one matrix, which follow from the counts of its values."""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, inf, isfinite
from typing import TYPE_CHECKING

from ..dtypes import DTYPES
from ..lazy import numpy as np
from .quantiles import median, robust_std
from .quartile_look import ROBUST, QuartileBins
from .spans import Edge, Span, span

if TYPE_CHECKING:
    from .value_counts import ValueCounts

EVERYTHING = (-inf, inf)  # a span that no element exceeds
SIGMAS = (3, 4, 5, 6)  # std from the mean


@dataclass(frozen=True, eq=False)
class Aim:
    """Thresholds of one matrix.

    Spans are in the type of its tiles; those of sigmas exist for bins only.
    """

    counts: ValueCounts
    middle: float  # never beyond: the median, or the mean where the central weights have no edge
    sigmas: tuple[Edge, ...]
    sigma_spans: tuple[Span, ...]
    central: Edge | None
    central_span: Span | None
    bins: QuartileBins | None = None  # with the exact edge to come: `central` is its inner bound
    outer_span: Span | None = None

    @staticmethod
    def of(counts: ValueCounts, dtype: str) -> Aim:
        """The thresholds that follow from the counts."""
        middle, std = counts.mean, counts.std
        float_type: type[np.floating] = np.float32
        if DTYPES[dtype].bits >= 32 and dtype != "F32":
            float_type = np.float64
        sigmas: tuple[Edge, ...] = ()
        if std > 0 and isfinite(SIGMAS[-1] * std):
            sigmas = tuple((middle, k * std) for k in SIGMAS)
        sigma_spans: tuple[Span, ...] = ()
        if not counts.exact:
            sigma_spans = tuple(span(edge, float_type) for edge in sigmas)
        central, central_span, outer_span = _central_edge(counts), None, None
        bins = None
        if central is not None:
            bins = QuartileBins.of(counts)
        if bins is not None:
            central, outer_span = bins.inner, span(bins.outer, float_type)
        if central is not None:
            middle, central_span = central[0], span(central, float_type)
        return Aim(counts, middle, sigmas, sigma_spans, central, central_span, bins, outer_span)

    @property
    def needs_pass(self) -> bool:
        """Whether a second pass is needed."""
        return self.central_span is not None or bool(self.sigma_spans)

    @property
    def unit(self) -> float:
        """A power of two near the edge of the central weights: no square leaves float32."""
        if self.central is None:
            return 1.0
        _, exponent = frexp(self.central[1])
        unit: float = 2.0 ** min(max(exponent, -120), 120)
        return unit

    @property
    def numbers(self) -> list[float]:
        """As `beyond_together` has them: all spans, those that do not exist without an end."""
        inner = self.central_span or EVERYTHING
        counted = self.outer_span or inner
        spans = [*self.sigma_spans, *[EVERYTHING] * (len(SIGMAS) - len(self.sigma_spans))]
        spans += [inner, counted]
        return [self.middle, self.unit, *(end for span in spans for end in span)]


def _central_edge(counts: ValueCounts) -> Edge | None:
    """The edge of the central weights.

    None where the robust scale is 0 or None, or where one bin contains both quartiles.
    """
    middle, scale = median(counts), robust_std(counts)
    if middle is None or not scale:
        return None
    upto = np.cumsum(counts.counts)
    first, last = np.searchsorted(upto, counts.n * np.array((0.25, 0.75)))
    if not counts.exact and first == last:
        return None
    return middle, ROBUST * scale
