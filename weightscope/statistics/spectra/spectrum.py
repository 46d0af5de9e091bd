"""A spectrum as its statistics read it: singular values of the lines that are not zero, and what bounds them.

Zero rows and columns are left out first: they add zeros to the singular values and nothing else.
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
CANCELS = 1e-4  # variance over mean^2 below which float32 sums leave it no digits
ZERO = Note("zero-matrix", "zero matrix")
THIN = Note(
    "thin-product",
    "a product of thin factors: the other singular values are zero, no condition, no bulk, no effective depth",
)
NONFINITE = Note("non-finite", "non-finite elements: no spectrum")
BEYOND = Note("overflow-squared", "squares of the elements leave float64: no spectrum")


@dataclass(frozen=True, eq=False)
class Spectrum:
    """sigma_1 >= ... >= sigma_r, float64, r = min(m, n), of an m x n matrix without zero lines."""

    sigma: NDArray[np.float64]
    m: int
    n: int
    method: str  # gram | svd | factors
    floor: float  # what the method leaves uncertain, in the unit of the weights
    shape: Shape  # with zero lines
    diagonal: float | None = None  # energy on the wrapped diagonal; None where it was not summed
    variance: float = 0.0  # of the elements, about their mean; 0 where it vanishes beside that
    eps: float = 0.0  # spacing of the stored type at 1

    @property
    def q(self) -> float:
        """Aspect ratio min/max, at most 1."""
        return min(self.m, self.n) / max(self.m, self.n)

    @cached_property
    def uncertain(self) -> float:
        """Up to here a singular value may be rounding, of the method or of the stored type."""
        return uncertain(self.sigma, self.m, self.n, self.floor, self.eps)

    @property
    def rank(self) -> int:
        """How many singular values are more than that."""
        return int((self.sigma > self.uncertain).sum())

    @property
    def rounded(self) -> bool:
        """Whether most singular values may be rounding: then none of them tells of the others."""
        return 2 * self.rank < len(self.sigma)

    @property
    def zero(self) -> bool:
        """No element is other than zero."""
        return not (len(self.sigma) and self.sigma[0] > 0)

    @property
    def above(self) -> NDArray[np.float64]:
        """Eigenvalues sigma^2, descending, of what the method tells from zero."""
        found: NDArray[np.float64] = self.sigma[self.sigma > self.floor] ** 2
        return found

    @property
    def low_rank(self) -> bool:
        """A product of factors thinner than the matrix: singular values are zero by construction."""
        return self.method == "factors" and not bool((self.sigma > 0).all())


def spectrum(values: SingularValues, margins: Margins, eps: float = 0.0) -> Spectrum:
    """Singular values without those of zero lines, of a matrix stored with spacing `eps` at 1.

    Raises Unmeasured where elements or squares are not finite: whatever the method, most statistics are of squares.
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
        values.floor,
        values.shape,
        None if values.method == "factors" else values.diagonal,
        _variance(margins, m * n),
        eps,
    )


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


def of_product(left: Triangle, right: Triangle, scale: float, shape: Shape) -> SingularValues:
    """svd(scale B A) = |scale| svd(R_B R_A^T), B = Q R_B and A^T = Q' R_A; zeros make up the rest of min(m, n).

    No values where the product leaves float64.
    """
    nonfinite = left.nonfinite + right.nonfinite
    with np.errstate(over="ignore", invalid="ignore"):
        core = left.r @ right.r.T * abs(scale)
    if not np.isfinite(core).all():
        return SingularValues(np.zeros(0), shape, "factors", 0.0, 0.0, nonfinite)
    found = np.linalg.svd(core, compute_uv=False)
    known = np.zeros(min(shape))
    known[: len(found)] = found[: len(known)]
    floor = float(known.max(initial=0.0)) * len(found) * EPS
    return SingularValues(known, shape, "factors", floor, 0.0, nonfinite)


def _variance(margins: Margins, size: int) -> float:
    """Variance of the elements of the lines that are not zero; 0 where only rounding tells it from none."""
    mean = float(margins.rows["sum"].sum()) / max(size, 1)
    variance = float(margins.rows["squares"].sum()) / max(size, 1) - mean * mean
    return variance if variance > CANCELS * mean * mean else 0.0


def _squared(margins: Margins) -> bool:
    """Whether squares of the elements are numbers with all their digits; those of a zero matrix are."""
    energy = float(margins.rows["squares"].sum())
    return LEAST <= energy < inf or not (energy or margins.rows["sum"].any())
