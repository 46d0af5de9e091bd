"""Sums over the pairs of all matrices of a stack at once, on a GPU: `pair_moments` without waits.

Every chunk gives a row of numbers for each matrix: sums about zero, then about the means. The rows
stay on the GPU until the end, where the host chooses between both as it does on a CPU, and adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..lazy import torch
from .pair_record import CANCELS, PairMoments, about_means, b_cancels, split, with_b
from .tile import Scratch

if TYPE_CHECKING:
    from torch import Tensor

# of the pairs of finite elements, about zero and about the means: 3 sums, then 3 x 3 products
SUMS = ("a", "d", "b")
COUNTS = 5  # pairs, left out, one-sided, least and largest d
ROW = COUNTS + 2 * (len(SUMS) + len(SUMS) ** 2)


def none(stack: int, device: str) -> Tensor:
    """(b, ROW) of no pairs."""
    return torch.zeros(stack, ROW, dtype=torch.float64, device=device)


def sums(a: Tensor, b: Tensor, chunk: slice, scratch: Scratch) -> Tensor:
    """(b, ROW) of a chunk of the elements (b, elements) of A and of B."""
    a, b = a[:, chunk], b[:, chunk]
    stack, elements = a.shape
    x = scratch.take("pairs", (stack, len(SUMS), elements), torch.float64)
    x[:, 0].copy_(a)
    x[:, 2].copy_(b)
    finite_a, finite_b = x[:, 0].isfinite(), x[:, 2].isfinite()
    without = ~(finite_a & finite_b)
    x.masked_fill_(without[:, None], 0.0)
    torch.sub(x[:, 2], x[:, 0], out=x[:, 1])
    left_out = without.sum(1)
    n = elements - left_out
    low, high = torch.aminmax(x[:, 1], dim=1)
    counts = (n, left_out, (finite_a ^ finite_b).sum(1), low, high)
    totals, products = x.sum(-1), x @ x.mT
    x.sub_((totals / n.clamp(min=1)[:, None])[..., None])
    x.masked_fill_(without[:, None], 0.0)
    about = (x.sum(-1), (x @ x.mT).flatten(1))
    numbers = torch.stack([count.double() for count in counts], 1)
    return torch.cat((numbers, totals, products.flatten(1), *about), 1)


def on_host(rows: Sequence[Tensor]) -> list[PairMoments]:
    """One record per matrix."""
    by_chunk = torch.stack(list(rows)).tolist()  # (chunks, b, ROW)
    records = []
    for of_matrix in zip(*by_chunk, strict=True):
        moments = PairMoments()
        for row in of_matrix:
            moments = moments + _moments(row)
        records.append(moments)
    return records


def _moments(row: Sequence[float]) -> PairMoments:
    """The moments of a row."""
    n, left_out, one_sided = (int(count) for count in row[:3])
    moments = PairMoments(left_out=left_out, one_sided=one_sided)
    if not n:
        return moments
    half = (ROW - COUNTS) // 2
    zero, about = row[COUNTS : COUNTS + half], row[COUNTS + half :]
    mean_a, mean_d = zero[0] / n, zero[1] / n
    aa, ad, _, _, dd = zero[3:8]
    moments = replace(
        moments,
        n=n,
        mean_a=mean_a,
        mean_d=mean_d,
        s_aa=aa - n * mean_a * mean_a,
        s_ad=ad - n * mean_a * mean_d,
        s_dd=dd - n * mean_d * mean_d,
        absmax=max(abs(row[3]), abs(row[4])),
    )
    if n * mean_a * mean_a > CANCELS * aa or n * mean_d * mean_d > CANCELS * dd:
        moments = about_means(moments, (about[3], about[4], about[7], about[0], about[1]))
    return _with_b(moments, mean_a, zero[2] / n, about)


def _with_b(
    moments: PairMoments, about_a: float, about_b: float, about: Sequence[float]
) -> PairMoments:
    """The moments with those of B, which are sums of the others unless these cancel.

    `about` are sums of deviations from `about_a` and `about_b`.
    """
    m = with_b(moments)
    if not b_cancels(m):
        return m
    total = about[2]
    s_ab = about[5] - (m.mean_a - about_a + m.low_a) * total
    s_bb = max(about[11] - total * total / m.n, 0.0)
    mean_b, low_b = split(about_b, total / m.n)
    return replace(m, mean_b=mean_b, s_ab=s_ab, s_bb=s_bb, low_b=low_b)
