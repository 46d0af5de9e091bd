"""Sums and cosines of the looks of all matrices of a stack at once, on a GPU.

The looks are on the host, which so knows the rows of a tile: it waits for nothing but the sums and
cosines of a whole look, once for the stack. Matrices with fewer rows or sets than others have
positions that no row has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..lazy import torch
from ..sending import sent
from .row_sets import Look, inside
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1 << 20  # elements of rows that are float64 at a time
BYTES = 40  # of such an element: its row, that of its set, their product, and two spare


@dataclass(frozen=True, eq=False)
class Looks:
    """What the GPU has of one look at each of b matrices."""

    rows: Tensor  # (b, l)
    of: Tensor  # (b, l) number of the set that each row may belong to
    members: Tensor  # (b, l) whether the row belongs to it
    sums: Tensor  # (b, k, columns) float64, sums of the members
    products: Tensor  # (2, b, l) float64: of each row with the sum of its set, and with itself
    cosines: bool  # this pass computes products; otherwise the sums


@dataclass(frozen=True, eq=False)
class Lines:
    """Some rows of each matrix that are in a tile, and in a look."""

    values: Tensor  # (b, w, columns of the tile) float64, 0 where there is no row
    at: Tensor  # (b, w) positions in the look


def started(looks: Sequence[Look], columns: int, device: str) -> Looks:
    """Zero sums of the members; rows of closed looks are in no tile."""
    stack, longest = len(looks), max(len(look.rows) for look in looks)
    sets = max(len(look.sums) for look in looks)
    numbers = torch.zeros(3, stack, longest, dtype=torch.int64)
    for i, look in enumerate(looks):
        if look.open:
            numbers[:, i, : len(look.rows)] = torch.stack((look.rows, look.of, look.members.long()))
    rows, of, members = sent(numbers, device)
    sums = torch.zeros(stack, sets, columns, dtype=torch.float64, device=device)
    products = torch.zeros(2, stack, longest, dtype=torch.float64, device=device)
    return Looks(rows, of, members > 0, sums, products, cosines=False)


def accumulate(there: Looks, looks: Sequence[Look], tile: Tile) -> None:
    """Adds the rows of the looks that are in the tile."""
    cols = slice(*tile.box.cols)
    matrix = torch.arange(tile.stack, device=tile.stored.device)[:, None]
    sets = torch.arange(there.sums.shape[1], device=tile.stored.device)[:, None]
    for lines in _lines(there, looks, tile):
        of = there.of.gather(1, lines.at)
        if there.cosines:
            sums = there.sums[..., cols][matrix, of]  # (b, w, columns)
            of_sums = (lines.values * sums).sum(-1)
            of_rows = lines.values.square().sum(-1)
            at = lines.at.expand(2, -1, -1)
            there.products.scatter_add_(2, at, torch.stack((of_sums, of_rows)))
            continue
        members = there.members.gather(1, lines.at)
        member_of = (sets == of[:, None]) & members[:, None]  # (b, k, w)
        there.sums[..., cols].baddbmm_(member_of.double(), lines.values)


def with_cosines(there: Looks) -> Looks:
    """The look after the pass of its sums."""
    return replace(there, cosines=True)


def on_host(there: Looks, looks: Sequence[Look]) -> list[Look]:
    """The looks with what the GPU has computed: the host waits once."""
    parts = (there.sums, there.products)
    together = torch.cat([part.flatten() for part in parts]).cpu()
    flat = torch.split(together, [part.numel() for part in parts])
    sums, products = (x.view(part.shape) for x, part in zip(flat, parts, strict=True))
    complete = []
    for i, look in enumerate(looks):
        if look.open:
            dots, squares = products[:, i, : len(look.rows)]
            look = replace(look, sums=sums[i, : len(look.sums)], dots=dots, squares=squares)
        complete.append(look)
    return complete


def _lines(there: Looks, looks: Sequence[Look], tile: Tile) -> Iterator[Lines]:
    """The rows of the looks that are in the tile, a few of each matrix at a time."""
    spans = [inside(look, tile) for look in looks]
    most = max(last - first for first, last in spans)
    if not most:
        return
    device = tile.stored.device
    first, last = sent(torch.tensor(spans), device).mT[..., None]  # (b, 1) each
    matrix = torch.arange(tile.stack, device=device)[:, None]
    step = max(1, CHUNK // (tile.stack * tile.box.shape[1]))
    for start in range(0, most, step):
        at = first + torch.arange(start, min(start + step, most), device=device)
        found = at < last
        at = torch.where(found, at, 0)
        rows = torch.where(found, there.rows.gather(1, at) - tile.box.rows[0], 0)
        values = tile.values[matrix, rows].double()
        yield Lines(torch.where(found[..., None], values, 0.0), at)
