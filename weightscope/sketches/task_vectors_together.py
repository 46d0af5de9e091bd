"""Sums of k vectors on a GPU: `task_vectors` without waits.

Every chunk gives a row of numbers: sums about zero, then about the means. The rows stay on the GPU
until the end, where the host chooses between both as it does on a CPU, and adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..lazy import numpy as np
from ..lazy import torch
from .pair_record import CANCELS
from .tile import Scratch
from .vector_record import VectorProducts, split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def row(x: Tensor, scratch: Scratch, wide: bool) -> Tensor:
    """All numbers of a chunk (k, elements) in float64; overwrites x.

    Finite elements and those left out, sums (k,) and products (k, k) about zero and about the
    means, and the products of signs and of their sizes.
    """
    without = ~x.isfinite().all(0)
    x.masked_fill_(without, 0.0)
    left_out = without.sum()
    n = len(without) - left_out
    signs = signs_of(x, scratch, wide)
    net = signs @ signs.mT
    signs.abs_()
    both = signs @ signs.mT
    sums, gram = x.sum(1), x @ x.mT
    x.sub_((sums / n.clamp(min=1))[:, None]).masked_fill_(without, 0.0)
    parts = (sums, gram, x.sum(1), x @ x.mT, net, both)
    return torch.cat((torch.stack((n, left_out)), *(part.flatten() for part in parts)))


def signs_of(x: Tensor, scratch: Scratch, wide: bool) -> Tensor:
    """The signs of x in float32; `wide` numbers below 1e-45 would be 0 there."""
    signs = scratch.take("signs", tuple(x.shape), torch.float32)
    if wide:
        return signs.copy_(x.sign())
    return signs.copy_(x).sign_()


def on_host(rows: Sequence[Sequence[Tensor]], k: int) -> list[VectorProducts]:
    """One record per matrix, of the rows of its chunks."""
    records = [VectorProducts.none(k)] * len(rows)
    if any(rows):
        numbers = torch.stack([one for of_matrix in rows for one in of_matrix]).cpu().numpy()
        matrices = [i for i, of_matrix in enumerate(rows) for _ in of_matrix]
        for i, of_chunk in zip(matrices, numbers, strict=True):
            records[i] = records[i] + _products(of_chunk, k)
    return records


def _products(numbers: NDArray[np.float64], k: int) -> VectorProducts:
    """The products of a row."""
    n, left_out = int(numbers[0]), int(numbers[1])
    ends = np.cumsum([2, k, k * k, k, k * k, k * k])
    sums, gram, rest, about, net, both = np.split(numbers, ends)[1:]
    shape = k, k
    equal, sizes = (part.reshape(shape).astype(np.int64) for part in (net, both))
    means, low = sums / max(n, 1), np.zeros(k)
    with np.errstate(over="ignore", invalid="ignore"):
        moments = gram.reshape(shape) - n * np.outer(means, means)
        if (n * means * means > CANCELS * np.diagonal(gram.reshape(shape))).any():
            rest = rest / n
            moments = about.reshape(shape) - n * np.outer(rest, rest)
            means, low = split(means, rest)
    return VectorProducts(n, left_out, means, low, moments, (sizes + equal) // 2, sizes)
