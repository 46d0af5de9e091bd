"""The whole spectrum beside what chance alone gives: i.i.d. elements of the same shape, by the Marchenko-Pastur law.

Gaussian, logistic and Laplace elements all have this spectrum at the sizes of weight matrices. sigma are the min(m,n)
singular values, finite, descending, float64, of the m x n lines that are not zero; q = min(m,n)/max(m,n). Values do not
change with the unit of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note
from ...sketches import Decompose
from ..statistic import Evidence, Statistic
from .mp_law import mp_cdf, mp_ks
from .spectral import spectral
from .spectrum import ZERO, Spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR_ZERO = 0.1  # of rms(sigma)
COLUMNS = (
    Column(
        "null_ks",
        "float",
        "distance of all squared singular values to the Marchenko-Pastur law of the elements",
    ),
    Column("near_zero", "float", "share of singular values below 0.1 of their RMS"),
    Column("near_zero_null", "float", "the Marchenko-Pastur law's share"),
    Column(
        "tail_excess",
        "float",
        "largest singular value over the Marchenko-Pastur edge of the elements",
    ),
)
ALIKE = Note("no-chance", "no null_ks: the elements hardly vary beside their mean")


def null_ks(sigma: NDArray[np.float64], m: int, n: int, element_variance: float) -> float | None:
    """sup|F_emp - F| of lambda/(max(m,n) variance) against the law; None where the elements do not vary.

    >>> null_ks(np.array([1.5, 1.0, 0.5]), 3, 3, 0.0) is None
    True
    """
    if not (len(sigma) and element_variance > 0):
        return None
    return mp_ks((sigma / sqrt(max(m, n)) / sqrt(element_variance)) ** 2, min(m, n) / max(m, n))


def near_zero(sigma: NDArray[np.float64]) -> float | None:
    """Share of singular values below 0.1 rms(sigma), rms over sigma; None for a zero matrix.

    >>> near_zero(np.array([1.0, 1.0, 1.0, 0.01]))
    0.25
    """
    scaled = _of_largest(sigma)
    return None if scaled is None else float((scaled < NEAR_ZERO * sqrt((scaled**2).mean())).mean())


def near_zero_null(q: float) -> float:
    """The law's share below 0.1 rms: exactly 0 for q <= 0.81, 0.0636 for a square.

    >>> near_zero_null(0.8), round(near_zero_null(1.0), 4)
    (0.0, 0.0636)
    """
    return float(mp_cdf(NEAR_ZERO**2, q)) if sqrt(q) > 1 - NEAR_ZERO else 0.0


def tail_excess(sigma: NDArray[np.float64], m: int, n: int) -> float | None:
    """sigma_1/(rms (sqrt m + sqrt n)), rms = |W|_F/sqrt(mn): the largest over the law's edge; None for a zero matrix.

    >>> round(tail_excess(np.ones(400), 400, 400), 9)
    0.5
    """
    scaled = _of_largest(sigma)
    return None if scaled is None else 1 / (sqrt((scaled**2).sum() / (m * n)) * (sqrt(m) + sqrt(n)))


def _of_largest(sigma: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """sigma/sigma_1, whose squares float64 always holds."""
    return sigma / sigma[0] if len(sigma) and sigma[0] > 0 else None


def _of(spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s = spectrum
    near, distance = near_zero(s.sigma), null_ks(s.sigma, s.m, s.n, s.variance)
    return {
        "null_ks": distance,
        "near_zero": near,
        "near_zero_null": None if near is None else near_zero_null(s.q),
        "tail_excess": tail_excess(s.sigma, s.m, s.n),
        "notes": (ZERO,) if near is None else () if distance is not None else (ALIKE,),
    }


def chance(measure: Decompose) -> Statistic:
    """Distance, tiny values and edge, each in closed form."""
    return spectral(COLUMNS, measure, _of, frozenset())
