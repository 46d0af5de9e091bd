"""Pairwise -> PairMoments: means and co-moments of A and of D = B - A, element by element.

Differences of separate sums lose half of their digits. Here D is made of each pair of elements in
float64, where differences of shorter types are exact, and sums run in float64 about the means.
Sums of B follow from those of A and D, unless B is so small beside A that they would cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
from .beside import numbers
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1 << 17  # elements: float64 buffers that stay in the cache of a CPU
CHUNK_GPU = 1 << 22
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
        mean_a, low_a = _split(self.mean_a, self.low_a + a * share)
        mean_d, low_d = _split(self.mean_d, self.low_d + d * share)
        mean_b, low_b = _split(self.mean_b, self.low_b + b * share)
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


@dataclass(frozen=True)
class Pairwise:
    """Taken of B; `other` is the label of A."""

    other: str = "a"
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """A few numbers, and the buffers of a chunk."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device: a GPU has larger chunks."""
        return 256 + 24 * min(_chunk(device), shape[0] * shape[1])

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """No pairs."""
        return {"moments": [PairMoments()] * stack}

    def add(self, state: State, tile: Tile) -> State:
        """The moments of one tile, chunk by chunk."""
        if not tile.box.size:
            return state
        b = numbers(tile, tile)
        a = numbers(tile, tile.beside[self.other])
        size = _chunk(tile.scratch.device)
        moments = []
        for i, before in enumerate(state["moments"]):
            here = before
            for first in range(0, b.shape[1], size):
                chunk = slice(first, first + size)
                here = here + _moments(a[i, chunk], b[i, chunk], tile)
            moments.append(here)
        return {"moments": moments}

    def merge(self, a: State, b: State) -> State:
        """Moments add."""
        return {"moments": [x + y for x, y in zip(a["moments"], b["moments"], strict=True)]}

    def finish(self, state: State) -> Sequence[PairMoments]:
        """One record per matrix."""
        moments: list[PairMoments] = state["moments"]
        return moments


def _chunk(device: str) -> int:
    """Elements of a chunk on a device."""
    if device == "cpu":
        return CHUNK
    return CHUNK_GPU


def _moments(a: Tensor, b: Tensor, tile: Tile) -> PairMoments:
    """The moments of some elements of one matrix.

    They are copied to the start of the buffers: at another alignment BLAS adds in another order.
    """
    shape = tuple(b.shape)
    x = tile.scratch.take("pair a", shape, torch.float64).copy_(a)
    d = tile.scratch.take("pair d", shape, torch.float64).copy_(b).sub_(x)
    sums = torch.stack((x.sum(), d.sum())).tolist()
    if all(isfinite(total) for total in sums):
        return _of_finite(x, d, b, sums, tile)
    finite_a, finite_b = x.isfinite(), b.isfinite()
    both = finite_a & finite_b
    left_out = len(both) - int(both.sum())
    if not left_out:  # the sum overflows
        return _of_finite(x, d, b, sums, tile)
    one_sided = int((finite_a ^ finite_b).sum())
    moments = PairMoments()
    if left_out < len(both):
        x, d, b = x[both], d[both], b[both]
        sums = torch.stack((x.sum(), d.sum())).tolist()
        moments = _of_finite(x, d, b, sums, tile)
    return replace(moments, left_out=left_out, one_sided=one_sided)


def _of_finite(x: Tensor, d: Tensor, b: Tensor, sums: list[float], tile: Tile) -> PairMoments:
    """The moments of finite elements: x of A and d of D in float64, b as stored; their sums."""
    n = len(x)
    mean_a, mean_d = sums[0] / n, sums[1] / n
    low, high = torch.aminmax(d)
    products = (torch.dot(x, x), torch.dot(x, d), torch.dot(d, d))
    smallest, largest, aa, ad, dd = torch.stack((low, high, *products)).tolist()
    moments = PairMoments(
        n,
        mean_a,
        mean_d,
        s_aa=aa - n * mean_a * mean_a,
        s_ad=ad - n * mean_a * mean_d,
        s_dd=dd - n * mean_d * mean_d,
        absmax=max(abs(smallest), abs(largest)),
    )
    if n * mean_a * mean_a > CANCELS * aa or n * mean_d * mean_d > CANCELS * dd:
        x, d = x - mean_a, d - mean_d
        products = (torch.dot(x, x), torch.dot(x, d), torch.dot(d, d))
        totals = torch.stack((*products, x.sum(), d.sum())).tolist()
        moments = _about_means(moments, totals)
        x = x + mean_a
    return _with_b(moments, x, b, tile)


def _about_means(moments: PairMoments, totals: list[float]) -> PairMoments:
    """The moments from sums about rounded means: of x^2, x d, d^2, x and d."""
    m, n = moments, moments.n
    s_aa, s_ad, s_dd, x, d = totals
    low_a, low_d = x / n, d / n
    mean_a, rest_a = _split(m.mean_a, low_a)
    mean_d, rest_d = _split(m.mean_d, low_d)
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


def _split(large: float, small: float) -> tuple[float, float]:
    """A sum and what its rounding takes (Knuth's two-sum); 0 where the sum overflows."""
    total = large + small
    of_small = total - large
    lost = (large - (total - of_small)) + (small - of_small)
    if not isfinite(lost):
        return total, 0.0
    return total, lost


def _with_b(moments: PairMoments, x: Tensor, b: Tensor, tile: Tile) -> PairMoments:
    """The moments with those of B, which are sums of the others unless these cancel."""
    m = moments
    mean_b, low_b = _split(m.mean_a, m.mean_d + m.low_a + m.low_d)
    s_ab, s_bb = m.s_aa + m.s_ad, m.s_aa + 2 * m.s_ad + m.s_dd
    if s_bb < SMALL * m.s_aa or abs(mean_b) < SMALL * abs(m.mean_a):
        y = tile.scratch.take("pair b", tuple(b.shape), torch.float64).copy_(b)
        mean_b = float(y.sum()) / m.n
        y = y - mean_b
        products = (torch.dot(x - m.mean_a, y), torch.dot(y, y))
        s_ab, s_bb, total = torch.stack((*products, y.sum())).tolist()
        s_ab -= m.low_a * total
        s_bb = max(s_bb - total * total / m.n, 0.0)
        mean_b, low_b = _split(mean_b, total / m.n)
    return replace(m, mean_b=mean_b, s_ab=s_ab, s_bb=s_bb, low_b=low_b)
