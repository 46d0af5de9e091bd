"""Columns of the effective depth: of how many residual blocks a matrix looks like the product."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Decompose
from ..residual_product import FEWEST, effective_depth
from ..spectrum import THIN, Spectrum
from ..statistic import Evidence, Statistic
from .spectral import joined, spectral

COLUMNS = (
    Column("effective_depth", "float", "residual blocks whose product has such a spectrum (i.i.d.: 1)", shown=True),
    Column("effective_depth_distance", "float", "Wasserstein-1 distance of log singular values at that depth"),
)
FEW = f"no effective depth below {FEWEST} singular values"
ROUNDED = "no effective depth: most singular values are rounding"


def depth_of(s: Spectrum) -> tuple[tuple[float, float] | None, str]:
    """Effective depth and its distance, or none and the reason."""
    if s.low_rank or s.rounded:
        return None, THIN if s.low_rank else ROUNDED
    found = effective_depth(s.sigma, s.m, s.n)
    return found, "" if found else FEW


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    found, note = depth_of(spectrum)
    return {**dict(zip((c.name for c in COLUMNS), found or (None, None), strict=True)), **joined(note)}


def depth(measure: Decompose) -> Statistic:
    """Depth and how well it describes the spectrum."""
    return spectral(COLUMNS, measure, _of, frozenset())
