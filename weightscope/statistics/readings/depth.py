"""Columns of the effective depth: of how many residual blocks a matrix looks like the product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...columns import Column
from ...sketches import Decompose
from ..residual_product import DEPTHS, FEWEST, effective_depth
from ..spectrum import THIN, Spectrum
from ..statistic import Evidence, Statistic
from .spectral import joined, spectral

COLUMNS = (
    Column("effective_depth", "float", "residual blocks whose product has such a spectrum (i.i.d.: 1)", shown=True),
    Column("effective_depth_distance", "float", "Wasserstein-1 distance of log singular values at that depth"),
)
FEW = f"no effective depth below {FEWEST} singular values"
ROUNDED = "no effective depth: most singular values are rounding"
ELONGATED = 64.0  # times as long as wide: from there a depth is one of hardly uneven values, and as long as the matrix


def depth_of(s: Spectrum, name: str) -> tuple[tuple[float, float] | None, str]:
    """Effective depth and its distance, with what to distrust in the column `name`; or none and the reason."""
    if s.low_rank or s.rounded:
        return None, THIN if s.low_rank else ROUNDED
    found = effective_depth(s.sigma, s.m, s.n)
    return found, "; ".join(_doubts(s, name, found[0])) if found else FEW


def _doubts(s: Spectrum, name: str, depth: float) -> Iterator[str]:
    """At the end of the table, and where the shape says more than the values."""
    if depth >= DEPTHS[-1]:
        yield f"{name} {DEPTHS[-1]} is {DEPTHS[-1]} or more"
    if s.q < 1 / ELONGATED and depth > 1:
        yield f"depth of a shape of 1:{1 / s.q:.0f} grows with its length: compare equal shapes"


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    names = [c.name for c in COLUMNS]
    found, note = depth_of(spectrum, names[0])
    return {**dict(zip(names, found or (None, None), strict=True)), **joined(note)}


def depth(measure: Decompose) -> Statistic:
    """Depth and how well it describes the spectrum."""
    return spectral(COLUMNS, measure, _of, frozenset())
