"""Columns of evenness (is it orthogonal, is it an identity?), and the route by which all singular values came."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Decompose
from ..ranks import ZERO
from ..spectrum import Spectrum
from ..spectrum_nulls import identity_null, orthogonality_null
from ..statistic import Evidence, Statistic
from .spectral import joined, spectral

COLUMNS = (
    Column("orthogonality", "float", "std over mean of singular values (orthogonal: 0)", "", "scipy.stats.variation"),
    Column("orthogonality_null", "float", "the Marchenko-Pastur law's (square: 0.623)"),
    Column("identity", "float", "share of the energy on the diagonal, wrapped around the shorter side"),
    Column("identity_null", "float", "what i.i.d. elements give, 1/min(m, n)"),
    Column("route", "str", "how the singular values were found: gram, svd or factors"),
    Column("floor", "float", "what that route leaves uncertain of a singular value", "weight"),
)
NO_DIAGONAL = "no identity of a product: its diagonal is not summed"


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s = spectrum
    energy = float((s.sigma**2).sum())
    known = energy > 0 and s.diagonal is not None
    return {
        "orthogonality": float(s.sigma.std() / s.sigma.mean()) if energy else None,
        "orthogonality_null": orthogonality_null(s.q) if energy else None,
        "identity": min((s.diagonal or 0.0) / energy, 1.0) if known else None,  # rounding may exceed the energy
        "identity_null": identity_null(*s.shape) if known else None,
        "route": s.route,
        "floor": s.floor,
        **joined("" if energy else ZERO, "" if s.diagonal is not None else NO_DIAGONAL),
    }


def evenness(measure: Decompose) -> Statistic:
    """Orthogonality, identity, route and floor."""
    return spectral(COLUMNS, measure, _of, frozenset())
