"""How many dimensions a matrix uses: the sizes, ranks and evenness of its singular values.

sigma are the min(m,n) singular values, finite, descending, float64, of the m x n lines that are not zero; `floor` is
the value below which the route that found them cannot tell one from zero. Squares are taken of sigma/sigma_1, so that
no unit of the weights is too small or too large.
"""

from __future__ import annotations

from functools import cache
from math import log10, sqrt
from typing import TYPE_CHECKING

from ..dtypes import DTYPES, decoded
from ..heavy import numpy as np
from ..heavy import special

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

COLUMNS = (
    "sigma_max", "sigma_min", "fro", "stable_rank", "effective_rank", "rank", "condition", "rank_90", "rank_99",
    "log_norm", "orthogonality",
)
TIE = 1e-9                                      # shares that equal values hold are reached but for rounding
WIDE = {"F64": 2.0**-52, "F32": 2.0**-23}         # too many values to list; narrow types show their own spacing
ZERO = "zero matrix"


def ranks(
    sigma: NDArray[np.float64], m: int, n: int, floor: float, eps: float
) -> Mapping[str, float | int | str | None]:
    """All COLUMNS, with lambda = sigma^2, and a `note` where one is null for a reason.

    `fro` = sqrt(sum lambda), `stable_rank` = sum(lambda)/lambda_1, `effective_rank` = exp(-sum p ln p) with
    p = sigma/sum(sigma), `log_norm` = log10 sum(lambda), `orthogonality` = population std over mean of sigma, `rank` =
    how many are `uncertain` no more; `condition` and `rank_90`, `rank_99` as below. Sizes are in the unit of the
    weights. Equals numpy.linalg.norm and cond, scipy.stats.entropy and variation. A zero matrix has sizes and rank 0
    and nothing else.

    >>> found = ranks(np.array([3.0, 1.0]), 2, 2, floor=1e-6, eps=eps_of("F32"))
    >>> found["rank"], found["condition"], found["rank_90"]
    (2, 3.0, 1)
    """
    if not (len(sigma) and sigma[0] > 0):
        return dict.fromkeys(COLUMNS) | {"sigma_max": 0.0, "sigma_min": 0.0, "fro": 0.0, "rank": 0, "note": ZERO}
    top, scaled, least = float(sigma[0]), sigma / sigma[0], uncertain(sigma, m, n, floor, eps)
    energy, used = float((scaled**2).sum()), int((sigma > least).sum())
    found = {
        "sigma_max": top,
        "sigma_min": float(sigma[-1]),
        "fro": top * sqrt(energy),
        "stable_rank": energy,
        "effective_rank": float(np.exp(special.entr(scaled / scaled.sum()).sum())),
        "rank": used,
        "condition": condition(sigma, floor),
        "rank_90": rank_of_share(sigma, 0.90),
        "rank_99": rank_of_share(sigma, 0.99),
        "log_norm": 2 * log10(top) + log10(energy),
        "orthogonality": float(scaled.std() / scaled.mean()),
    }
    lost = f"{len(sigma) - used} of {len(sigma)} singular values may be rounding"
    said = f"{'no condition' if found['condition'] is None else 'condition of rounding'}: {lost}"
    return found | ({"note": said} if used < len(sigma) else {})


def uncertain(sigma: NDArray[np.float64], m: int, n: int, floor: float, eps: float) -> float:
    """max((eps/2) rms (sqrt m + sqrt n), floor), rms = |W|_F/sqrt(mn): up to here a singular value may be rounding.

    The first is about twice the spectral norm of the rounding error of a matrix stored with spacing eps (`eps_of`). The
    usual sigma_1 max(m,n) eps would leave no singular value of a BF16 matrix of side 128 or more. A difference of two
    matrices is not rounded by itself: its eps is the larger of both sides' eps * rms, divided by its own rms.

    >>> uncertain(np.array([4.0, 0.0]), 4, 4, floor=1e-6, eps=0.5), uncertain(np.array([4.0, 0.0]), 4, 4, 1e-6, 0.0)
    (1.0, 1e-06)
    """
    if not (len(sigma) and sigma[0] > 0):
        return floor
    rms = float(sigma[0]) * sqrt(((sigma / sigma[0]) ** 2).sum() / (m * n))
    return max(eps / 2 * rms * (sqrt(m) + sqrt(n)), floor)


def condition(sigma: NDArray[np.float64], floor: float) -> float | None:
    """sigma_1/sigma_r; None where sigma_r <= `floor`: neither the ratio nor infinity was measured.

    Such a matrix is at least as ill-conditioned as sigma_1/floor.

    >>> condition(np.array([4.0, 2.0]), 1e-6), condition(np.array([4.0, 1e-9]), 1e-6)
    (2.0, None)
    """
    return float(sigma[0] / sigma[-1]) if len(sigma) and sigma[-1] > floor else None


def rank_of_share(sigma: NDArray[np.float64], share: float) -> int:
    """The fewest singular values that hold this share of the energy sum(sigma^2); sigma_1 > 0.

    >>> rank_of_share(np.ones(10), 0.9)
    9
    """
    held = np.cumsum((sigma / sigma[0]) ** 2)
    return int(np.searchsorted(held, share * (1 - TIE) * held[-1])) + 1


@cache
def eps_of(dtype: str) -> float:
    """The spacing of a stored type at 1, as numpy.finfo has it; 0 for integers, which round nothing.

    Names as in safetensors; a KeyError for types that are not decoded (F6, complex).

    >>> eps_of("BF16") == 2**-7, eps_of("F8_E4M3") == 2**-3, eps_of("I8")
    (True, True, 0.0)
    """
    if DTYPES[dtype].kind in ("int", "uint", "bool"):
        return 0.0
    return WIDE[dtype] if dtype in WIDE else _above_one(decoded(dtype))


def _above_one(values: NDArray[np.float64]) -> float:
    return float(values[values > 1].min() - 1)
