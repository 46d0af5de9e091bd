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
from . import task_vectors_together as together
from .chunks import buffer_bytes, chunks, rows_of
from .pair_record import CANCELS
from .sketch import Cut, Passes, State
from .tile import Scratch, Tile
from .vector_record import VectorProducts, split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]


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
        if device != "cpu":
            return {"rows": [[] for _ in range(stack)]}
        return {"products": [VectorProducts.none(1 + len(self.others))] * stack}

    def add(self, state: State, tile: Tile) -> State:
        """The products of one tile, chunk by chunk."""
        if not tile.box.size:
            return state
        rows = rows_of(tile, self.others)
        wide = any(values.dtype == torch.float64 for values in rows)
        if tile.scratch.device != "cpu":
            for i, x in chunks(tile, rows):
                state["rows"][i].append(together.row(x, tile.scratch, wide))
            return state
        products = list(state["products"])
        for i, x in chunks(tile, rows):
            products[i] = products[i] + _products(x, tile.scratch, wide)
        return {"products": products}

    def merge(self, a: State, b: State) -> State:
        """Products add."""
        if "rows" in a:
            return {"rows": [x + y for x, y in zip(a["rows"], b["rows"], strict=True)]}
        pairs = zip(a["products"], b["products"], strict=True)
        return {"products": [x + y for x, y in pairs]}

    def finish(self, state: State) -> Sequence[VectorProducts]:
        """One record per matrix."""
        if "rows" in state:
            state = {"products": together.on_host(state["rows"], 1 + len(self.others))}
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
            means, low = split(means, rest)
    return VectorProducts(n, left_out, means, low, moments, agree, both)


def _signs(x: Tensor, scratch: Scratch, wide: bool) -> tuple[Counts, Counts]:
    """Numbers of elements with equal signs, and of those where both are non-zero, for each pair.

    Sums of products of signs are the equal ones less the unequal ones; in float32 they are exact.
    """
    signs = together.signs_of(x, scratch, wide)
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


def _host(x: Tensor) -> Floats:
    """float64 on the host."""
    array: Floats = x.cpu().numpy()
    return array


def _counts(x: Tensor) -> Counts:
    """Whole numbers in float32 as int64 on the host."""
    array: Counts = x.cpu().numpy().astype(np.int64)
    return array
