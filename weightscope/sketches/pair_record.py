"""PairMoments: n, means and co-moments of A, of D = B - A and of B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt

CANCELS = 0.01  # share of a mean in the sum of squares above which sums run about the mean
SMALL = 0.05  # sums of B relative to those of A below which they are taken of B itself
FAR = 0.25  # |D|^2/|A|^2 from which 1 - <A, B>/(|A| |B|) does not cancel
TINY = 1e-290  # sums of squares below have lost digits: elements below about 1e-145


@dataclass(frozen=True)
class PairMoments:
    """n pairs of finite elements; `s` are sums of products of deviations from the means.

    `low` is what the rounding of a mean takes: 0.06 at 1e15. `left_out` counts pairs of which an
    element is NaN or Inf, `one_sided` those of them where the other element is finite.
    """

    n: int = 0
    mean_a: float = 0.0
    mean_d: float = 0.0
    s_aa: float = 0.0
    s_ad: float = 0.0
    s_dd: float = 0.0
    mean_b: float = 0.0
    s_ab: float = 0.0
    s_bb: float = 0.0
    absmax: float = 0.0  # the largest |D|
    left_out: int = 0
    one_sided: int = 0
    low_a: float = 0.0
    low_d: float = 0.0
    low_b: float = 0.0

    def forget(self) -> PairMoments:
        """Sums have no positions."""
        return self

    def __add__(self, other: PairMoments) -> PairMoments:
        """The moments of the pairs of both (Chan, Golub and LeVeque 1979)."""
        n = self.n + other.n
        left_out = self.left_out + other.left_out
        one_sided = self.one_sided + other.one_sided
        if not self.n or not other.n:
            only = self if self.n else other
            return replace(only, left_out=left_out, one_sided=one_sided)
        a = other.mean_a - self.mean_a + (other.low_a - self.low_a)
        d = other.mean_d - self.mean_d + (other.low_d - self.low_d)
        b = other.mean_b - self.mean_b + (other.low_b - self.low_b)
        weight = self.n * other.n / n
        share = other.n / n
        mean_a, low_a = split(self.mean_a, self.low_a + a * share)
        mean_d, low_d = split(self.mean_d, self.low_d + d * share)
        mean_b, low_b = split(self.mean_b, self.low_b + b * share)
        return PairMoments(
            n,
            mean_a=mean_a,
            mean_d=mean_d,
            s_aa=self.s_aa + other.s_aa + a * a * weight,
            s_ad=self.s_ad + other.s_ad + a * d * weight,
            s_dd=self.s_dd + other.s_dd + d * d * weight,
            mean_b=mean_b,
            s_ab=self.s_ab + other.s_ab + a * b * weight,
            s_bb=self.s_bb + other.s_bb + b * b * weight,
            absmax=max(self.absmax, other.absmax),
            left_out=left_out,
            one_sided=one_sided,
            low_a=low_a,
            low_d=low_d,
            low_b=low_b,
        )

    @property
    def aa(self) -> float:
        """|A|^2."""
        return self.s_aa + self.n * self.mean_a * self.mean_a

    @property
    def ad(self) -> float:
        """<A, D>."""
        return self.s_ad + self.n * self.mean_a * self.mean_d

    @property
    def dd(self) -> float:
        """|D|^2."""
        return self.s_dd + self.n * self.mean_d * self.mean_d

    @property
    def bb(self) -> float:
        """|B|^2."""
        return self.s_bb + self.n * self.mean_b * self.mean_b

    @property
    def ab(self) -> float:
        """<A, B>."""
        return self.s_ab + self.n * self.mean_a * self.mean_b

    @property
    def rotation(self) -> float | None:
        """1 - cosine of A and B; None where a norm is 0 or its square leaves float64.

        |B| - |A| = (2<A,D> + |D|^2)/(|A| + |B|) does not cancel, so relative changes of 1e-7 keep
        their digits.
        """
        if not (TINY <= self.aa < inf and TINY <= self.bb < inf):
            return None
        a, b = sqrt(self.aa), sqrt(self.bb)
        if self.dd > FAR * self.aa:
            rotation = 1 - self.ab / (a * b)
        else:
            longer = (2 * self.ad + self.dd) / (a + b)
            rotation = (self.dd - longer * longer) / (2 * a * b)
        if not isfinite(rotation):
            return None
        return min(max(rotation, 0.0), 2.0)


def about_means(moments: PairMoments, totals: Sequence[float]) -> PairMoments:
    """The moments from sums about rounded means: of x^2, x d, d^2, x and d."""
    m, n = moments, moments.n
    s_aa, s_ad, s_dd, x, d = totals
    low_a, low_d = x / n, d / n
    mean_a, rest_a = split(m.mean_a, low_a)
    mean_d, rest_d = split(m.mean_d, low_d)
    return replace(
        m,
        mean_a=mean_a,
        mean_d=mean_d,
        s_aa=max(s_aa - x * low_a, 0.0),
        s_ad=s_ad - x * low_d,
        s_dd=max(s_dd - d * low_d, 0.0),
        low_a=rest_a,
        low_d=rest_d,
    )


def with_b(moments: PairMoments) -> PairMoments:
    """The moments with those of B, which are sums of the others."""
    m = moments
    mean_b, low_b = split(m.mean_a, m.mean_d + m.low_a + m.low_d)
    s_ab = m.s_aa + m.s_ad
    s_bb = m.s_aa + 2 * m.s_ad + m.s_dd
    return replace(m, mean_b=mean_b, s_ab=s_ab, s_bb=s_bb, low_b=low_b)


def b_cancels(m: PairMoments) -> bool:
    """Whether those sums have lost digits, so that B itself has to be added up."""
    return m.s_bb < SMALL * m.s_aa or abs(m.mean_b) < SMALL * abs(m.mean_a)


def split(large: float, small: float) -> tuple[float, float]:
    """A sum and what its rounding takes (Knuth's two-sum); 0 where the sum overflows."""
    total = large + small
    of_small = total - large
    lost = (large - (total - of_small)) + (small - of_small)
    if not isfinite(lost):
        return total, 0.0
    return total, lost
