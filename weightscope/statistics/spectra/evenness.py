"""Columns of evenness (is it orthogonal, is it an identity?), and the method by which all singular values came."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from ...columns import Column
from ...notes import Note, united
from ...sketches import Decompose
from ..statistic import Evidence, Statistic
from .mp_law import mp_mean_root
from .spectral import spectral
from .spectrum import ZERO, Spectrum

COLUMNS = (
    Column(
        "orthogonality",
        "float",
        "std over mean of singular values (orthogonal: 0)",
        "",
        "scipy.stats.variation",
    ),
    Column("orthogonality_null", "float", "the Marchenko-Pastur law's (square: 0.623)"),
    Column(
        "identity", "float", "share of the energy on the diagonal, wrapped around the shorter side"
    ),
    Column("identity_null", "float", "what i.i.d. elements give, 1/min(m, n)"),
    Column("method", "str", "how the singular values were found: gram, svd or factors"),
    Column("floor", "float", "what that method leaves uncertain of a singular value", "weight"),
)
NO_DIAGONAL = Note("no-diagonal", "no identity of a product: its diagonal is not summed")


def orthogonality_null(q: float) -> float:
    """Coefficient of variation of sigma by the law, sqrt(1/(E sqrt x)^2 - 1): 0.623 for a square, about sqrt(q)/2 else.

    >>> round(orthogonality_null(1.0), 4), round(orthogonality_null(0.01), 4)
    (0.6228, 0.0501)
    """
    mean = mp_mean_root(q)
    return sqrt(max((1 - mean) * (1 + mean), 0.0)) / mean


def identity_null(m: int, n: int) -> float:
    """Energy share that i.i.d. elements have on the wrapped diagonal of max(m,n) of the mn places: 1/min(m,n).

    >>> identity_null(4, 16)
    0.25
    """
    return 1 / min(m, n)


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s = spectrum
    energy = float((s.sigma**2).sum())
    known = energy > 0 and s.diagonal is not None
    return {
        "orthogonality": float(s.sigma.std() / s.sigma.mean()) if energy else None,
        "orthogonality_null": orthogonality_null(s.q) if energy else None,
        "identity": min((s.diagonal or 0.0) / energy, 1.0)
        if known
        else None,  # rounding may exceed the energy
        "identity_null": identity_null(*s.shape) if known else None,
        "method": s.method,
        "floor": s.floor,
        "notes": united(None if energy else ZERO, None if s.diagonal is not None else NO_DIAGONAL),
    }


def evenness(measure: Decompose) -> Statistic:
    """Orthogonality, identity, method and floor."""
    return spectral(COLUMNS, measure, _of, frozenset())
