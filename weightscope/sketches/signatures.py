"""Signatures: rows that point the same way among many, found without comparing all pairs.

A row's signature is its product with 64 Gaussian columns: the cosine c of two rows survives within (1 - c^2) / 8. Trees
halve the rows at the medians of columns taken at random, so that a direction which all rows share tells nothing, and
only rows of one leaf are compared (Dasgupta and Freund 2008); 16 trees miss hardly a pair. The closest pairs first, the
rows about them give the directions around which three or more lie.
"""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING

from ..lazy import numpy as np
from ..lazy import torch
from .tile import Scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

COLUMNS = 64  # of a signature: (1 - 0.95^2) / 8 = 0.012
TREES, LEAF = (
    16,
    256,
)  # a leaf's most rows; of 128k rows, two at 0.85 meet in one of the trees 19 times of 20
NEAR = 0.75  # cosine of two signatures: 0.854, as three rows at 0.95 to their mean have, less 3 standard errors
LIKE = 0.9  # cosine of a signature to a centre: 0.95 less 4 standard errors
FEWEST = 3  # rows of a set
SETS, MISSES = 256, 128  # most directions, and most starts that lead to none
AT_ONCE = 16  # leaves compared in one product: 4 MB of cosines


def projection(columns: int) -> Tensor:
    """The seeded Gaussian matrix (columns, 64) float32, the same on every machine.

    >>> projection(384).shape
    torch.Size([384, 64])
    """
    return torch.from_numpy(
        np.random.default_rng(0).standard_normal((columns, COLUMNS), np.float32)
    )


def directions(signatures: Tensor) -> Tensor:
    """(k, 64) unit vectors around which three or more of the unit signatures (N, 64) lie, the tightest first."""
    degree, closest = _degrees(signatures, *_links(signatures))
    linked = (degree > 0).nonzero()[:, 0]
    rows, closest, misses = signatures[linked], closest[linked], 0
    found: list[Tensor] = []
    open_ = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    order = closest.argsort(descending=True, stable=True)
    starts = order[degree[linked][order] > 1]
    while len(starts) and len(found) < SETS and misses < MISSES:
        centre, members = _around(rows, open_, starts[0], closest)
        if int(members.sum()) < FEWEST:
            misses += 1
        else:
            found.append(centre)
        open_ &= ~members
        open_[starts[0]] = False
        starts = starts[open_[starts]]
    return torch.stack(found) if found else rows.new_zeros(0, rows.shape[1])


def nearest(signatures: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Each row's largest cosine to a centre (-1 without any), and that centre's number."""
    if not len(centres):
        return signatures.new_full(signatures.shape[:1], -1.0), signatures.new_zeros(
            signatures.shape[:1]
        ).long()
    best = [(part @ centres.mT).max(-1) for part in torch.split(signatures, LEAF * AT_ONCE)]
    return torch.cat([b.values for b in best]), torch.cat([b.indices for b in best])


def _links(z: Tensor) -> tuple[Tensor, Tensor]:
    """(2, links) rows and their nearest in some leaf, with the cosines: those of at least NEAR."""
    splits = max(0, ceil(log2(max(1, len(z)) / LEAF)))
    padded = torch.cat(
        (z, z.new_zeros(-len(z) % 2**splits, z.shape[1]))
    )  # zeros are near to nothing
    columns, scratch = padded.mT.contiguous().cpu().numpy(), Scratch(str(z.device))
    rng, found = (
        np.random.default_rng(0),
        [(torch.zeros(2, 0, dtype=torch.long, device=z.device), z.new_zeros(0))],
    )
    for _ in range((TREES if splits else 1) * (len(z) > 0)):
        leaves = torch.from_numpy(
            _grown(columns, rng.permutation(len(columns))[:splits].tolist())
        ).to(z.device)
        found += [_compared(padded, some, scratch) for some in torch.split(leaves, AT_ONCE)]
    return torch.cat([f[0] for f in found], 1), torch.cat([f[1] for f in found])


def _grown(columns: NDArray[np.float32], chosen: list[int]) -> NDArray[np.int64]:
    """(leaves, rows): all row numbers, halved at the median of each chosen column in turn.

    By numpy, whose partition takes a quarter of the time of torch's kthvalue and argsort.
    """
    leaves = np.arange(columns.shape[1])[None]
    for column in chosen:
        values = columns[column][leaves]
        halves = values.argpartition(values.shape[1] // 2, axis=1)
        leaves = np.take_along_axis(leaves, halves, 1).reshape(2 * len(leaves), -1)
    return leaves


def _compared(z: Tensor, leaves: Tensor, scratch: Scratch) -> tuple[Tensor, Tensor]:
    """The links inside leaves (k, rows) of row numbers."""
    many, size = leaves.shape
    rows = torch.index_select(
        z, 0, leaves.flatten(), out=scratch.take("rows", (many * size, z.shape[1]), z.dtype)
    )
    rows = rows.view(many, size, -1)
    cosines = torch.bmm(rows, rows.mT, out=scratch.take("cosines", (many, size, size), z.dtype))
    cosines.diagonal(dim1=1, dim2=2).fill_(-1)
    hit = (cosines.amax(-1) >= NEAR).flatten().nonzero()[:, 0]
    lines = scratch.take("lines", (len(hit), size), z.dtype)
    best, which = torch.index_select(cosines.view(-1, size), 0, hit, out=lines).max(-1)
    return torch.stack((leaves.flatten()[hit], leaves[hit // size, which])), best


def _degrees(z: Tensor, links: Tensor, cosines: Tensor) -> tuple[Tensor, Tensor]:
    """How many different rows each row is linked with, and the largest of its cosines."""
    pairs = torch.unique(links.amin(0) * len(z) + links.amax(0))
    ends = torch.cat((pairs // max(len(z), 1), pairs % max(len(z), 1)))
    closest = z.new_full((len(z),), -1.0).scatter_reduce_(
        0, links.flatten(), cosines.repeat(2), "amax"
    )
    return torch.bincount(ends, minlength=len(z)), closest


def _around(rows: Tensor, open_: Tensor, start: Tensor, closest: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of what is about as close to a row as its closest (a tight set in a loose one), and what is like it."""
    near = open_ & (rows @ rows[start] >= max(NEAR, 3 * float(closest[start]) - 2))
    near[start] = True
    centre = torch.nn.functional.normalize(rows[near].sum(0), dim=0)
    return centre, open_ & (rows @ centre >= LIKE)
