"""VectorProducts: inner products, co-moments and common signs of k vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class VectorProducts:
    """n elements that are finite in every one of k vectors; `left_out` counts the others.

    `low` (k,) is what the rounding of `means` (k,) takes; `moments` (k, k) are sums of products of
    deviations from the means. `agree` and `both` (k, k) count elements where both are non-zero, and
    those of them with equal signs: the diagonal of `both` counts the non-zero elements of a vector.
    """

    n: int
    left_out: int
    means: Floats
    low: Floats
    moments: Floats
    agree: Counts
    both: Counts

    @staticmethod
    def none(k: int) -> VectorProducts:
        """No elements of k vectors: the zero of the sum."""
        zeros = np.zeros((k, k))
        counts = np.zeros((k, k), np.int64)
        return VectorProducts(0, 0, np.zeros(k), np.zeros(k), zeros, counts, counts)

    @property
    def k(self) -> int:
        """Number of vectors."""
        return len(self.means)

    @property
    def sums(self) -> Floats:
        """(k,) sums of the elements."""
        return self.n * self.means

    @property
    def gram(self) -> Floats:
        """(k, k) inner products <D_i, D_j>, symmetric; Inf or NaN where squares overflow."""
        with np.errstate(over="ignore", invalid="ignore"):
            gram: Floats = self.moments + self.n * np.outer(self.means, self.means)
        return gram

    @property
    def nonzero(self) -> Counts:
        """(k,) numbers of non-zero elements."""
        return np.diagonal(self.both)

    def among(self, chosen: Sequence[int]) -> VectorProducts:
        """The products of some of the vectors, in this order."""
        at = list(chosen)
        square = np.ix_(at, at)
        return replace(
            self,
            means=self.means[at],
            low=self.low[at],
            moments=self.moments[square],
            agree=self.agree[square],
            both=self.both[square],
        )

    def forget(self) -> VectorProducts:
        """Sums have no positions."""
        return self

    def __add__(self, other: VectorProducts) -> VectorProducts:
        """The products of the elements of both (Chan, Golub and LeVeque 1979)."""
        left_out = self.left_out + other.left_out
        if not other.n:
            return replace(self, left_out=left_out)
        if not self.n:
            return replace(other, left_out=left_out)
        n = self.n + other.n
        with np.errstate(over="ignore", invalid="ignore"):
            apart = other.means - self.means + (other.low - self.low)
            means, low = split(self.means, self.low + apart * (other.n / n))
            between = np.outer(apart, apart) * (self.n * other.n / n)
            moments = self.moments + other.moments + between
        agree, both = self.agree + other.agree, self.both + other.both
        return VectorProducts(n, left_out, means, low, moments, agree, both)


def split(large: Floats, small: Floats) -> tuple[Floats, Floats]:
    """Sums and what their rounding takes (Knuth's two-sum); 0 where a sum overflows."""
    total = large + small
    of_small = total - large
    lost = (large - (total - of_small)) + (small - of_small)
    return total, np.where(np.isfinite(lost), lost, 0.0)
