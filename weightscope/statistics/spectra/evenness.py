"""How close a matrix is to orthogonal and to an identity, and the method of the decomposition."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from ...columns import Column
from ...notes import Note, Notes, united
from ...sketches import Count, Decompose
from ..score import score, score_column
from ..statistic import Evidence, Statistic
from .evenness_law import identity_deviation, orthogonality_law
from .linear_statistic import elements_of
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
    Column(
        "orthogonality_null",
        "float",
        "orthogonality of i.i.d. elements by the Marchenko-Pastur law (square: 0.623)",
    ),
    Column(
        "orthogonality_score",
        "float",
        "orthogonality less that of i.i.d. elements of the shape and kurtosis, in their standard "
        "deviations",
        version=2,
    ),
    Column(
        "identity", "float", "share of the energy on the diagonal, wrapped around the shorter side"
    ),
    Column("identity_null", "float", "identity of i.i.d. elements, 1/min(m, n)"),
    score_column("identity"),
    Column("method", "str", "how the singular values were computed: gram, svd or factors"),
    Column("floor", "float", "uncertainty of a singular value by that method", "weight"),
)
NO_DIAGONAL = Note("no-diagonal", "identity is null: the diagonal of a product is not computed")


def orthogonality_null(q: float) -> float:
    """Coefficient of variation of sigma by the law, sqrt(1/(E sqrt x)^2 - 1).

    0.623 for a square, about sqrt(q)/2 for elongated shapes.

    >>> round(orthogonality_null(1.0), 4), round(orthogonality_null(0.01), 4)
    (0.6228, 0.0501)
    """
    mean = mp_mean_root(q)
    # (1 - mean)(1 + mean), since mean^2 is rounded: for thin shapes the mean is nearly 1
    return sqrt(max((1 - mean) * (1 + mean), 0.0)) / mean


def identity_null(m: int, n: int) -> float:
    """Energy share of the wrapped diagonal, max(m,n) of mn elements, if i.i.d.: 1/min(m,n).

    >>> identity_null(4, 16)
    0.25
    """
    return 1 / min(m, n)


def _orthogonality_and_identity(s: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    columns: dict[str, object] = dict.fromkeys(c.name for c in COLUMNS)
    columns |= {"method": s.method, "floor": s.floor}
    notes: Notes = ()
    if s.diagonal is None:
        notes = (NO_DIAGONAL,)
    energy = float((s.sigma**2).sum())
    if not energy:
        return columns | {"notes": united(ZERO, notes)}
    orthogonality = float(s.sigma.std() / s.sigma.mean())
    columns["orthogonality"] = orthogonality
    columns["orthogonality_null"] = orthogonality_null(s.q)
    elements = elements_of(s, evidence.sketches[Count()])
    law = orthogonality_law(s.m, s.n, elements) if elements else None
    if law:
        columns["orthogonality_score"] = score(orthogonality, *law)
    if s.diagonal is not None:
        columns["identity"] = min(s.diagonal / energy, 1.0)  # rounding may exceed the energy
        columns["identity_null"] = identity_null(*s.shape)
        if elements and (s.m, s.n) == tuple(s.shape):  # zeros are not i.i.d.
            deviation = identity_deviation(*s.shape, elements.kurtosis)
            columns["identity_score"] = score(
                s.diagonal / energy, identity_null(*s.shape), deviation
            )
    return columns | {"notes": notes}


def evenness(measure: Decompose) -> Statistic:
    """Orthogonality, identity, method and floor."""
    return spectral(COLUMNS, measure, _orthogonality_and_identity, frozenset({Count()}))
