"""The whole spectrum beside that of i.i.d. elements of the same shape, by the Marchenko-Pastur law.

Gaussian, logistic and Laplace elements all have this spectrum at the sizes of weight matrices.
sigma are the min(m,n) singular values, finite, descending, float64, of the m x n lines that are not
zero; q = min(m,n)/max(m,n). Values do not change with the unit of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note
from ...sketches import Count, Decompose
from ..score import score
from ..statistic import Evidence, Statistic
from .edge_law import edge_score, edge_score_column
from .linear_statistic import Elements, elements_of
from .mp_law import mp_cdf, mp_ks
from .small_values_law import small_values_law
from .spectral import spectral
from .spectrum import ZERO, Spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR_ZERO = 0.1  # of rms(sigma)
COLUMNS = (
    Column(
        "null_ks",
        "float",
        "Kolmogorov-Smirnov distance of all squared singular values to the Marchenko-Pastur law",
    ),
    Column("near_zero", "float", "share of singular values below 0.1 of their RMS"),
    Column("near_zero_null", "float", "share of the Marchenko-Pastur law below 0.1 of its RMS"),
    Column(
        "near_zero_score",
        "float",
        "near_zero less that of i.i.d. elements of the shape and kurtosis, in their standard "
        "deviations",
    ),
    Column(
        "tail_excess",
        "float",
        "largest singular value over the Marchenko-Pastur edge of i.i.d. elements",
    ),
    edge_score_column("tail_excess"),
)
ALIKE = Note(
    "no-null-distance",
    "null_ks is null: the elements vary too little beside their mean",
)


def null_ks(sigma: NDArray[np.float64], m: int, n: int, element_variance: float) -> float | None:
    """sup|F_emp - F| of lambda/(max(m,n) variance) against the law; None without variance.

    >>> null_ks(np.array([1.5, 1.0, 0.5]), 3, 3, 0.0) is None
    True
    """
    if not (len(sigma) and element_variance > 0):
        return None
    x = (sigma / sqrt(max(m, n)) / sqrt(element_variance)) ** 2
    return mp_ks(x, min(m, n) / max(m, n))


def near_zero(sigma: NDArray[np.float64]) -> float | None:
    """Share of singular values below 0.1 rms(sigma), rms over sigma; None for a zero matrix.

    >>> near_zero(np.array([1.0, 1.0, 1.0, 0.01]))
    0.25
    """
    relative = _relative(sigma)
    if relative is None:
        return None
    limit = NEAR_ZERO * sqrt((relative**2).mean())
    return float((relative < limit).mean())


def near_zero_null(q: float) -> float:
    """The law's share below 0.1 rms: exactly 0 for q <= 0.81, 0.0636 for a square.

    >>> near_zero_null(0.8), round(near_zero_null(1.0), 4)
    (0.0, 0.0636)
    """
    if sqrt(q) <= 1 - NEAR_ZERO:  # the lower edge is above
        return 0.0
    return float(mp_cdf(NEAR_ZERO**2, q))


def near_zero_score(near: float, q: float, r: int, elements: Elements | None) -> float | None:
    """(r near - mean)/deviation of `small_values_law`; None where it has none.

    >>> gaussian = Elements(kurtosis=0.0)
    >>> round(near_zero_score(5 / 64, 1.0, 64, gaussian), 2)
    1.06
    """
    if elements is None:
        return None
    law = small_values_law(near_zero_null(q), NEAR_ZERO, q, r, elements)
    return score(r * near, *law) if law else None


def tail_excess(sigma: NDArray[np.float64], m: int, n: int) -> float | None:
    """sigma_1/(rms (sqrt m + sqrt n)), rms = |W|_F/sqrt(mn); None for a zero matrix.

    >>> round(tail_excess(np.ones(400), 400, 400), 9)
    0.5
    """
    relative = _relative(sigma)
    if relative is None:
        return None
    rms = sqrt((relative**2).sum() / (m * n))
    return 1 / (rms * (sqrt(m) + sqrt(n)))


def tail_excess_score(
    excess: float | None, m: int, n: int, elements: Elements | None
) -> float | None:
    """`edge_score` of lambda_1/rms^2 = excess^2 (sqrt m + sqrt n)^2.

    >>> tail_excess_score(1.0, 64, 64, None) is None
    True
    """
    if excess is None:
        return None
    return edge_score((excess * (sqrt(m) + sqrt(n))) ** 2, m, n, elements)


def _relative(sigma: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """sigma/sigma_1, whose squares float64 always holds; None for a zero matrix."""
    if not (len(sigma) and sigma[0] > 0):
        return None
    return np.asarray(sigma / sigma[0])


def _against_the_law(s: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    near = near_zero(s.sigma)
    if near is None:
        return dict.fromkeys(c.name for c in COLUMNS) | {"notes": (ZERO,)}
    distance = null_ks(s.sigma, s.m, s.n, s.variance)
    elements = elements_of(s, evidence.sketches[Count()])
    excess = tail_excess(s.sigma, s.m, s.n)
    return {
        "null_ks": distance,
        "near_zero": near,
        "near_zero_null": near_zero_null(s.q),
        "near_zero_score": near_zero_score(near, s.q, len(s.sigma), elements),
        "tail_excess": excess,
        "tail_excess_score": tail_excess_score(excess, s.m, s.n, elements),
        "notes": (ALIKE,) if distance is None else (),
    }


def null_distance(measure: Decompose) -> Statistic:
    """Distance to the law, share of tiny values and excess of the largest, in closed form."""
    return spectral(COLUMNS, measure, _against_the_law, frozenset({Count()}))
