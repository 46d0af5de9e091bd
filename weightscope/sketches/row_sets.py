"""Looks: exact means of sets of rows and cosines to them, tile by tile, until no row comes or goes.

Taking the rows with cosine >= 0.95 to the mean, then the mean of those, raises the members' sum of
|row| (cosine - 0.95) with every step, so it ends; a set that has not ended after eight looks has no edge and is none.
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

ALIKE, BESIDE = 0.95, 0.8  # cosine to the mean: in the set, and beside it
AROUND = (
    0.6  # of signatures: 0.8 less 4.5 standard errors, so that every row beside a set is looked at
)
LOOKS = 8


@dataclass(frozen=True, eq=False)
class RowSet:
    """Rows (ascending), each one's cosine to their mean, and how many rows outside have 0.8 to 0.95 to it."""

    rows: NDArray[np.int64]
    cosines: NDArray[np.float64]
    beside: int


@dataclass(frozen=True, eq=False)
class Look:
    """The rows of one matrix that may be in a set, and what the present pass adds up of them."""

    rows: Tensor  # (l,) ascending
    signatures: Tensor  # (l, 64) unit
    centres: Tensor  # (k, 64) of the sets, unit
    of: Tensor  # (l,) the set that each row may be in
    members: Tensor  # (l,) whether it is
    sums: Tensor  # (k, columns) float64, of the members
    dots: Tensor  # (l,) with those sums
    squares: Tensor  # (l,)
    cosines: bool  # taken in this pass; else the sums are
    left: int  # looks that may follow; 0 where all is known

    @property
    def open(self) -> bool:
        """Whether one more pass is needed."""
        return self.left > 0


def first_look(
    rows: Tensor, signatures: Tensor, centres: Tensor, columns: int, left: int = LOOKS
) -> Look:
    """Each row around a centre is looked at for the nearest, and is a member at first where it is like it."""
    best, of = nearest(signatures, centres)
    near = best >= AROUND
    sums = torch.zeros(len(centres), columns, dtype=torch.float64, device=rows.device)
    zeros = sums.new_zeros(int(near.sum()))
    likely, left = best[near] >= LIKE, left if len(centres) else 0
    return Look(
        rows[near], signatures[near], centres, of[near], likely, sums, zeros, zeros, False, left
    )


def looked(look: Look, tile: Tile, i: int) -> None:
    """Adds what matrix i of the tile has of the look's rows."""
    ends = torch.tensor(tile.box.rows, device=look.rows.device)
    here = slice(*torch.searchsorted(look.rows, ends).tolist())
    if not look.open or not tile.box.size or here.start == here.stop:
        return
    x, cols = tile.values[i][look.rows[here] - tile.box.rows[0]].double(), slice(*tile.box.cols)
    if look.cosines:
        look.dots[here] += (x * look.sums[look.of[here], cols]).sum(-1)
        look.squares[here] += x.square().sum(-1)
    else:
        into = torch.arange(len(look.sums), device=x.device)[:, None] == look.of[here]
        look.sums[:, cols] += (
            into & look.members[here]
        ).double() @ x  # in a fixed order, unlike index_add on a GPU


def advanced(look: Look) -> Look:
    """After sums the cosines to them; after cosines the members of the next sums.

    The rows of a set that has come to nothing are looked at for the next nearest.
    """
    if not look.open:
        return look
    if not look.cosines:
        return replace(
            look,
            dots=torch.zeros_like(look.dots),
            squares=torch.zeros_like(look.dots),
            cosines=True,
        )
    members, sets, last = _cosines(look) >= ALIKE, len(look.sums), look.left == 1
    many = torch.bincount(look.of[members], minlength=sets) >= FEWEST
    if not last and not bool(many.all()):
        return first_look(
            look.rows, look.signatures, look.centres[many], look.sums.shape[1], look.left - 1
        )
    moved = torch.bincount(look.of[members != look.members], minlength=sets) > 0
    if last or not bool(moved.any()):
        return replace(look, members=members & ~moved[look.of], left=0)
    return replace(
        look, members=members, sums=torch.zeros_like(look.sums), cosines=False, left=look.left - 1
    )


def found(look: Look) -> tuple[RowSet, ...]:
    """The sets, the largest first, then by their first row."""
    rows, of, members = (x.cpu().numpy() for x in (look.rows, look.of, look.members))
    cosines, close = _cosines(look).cpu().numpy(), _close(look)
    sets = []
    for k in sorted(set(of[members].tolist())):
        inside = (of == k) & members
        beside = np.where(members, close[k, of], (of == k) & (cosines >= BESIDE))
        sets.append(RowSet(rows[inside], cosines[inside], int(beside.sum())))
    return tuple(sorted(sets, key=lambda s: (-len(s.rows), s.rows[0])))


def _close(look: Look) -> NDArray[np.bool_]:
    """Which sets lie beside which, by their means."""
    means = torch.nn.functional.normalize(look.sums, dim=1)
    close: NDArray[np.bool_] = (means @ means.mT >= BESIDE).fill_diagonal_(False).cpu().numpy()
    return close


def _cosines(look: Look) -> Tensor:
    found: Tensor = look.dots / (
        look.squares.sqrt() * torch.linalg.vector_norm(look.sums, dim=1)[look.of]
    )
    return found
