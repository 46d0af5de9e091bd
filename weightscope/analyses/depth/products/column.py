"""The stable rank of a product of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....columns import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....lazy import numpy as np

PRODUCT = Column(
    "product_stable_rank",
    "float",
    "stable rank of o v of a head (median over heads), of down up without the activation",
)
RANGE = "product_range"  # keys beside the column: least and greatest over the heads, and notes
NOTES = "product_notes"


def stable_rank(sigma: NDArray[np.float64]) -> float | None:
    """|M|_F^2 / sigma_1^2 = sum (sigma_i / sigma_1)^2 of a product M; None where M is zero.

    Equals the square of norm(M) / norm(M, 2) of numpy.linalg. Source: Rudelson and Vershynin 2007.

    >>> import numpy
    >>> stable_rank(numpy.array([2.0, 1.0]))
    1.25
    """
    if not len(sigma) or not sigma[0] > 0:
        return None
    return float(((sigma / sigma[0]) ** 2).sum())
