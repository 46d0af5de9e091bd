"""Looks: exact means of sets of rows and cosines to them, tile by tile, until no member changes.

A step selects the rows with cosine >= 0.95 to the mean and computes the mean of those. It increases
the members' sum of |row| (cosine - 0.95), so the steps converge; a set that changes after eight
looks has no clear edge and is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..lazy import numpy as np
from ..lazy import torch
from .signatures import FEWEST, LIKE, nearest
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

ALIKE = 0.95  # smallest cosine of a member to the mean
BESIDE = 0.8  # smallest cosine of a row beside the set
AROUND = 0.6  # BESIDE less 4.5 standard errors of signatures, so that a look has all rows beside
LOOKS = 8


@dataclass(frozen=True, eq=False)
class RowSet:
    """Rows (ascending), cosines to their mean, and the number of other rows with 0.8 to 0.95."""

    rows: NDArray[np.int64]
    cosines: NDArray[np.float64]
    beside: int


@dataclass(frozen=True, eq=False)
class Look:
    """The rows of one matrix that may belong to a set, and the sums of the pass; on the host."""

    rows: Tensor  # (l,) ascending
    signatures: Tensor  # (l, 64) unit
    centres: Tensor  # (k, 64) of the sets, unit
    of: Tensor  # (l,) number of the set that each row may belong to
    members: Tensor  # (l,) whether the row belongs to it
    sums: Tensor  # (k, columns) float64, sums of the members
    dots: Tensor  # (l,) products of each row with the sum of its set
    squares: Tensor  # (l,) squared norms of the rows
    cosines: bool  # this pass computes dots and squares; otherwise the sums
    left: int  # looks that may follow; 0 where the sets are final

    @property
    def open(self) -> bool:
        """Whether one more pass is needed."""
        return self.left > 0


def first_look(
    rows: Tensor, signatures: Tensor, centres: Tensor, columns: int, left: int = LOOKS
) -> Look:
    """The rows around the centres, each for its nearest; members are those with cosine >= LIKE."""
    cosine, of = nearest(signatures, centres)
    near = cosine >= AROUND
    sums = torch.zeros(len(centres), columns, dtype=torch.float64)
    zeros = sums.new_zeros(int(near.sum()))
    return Look(
        rows=rows[near],
        signatures=signatures[near],
        centres=centres,
        of=of[near],
        members=cosine[near] >= LIKE,
        sums=sums,
        dots=zeros,
        squares=zeros,
        cosines=False,
        left=left if len(centres) else 0,
    )


def inside(look: Look, tile: Tile) -> tuple[int, int]:
    """The first of the look's rows that is in the tile, and the first after it."""
    if not look.open:
        return 0, 0
    first, last = torch.searchsorted(look.rows, torch.tensor(tile.box.rows)).tolist()
    return first, last


def accumulate(look: Look, tile: Tile, i: int) -> None:
    """Adds the look's rows of matrix i that are in the tile."""
    first, last = inside(look, tile)
    if first == last:
        return
    here, cols = slice(first, last), slice(*tile.box.cols)
    x = tile.values[i][look.rows[here] - tile.box.rows[0]].double()  # (rows of the look, columns)
    if look.cosines:
        sums = look.sums[look.of[here], cols]
        look.dots[here] += (x * sums).sum(-1)
        look.squares[here] += x.square().sum(-1)
        return
    sets = torch.arange(len(look.sums))
    member_of = (sets[:, None] == look.of[here]) & look.members[here]  # (k, rows of the look)
    look.sums[:, cols] += member_of.double() @ x


def next_look(look: Look) -> Look:
    """After sums, the cosines to them; after cosines, the sums of the new members.

    Rows of a set that has lost its members are assigned to their next nearest centre.
    """
    if not look.open:
        return look
    if not look.cosines:
        zeros = torch.zeros_like(look.dots)
        return replace(look, dots=zeros, squares=torch.zeros_like(zeros), cosines=True)
    members, last_look = _cosines(look) >= ALIKE, look.left == 1
    # `sums` are those of the old members, and are final for sets whose members are the same.
    enough = _per_set(look, members) >= FEWEST
    if not last_look and not bool(enough.all()):
        centres, columns = look.centres[enough], look.sums.shape[1]
        return first_look(look.rows, look.signatures, centres, columns, look.left - 1)
    changed = _per_set(look, members != look.members) > 0
    if last_look or not bool(changed.any()):
        return replace(look, members=members & ~changed[look.of], left=0)
    sums = torch.zeros_like(look.sums)
    return replace(look, members=members, sums=sums, cosines=False, left=look.left - 1)


def row_sets(look: Look) -> tuple[RowSet, ...]:
    """The sets, the largest first, then by their first row."""
    rows, of, members = (x.numpy() for x in (look.rows, look.of, look.members))
    cosines, close = _cosines(look).numpy(), _close(look)
    sets = []
    for k in sorted(set(of[members].tolist())):
        inside = (of == k) & members
        # Members of other sets are beside by the cosine of the means, other rows by their own.
        beside = np.where(members, close[k, of], (of == k) & (cosines >= BESIDE))
        sets.append(RowSet(rows[inside], cosines[inside], int(beside.sum())))
    sets.sort(key=lambda row_set: (-len(row_set.rows), row_set.rows[0]))
    return tuple(sets)


def _per_set(look: Look, rows: Tensor) -> Tensor:
    """(k,) numbers of the marked rows by set."""
    sets = look.of[rows]
    return torch.bincount(sets, minlength=len(look.sums))


def _close(look: Look) -> NDArray[np.bool_]:
    """(k, k) whether the means of two different sets have a cosine of at least BESIDE."""
    means = torch.nn.functional.normalize(look.sums, dim=1)
    close = means @ means.mT >= BESIDE
    pairs: NDArray[np.bool_] = close.fill_diagonal_(False).numpy()
    return pairs


def _cosines(look: Look) -> Tensor:
    """(l,) cosine of each row to the sum of its set."""
    norms = torch.linalg.vector_norm(look.sums, dim=1)
    cosines: Tensor = look.dots / (look.squares.sqrt() * norms[look.of])
    return cosines
