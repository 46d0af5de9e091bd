"""A spectrum: the singular values of the lines that are not zero, and their uncertainty.

Zero rows and columns are removed first: they add zeros to the singular values and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt
from typing import TYPE_CHECKING

from ...errors import Unmeasured
from ...lazy import numpy as np
from ...notes import Note
from ...sketches import SingularValues
from ..lines.iid import non_zero_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...geometry import Shape
    from ...sketches import Margins, Triangle

EPS = 2.0**-52
LEAST = 2.0**-970  # energy whose squares keep their digits: the least normal number over EPS
CANCELS = 1e-4  # variance over mean^2 below which it has no correct digit, from float32 sums
ZERO = Note("zero-matrix", "zero matrix")
THIN = Note(
    "thin-product",
    "a product of thin factors: the other singular values are zero; "
    "condition, bulk and effective depth are null",
)
NONFINITE = Note("non-finite", "non-finite elements: no spectrum")
BEYOND = Note("overflow-squared", "values overflow or underflow when squared: no spectrum")


@dataclass(frozen=True, eq=False)
class Spectrum:
    """sigma_1 >= ... >= sigma_r, float64, r = min(m, n), of an m x n matrix without zero lines."""

    sigma: NDArray[np.float64]
    m: int
    n: int
    method: str  # gram | svd | factors
    floor: float  # uncertainty of the method, in the unit of the weights
    shape: Shape  # with zero lines
    diagonal: float | None = None  # energy on the wrapped diagonal; None if not computed
    variance: float = 0.0  # of the elements; 0 where it is negligible beside mean^2
    eps: float = 0.0  # spacing of the stored type at 1

    @property
    def q(self) -> float:
        """Aspect ratio min/max, at most 1."""
        short, long = sorted((self.m, self.n))
        return short / long

    @cached_property
    def uncertain(self) -> float:
        """Largest singular value that may be rounding, of the method or of the stored type."""
        return uncertain(self.sigma, self.m, self.n, self.floor, self.eps)

    @property
    def rank(self) -> int:
        """Number of singular values above `uncertain`."""
        return int((self.sigma > self.uncertain).sum())

    @property
    def rounded(self) -> bool:
        """Whether most singular values may be rounding."""
        return 2 * self.rank < len(self.sigma)

    @property
    def zero(self) -> bool:
        """Whether all elements are zero."""
        if not len(self.sigma):
            return True
        return not self.sigma[0] > 0

    @property
    def above(self) -> NDArray[np.float64]:
        """Eigenvalues sigma^2, descending, of the singular values above `floor`."""
        eigenvalues: NDArray[np.float64] = self.sigma[self.sigma > self.floor] ** 2
        return eigenvalues

    @property
    def low_rank(self) -> bool:
        """Whether singular values are zero by construction: a product of thin factors."""
        if self.method != "factors":
            return False
        return not bool((self.sigma > 0).all())


def spectrum(values: SingularValues, margins: Margins, eps: float = 0.0) -> Spectrum:
    """Singular values without those of zero lines, of a matrix stored with spacing `eps` at 1.

    Raises Unmeasured where elements or squares are not finite, whatever the method: most statistics
    are of squares.
    """
    if values.nonfinite:
        raise Unmeasured(NONFINITE)
    if len(values.values) < min(values.shape) or not _squared(margins):
        raise Unmeasured(BEYOND)
    m, n = non_zero_lines(margins)
    return Spectrum(
        values.values[: min(m, n)],
        m,
        n,
        values.method,
        _floor(values, min(m, n)),
        values.shape,
        None if values.method == "factors" else values.diagonal,
        _variance(margins, m * n),
        eps,
    )


def _floor(values: SingularValues, r: int) -> float:
    """The floor of the method for r singular values: those of zero lines are exact."""
    counted = min(values.shape)
    if values.method == "gram":
        return values.floor * sqrt(r / counted)
    if values.method == "svd":
        return values.floor * r / counted
    return values.floor


def uncertain(sigma: NDArray[np.float64], m: int, n: int, floor: float, eps: float) -> float:
    """max((eps/2) rms (sqrt m + sqrt n), floor), rms = |W|_F/sqrt(mn).

    Up to here a singular value may be rounding: the first term is about twice the spectral norm of
    the rounding errors of a matrix stored with spacing eps (`eps_of`). The usual sigma_1 max(m,n)
    eps would exceed every singular value of a BF16 matrix of side 128 or more. A difference of two
    matrices is not rounded by itself: its eps is the larger eps * rms of both sides, divided by the
    rms of the difference.

    >>> four = np.array([4.0, 0.0])
    >>> uncertain(four, 4, 4, floor=1e-6, eps=0.5), uncertain(four, 4, 4, 1e-6, 0.0)
    (1.0, 1e-06)
    """
    if not (len(sigma) and sigma[0] > 0):
        return floor
    energy = ((sigma / sigma[0]) ** 2).sum()
    rms = float(sigma[0]) * sqrt(energy / (m * n))
    return max(eps / 2 * rms * (sqrt(m) + sqrt(n)), floor)


def of_product(left: Triangle, right: Triangle, scale: float, shape: Shape) -> SingularValues:
    """svd(scale B A) = |scale| svd(R_B R_A^T), B = Q R_B and A^T = Q' R_A, with zeros to min(m, n).

    No values where the product leaves the range of float64.
    """
    nonfinite = left.nonfinite + right.nonfinite
    with np.errstate(over="ignore", invalid="ignore"):
        product = left.r @ right.r.T * abs(scale)
    if not np.isfinite(product).all():
        return SingularValues(np.zeros(0), shape, "factors", 0.0, 0.0, nonfinite)
    computed = np.linalg.svd(product, compute_uv=False)
    sigma = np.zeros(min(shape))
    # Factors wider than the product have more values than it: those beyond are rounding.
    sigma[: len(computed)] = computed[: len(sigma)]
    floor = float(sigma.max(initial=0.0)) * len(computed) * EPS
    return SingularValues(sigma, shape, "factors", floor, 0.0, nonfinite)


def _variance(margins: Margins, size: int) -> float:
    """Variance of the elements of the lines that are not zero; 0 where it may be rounding alone."""
    size = max(size, 1)
    mean = float(margins.rows["sum"].sum()) / size
    mean_square = float(margins.rows["squares"].sum()) / size
    variance = mean_square - mean * mean
    if variance > CANCELS * mean * mean:
        return variance
    return 0.0


def _squared(margins: Margins) -> bool:
    """Whether float64 holds the squares of the elements with all digits; true for a zero matrix."""
    energy = float(margins.rows["squares"].sum())
    if energy:
        return LEAST <= energy < inf
    return not margins.rows["sum"].any()
