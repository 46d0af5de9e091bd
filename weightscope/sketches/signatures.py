"""Signatures: nearly parallel rows among many, found without comparing all pairs.

A row's signature is its product with 64 Gaussian columns: the cosine c of two rows has a standard
error of (1 - c^2) / 8. Trees halve the rows at the medians of random columns, so that a direction
which all rows share has no effect, and only rows of one leaf are compared (Dasgupta and Freund
2008); 16 trees miss hardly a pair. The search for directions with three or more rows begins at the
closest pairs.
"""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING

from ..lazy import numpy as np
from ..lazy import torch
from .tile import Scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

COLUMNS = 64  # of a signature: a standard error of (1 - 0.95^2) / 8 = 0.012
# With 16 trees, two of 128k rows with cosine 0.85 share a leaf 19 times of 20.
TREES = 16
LEAF = 256  # most rows of a leaf
# Smallest cosine of two linked signatures: 0.854, which three rows have with each other that have
# 0.95 to their mean, less 3 standard errors.
NEAR = 0.75
LIKE = 0.9  # smallest cosine of a signature to a centre: 0.95 less 4 standard errors
FEWEST = 3  # rows of a set
SETS = 256  # most directions
MISSES = 128  # most starts without a direction
AT_ONCE = 16  # leaves compared in one product: 4 MB of cosines

Links = tuple["Tensor", "Tensor"]  # (2, links) numbers of two rows, and (links,) their cosines


def projection(columns: int) -> Tensor:
    """The seeded Gaussian matrix (columns, 64) float32, the same on every machine.

    >>> projection(384).shape
    torch.Size([384, 64])
    """
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.standard_normal((columns, COLUMNS), np.float32))


def directions(signatures: Tensor) -> Tensor:
    """(k, 64) unit vectors with three or more of the unit signatures (N, 64) around them.

    The tightest first.
    """
    if len(signatures) < FEWEST:
        return signatures.new_zeros(0, signatures.shape[1])
    degree, closest = _degrees(signatures, *_links(signatures))
    linked = (degree > 0).nonzero()[:, 0]
    rows, degree, closest = signatures[linked], degree[linked], closest[linked]
    unused = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    order = closest.argsort(descending=True, stable=True)
    starts = order[degree[order] > 1]  # a set of three rows has a row with two links
    centres: list[Tensor] = []
    misses = 0
    while len(starts) and len(centres) < SETS and misses < MISSES:
        start = starts[0]
        centre, members = _around(rows, unused, start, closest)
        if int(members.sum()) < FEWEST:
            misses += 1
        else:
            centres.append(centre)
        unused &= ~members
        unused[start] = False
        starts = starts[unused[starts]]
    if not centres:
        return rows.new_zeros(0, rows.shape[1])
    return torch.stack(centres)


def nearest(signatures: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Each row's largest cosine to a centre (-1 without any), and that centre's number."""
    rows = len(signatures)
    if not len(centres):
        none = signatures.new_zeros(rows).long()
        return signatures.new_full((rows,), -1.0), none
    cosines, numbers = [], []
    for part in torch.split(signatures, LEAF * AT_ONCE):
        best = (part @ centres.mT).max(-1)
        cosines.append(best.values)
        numbers.append(best.indices)
    return torch.cat(cosines), torch.cat(numbers)


def _links(z: Tensor) -> Links:
    """Rows with their nearest row in a leaf, where the cosine is at least NEAR."""
    pairs = [torch.zeros(2, 0, dtype=torch.long, device=z.device)]
    cosines = [z.new_zeros(0)]
    if len(z):
        for leaf_pairs, leaf_cosines in _links_of_trees(z):
            pairs.append(leaf_pairs)
            cosines.append(leaf_cosines)
    return torch.cat(pairs, 1), torch.cat(cosines)


def _links_of_trees(z: Tensor) -> Iterator[Links]:
    """The links inside the leaves of all trees; one tree where one leaf has all rows."""
    splits = max(0, ceil(log2(len(z) / LEAF)))
    # Rows of zeros make all leaves equally long; their cosines are 0.
    padding = z.new_zeros(-len(z) % 2**splits, z.shape[1])
    padded = torch.cat((z, padding))
    columns = padded.mT.contiguous().cpu().numpy()
    rng, scratch = np.random.default_rng(0), Scratch(str(z.device))
    for _ in range(TREES if splits else 1):
        split_columns = rng.permutation(len(columns))[:splits].tolist()
        leaves = torch.from_numpy(_leaves(columns, split_columns)).to(z.device)
        for some in torch.split(leaves, AT_ONCE):
            yield _links_of_leaves(padded, some, scratch)


def _leaves(columns: NDArray[np.float32], chosen: list[int]) -> NDArray[np.int64]:
    """(leaves, rows): all row numbers, halved at the median of each chosen column in turn.

    By numpy, whose partition takes a quarter of the time of torch's kthvalue and argsort.
    """
    leaves = np.arange(columns.shape[1])[None]
    for column in chosen:
        values = columns[column][leaves]
        halves = values.argpartition(values.shape[1] // 2, axis=1)
        leaves = np.take_along_axis(leaves, halves, 1).reshape(2 * len(leaves), -1)
    return leaves


def _links_of_leaves(z: Tensor, leaves: Tensor, scratch: Scratch) -> Links:
    """The links inside leaves (k, rows) of row numbers."""
    k, size = leaves.shape
    numbers = leaves.flatten()
    rows = scratch.take("rows", (k * size, z.shape[1]), z.dtype)
    torch.index_select(z, 0, numbers, out=rows)
    rows = rows.view(k, size, -1)
    cosines = scratch.take("cosines", (k, size, size), z.dtype)
    torch.bmm(rows, rows.mT, out=cosines)
    cosines.diagonal(dim1=1, dim2=2).fill_(-1)  # no row is linked with itself
    linked = (cosines.amax(-1) >= NEAR).flatten().nonzero()[:, 0]
    linked_cosines = scratch.take("lines", (len(linked), size), z.dtype)
    torch.index_select(cosines.view(-1, size), 0, linked, out=linked_cosines)
    best, which = linked_cosines.max(-1)
    neighbours = leaves[linked // size, which]
    return torch.stack((numbers[linked], neighbours)), best


def _degrees(z: Tensor, pairs: Tensor, cosines: Tensor) -> tuple[Tensor, Tensor]:
    """Each row's number of different neighbours, and the largest of their cosines."""
    rows = len(z)
    # A pair of either order as one number, so that each counts once.
    keys = torch.unique(pairs.amin(0) * rows + pairs.amax(0))
    base = max(rows, 1)
    ends = torch.cat((keys // base, keys % base))
    degree = torch.bincount(ends, minlength=rows)
    closest = z.new_full((rows,), -1.0)
    closest.scatter_reduce_(0, pairs.flatten(), cosines.repeat(2), "amax")
    return degree, closest


def _around(rows: Tensor, unused: Tensor, start: Tensor, closest: Tensor) -> tuple[Tensor, Tensor]:
    """Centroid of the unused neighbours at about nearest-neighbour distance, and its members.

    So the centroid of a tight set inside a loose one is that of the tight set.
    """
    # 1 - cosine is half a squared distance: up to three times that of the nearest neighbour.
    threshold = max(NEAR, 3 * float(closest[start]) - 2)
    near = unused & (rows @ rows[start] >= threshold)
    near[start] = True
    centre = torch.nn.functional.normalize(rows[near].sum(0), dim=0)
    members = unused & (rows @ centre >= LIKE)
    return centre, members
