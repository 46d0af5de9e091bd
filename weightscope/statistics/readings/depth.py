"""Columns of the effective depth: of how many residual blocks a matrix looks like the product."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Decompose
from ..residual_product import FEWEST, effective_depth
from ..spectrum import THIN, Spectrum
from ..statistic import Evidence, Statistic
from .spectral import spectral

COLUMNS = (
    Column("effective_depth", "float", "residual blocks whose product has such a spectrum (i.i.d.: 1)", shown=True),
    Column("effective_depth_distance", "float", "Wasserstein-1 distance of log singular values at that depth"),
)
FEW = f"no effective depth below {FEWEST} singular values"


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s = spectrum
    found = None if s.low_rank else effective_depth(s.sigma, s.m, s.n)
    if found is None:
        return {c.name: None for c in COLUMNS} | {"note": THIN if s.low_rank else FEW}
    return dict(zip((c.name for c in COLUMNS), found, strict=True))


def depth(measure: Decompose) -> Statistic:
    """Depth and how well it describes the spectrum."""
    return spectral(COLUMNS, measure, _of, frozenset())
