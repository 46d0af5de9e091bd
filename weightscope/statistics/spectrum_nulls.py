"""What chance alone gives for singular values: i.i.d. elements of the same shape, by the Marchenko-Pastur law.

Gaussian, logistic and Laplace elements all have this spectrum at the sizes of weight matrices. sigma are the min(m,n)
singular values, finite, descending, float64, of the m x n lines that are not zero; q = min(m,n)/max(m,n). Values do not
change with the unit of the weights.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ..heavy import numpy as np
from .mp_law import mp_cdf, mp_ks, mp_mean_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR_ZERO = 0.1                                 # of rms(sigma)


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


def _of_largest(sigma: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """sigma/sigma_1, whose squares float64 always holds."""
    return sigma / sigma[0] if len(sigma) and sigma[0] > 0 else None
