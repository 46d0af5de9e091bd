"""TaskVectors -> VectorProducts: inner products, co-moments and common signs of k vectors.

One pass for all pairs: the vectors are the rows of a matrix X, chunk by chunk, and products are
X X^T in float64. Co-moments are about the means, and a mean has a second part for what its
rounding takes: small noise keeps its digits beside a large mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .chunks import buffer_bytes, chunks, rows_of
from .sketch import Cut, Passes, State
from .tile import Scratch, Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

CANCELS = 0.01  # share of a mean in the sum of squares above which sums run about the mean


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
            means, low = _split(self.means, self.low + apart * (other.n / n))
            between = np.outer(apart, apart) * (self.n * other.n / n)
            moments = self.moments + other.moments + between
        agree, both = self.agree + other.agree, self.both + other.both
        return VectorProducts(n, left_out, means, low, moments, agree, both)


@dataclass(frozen=True)
class TaskVectors:
    """Taken of the first vector; `others` are the labels of the others, in their order."""

    others: tuple[str, ...]
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """A few small matrices, and the buffers of a chunk."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device: a GPU has larger chunks."""
        k = 1 + len(self.others)
        return 256 + 16 * k + 24 * k * k + buffer_bytes(k, shape[0] * shape[1], device)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """No elements."""
        return {"products": [VectorProducts.none(1 + len(self.others))] * stack}

    def add(self, state: State, tile: Tile) -> State:
        """The products of one tile, chunk by chunk."""
        if not tile.box.size:
            return state
        products = list(state["products"])
        rows = rows_of(tile, self.others)
        wide = any(values.dtype == torch.float64 for values in rows)
        for i, x in chunks(tile, rows):
            products[i] = products[i] + _products(x, tile.scratch, wide)
        return {"products": products}

    def merge(self, a: State, b: State) -> State:
        """Products add."""
        pairs = zip(a["products"], b["products"], strict=True)
        return {"products": [x + y for x, y in pairs]}

    def finish(self, state: State) -> Sequence[VectorProducts]:
        """One record per matrix."""
        products: list[VectorProducts] = state["products"]
        return [replace(one, moments=_symmetric(one.moments)) for one in products]


def _products(x: Tensor, scratch: Scratch, wide: bool) -> VectorProducts:
    """The products of the rows of x, (k, elements) in float64; overwrites x."""
    k, elements = x.shape
    sums = _host(x.sum(1))
    if not np.isfinite(sums).all():  # a finite sum has finite terms only
        finite = x.isfinite().all(0)
        x = x[:, finite]
        sums = _host(x.sum(1))
    n = x.shape[1]
    left_out = elements - n
    if not n:
        return replace(VectorProducts.none(k), left_out=left_out)
    agree, both = _signs(x, scratch, wide)
    gram, means = _host(x @ x.mT), sums / n
    low = np.zeros(k)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = n * means * means
        if not (squares > CANCELS * np.diagonal(gram)).any():
            moments = gram - n * np.outer(means, means)
        else:
            x.sub_(torch.from_numpy(means).to(x.device)[:, None])
            gram, rest = _host(x @ x.mT), _host(x.sum(1)) / n
            moments = gram - n * np.outer(rest, rest)
            means, low = _split(means, rest)
    return VectorProducts(n, left_out, means, low, moments, agree, both)


def _signs(x: Tensor, scratch: Scratch, wide: bool) -> tuple[Counts, Counts]:
    """Numbers of elements with equal signs, and of those where both are non-zero, for each pair.

    Sums of products of signs are the equal ones less the unequal ones; in float32 they are exact.
    """
    signs = scratch.take("signs", tuple(x.shape), torch.float32)
    if wide:  # numbers below 1e-45 would be 0 in float32
        signs.copy_(x.sign())
    else:
        signs.copy_(x).sign_()
    net = _counts(signs @ signs.mT)
    n = x.shape[1]
    both = np.full_like(net, n)
    if np.diagonal(net).min() < n:  # there are zeros
        signs.abs_()
        both = _counts(signs @ signs.mT)
    return (both + net) // 2, both


def _symmetric(moments: Floats) -> Floats:
    """One rounding for both halves: BLAS may add (i, j) and (j, i) in different orders."""
    upper = np.triu(moments, 1)
    symmetric: Floats = np.triu(moments) + upper.T
    return symmetric


def _split(large: Floats, small: Floats) -> tuple[Floats, Floats]:
    """Sums and what their rounding takes (Knuth's two-sum); 0 where a sum overflows."""
    total = large + small
    of_small = total - large
    lost = (large - (total - of_small)) + (small - of_small)
    return total, np.where(np.isfinite(lost), lost, 0.0)


def _host(x: Tensor) -> Floats:
    """float64 on the host."""
    array: Floats = x.cpu().numpy()
    return array


def _counts(x: Tensor) -> Counts:
    """Whole numbers in float32 as int64 on the host."""
    array: Counts = x.cpu().numpy().astype(np.int64)
    return array
