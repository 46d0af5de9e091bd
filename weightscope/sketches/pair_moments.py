"""Pairwise -> PairMoments: means and co-moments of A and of D = B - A, element by element.

Differences of separate sums lose half of their digits. Here D is made of each pair of elements in
float64, where differences of shorter types are exact, and sums run in float64 about the means.
Sums of B follow from those of A and D, unless B is so small beside A that they would cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
from . import pair_moments_together as together
from .beside import numbers
from .pair_record import CANCELS, PairMoments, about_means, b_cancels, split, with_b
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1 << 17  # elements: float64 buffers that stay in the cache of a CPU
CHUNK_GPU = 1 << 22


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
        if device != "cpu":
            return {"sums": [together.none(stack, device)]}
        return {"moments": [PairMoments()] * stack}

    def add(self, state: State, tile: Tile) -> State:
        """The moments of one tile, chunk by chunk."""
        if not tile.box.size:
            return state
        b = numbers(tile, tile)
        a = numbers(tile, tile.beside[self.other])
        size = _chunk(tile.scratch.device)
        if tile.scratch.device != "cpu":
            parts = range(0, b.shape[1], size)
            sums = [together.sums(a, b, slice(at, at + size), tile.scratch) for at in parts]
            return {"sums": [*state["sums"], *sums]}
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
        if "sums" in a:
            return {"sums": [*a["sums"], *b["sums"]]}
        return {"moments": [x + y for x, y in zip(a["moments"], b["moments"], strict=True)]}

    def finish(self, state: State) -> Sequence[PairMoments]:
        """One record per matrix."""
        if "sums" in state:
            return together.on_host(state["sums"])
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
        moments = about_means(moments, totals)
        x = x + mean_a
    return _with_b(moments, x, b, tile)


def _with_b(moments: PairMoments, x: Tensor, b: Tensor, tile: Tile) -> PairMoments:
    """The moments with those of B, which are sums of the others unless these cancel."""
    m = with_b(moments)
    if not b_cancels(m):
        return m
    y = tile.scratch.take("pair b", tuple(b.shape), torch.float64).copy_(b)
    mean_b = float(y.sum()) / m.n
    y = y - mean_b
    products = (torch.dot(x - m.mean_a, y), torch.dot(y, y))
    s_ab, s_bb, total = torch.stack((*products, y.sum())).tolist()
    s_ab -= m.low_a * total
    s_bb = max(s_bb - total * total / m.n, 0.0)
    mean_b, low_b = split(mean_b, total / m.n)
    return replace(m, mean_b=mean_b, s_ab=s_ab, s_bb=s_bb, low_b=low_b)
