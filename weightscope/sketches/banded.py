"""Reduction of a symmetric matrix to a band of 48 below its diagonal, by matrix products alone.

LAPACK reduces to tridiagonal form in one step, half of which is matrix-vector products: they are
limited by memory speed, and two workers need nearly twice the time. Block Householder reflections
(Bischof, Lang, Sun 2000, the first of two steps) are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    Part = tuple[
        Tensor, int, int
    ]  # rows lo..hi of the remaining matrix, and their columns up to hi

WIDTH = 48  # of the band: enough for products at full speed, few enough for the next reduction


def banded(blocks: list[Tensor]) -> Tensor:
    """(s, 49): at [j, d] the element d below the diagonal in column j.

    `blocks` (see gram.py) are overwritten.
    """
    side = blocks[-1].shape[1]
    band = blocks[0].new_zeros(side, WIDTH + 1)
    for first in range(0, side, WIDTH):
        last = min(first + WIDTH, side)
        columns = _columns(blocks, first, last)
        band[first:last] = columns[: last - first]
    return band


def _columns(blocks: list[Tensor], first: int, last: int) -> Tensor:
    """The band's columns first..last; all below the band is eliminated from both sides."""
    stacked, room, t = _factored(_parts(blocks, first), last - first)
    if last < blocks[-1].shape[1]:
        _reflect(_parts(blocks, last), room, t)
    # Row j of the view begins at element (j, j) of `stacked` and runs down column j.
    return stacked.as_strided((WIDTH, WIDTH + 1), (WIDTH + 1, WIDTH))


def _factored(parts: list[Part], columns: int) -> tuple[Tensor, Tensor, Tensor]:
    """The square on the diagonal above its triangle R, and the reflections that yield R."""
    panel = torch.cat([rows[:, :WIDTH] for rows, _, _ in parts])
    packed, tau = torch.geqrf(panel[columns:])
    stacked = panel.new_zeros(2 * WIDTH, WIDTH)
    stacked[:columns, :columns] = panel[:columns].tril()
    stacked[columns : columns + len(tau), :columns] = packed[: len(tau)].triu()
    room, t = _reflections(packed, tau)
    return stacked, room, t


def _parts(blocks: list[Tensor], first: int) -> list[Part]:
    """The remaining matrix, from row and column `first` on, block by block."""
    parts, start = [], 0
    for block in blocks:
        lo, hi = max(start, first), start + len(block)
        if hi > first:
            rows = block[lo - start :, first:]
            parts.append((rows, lo - first, hi - first))
        start = hi
    return parts


def _reflections(packed: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
    """(m, 3 k) with V in its middle, and the triangle T of H_1 ... H_k = I - V T V^T.

    Schreiber and Van Loan 1989. Column-major: BLAS multiplies by such thin matrices 1.5 times as
    fast.
    """
    k, idle = len(tau), tau == 0
    room = packed.new_empty(3 * k, len(packed)).mT
    _, v, _ = room.chunk(3, 1)
    v.copy_(packed[:, :k]).tril_(-1)
    v.diagonal().fill_(1.0)
    v[:, idle] = 0.0  # H = I where tau is 0
    inverse = (v.mT @ v).triu(1)
    inverse.diagonal().copy_(torch.where(idle, 1.0, 1.0 / tau))
    unit = torch.eye(k, dtype=tau.dtype, device=tau.device)
    return room, torch.linalg.solve_triangular(inverse, unit, upper=True)


def _reflect(parts: list[Part], room: Tensor, t: Tensor) -> None:
    """A <- (I - V T V^T)^T A (I - V T V^T) = A - W V^T - V W^T, in place.

    W = X - V (T^T V^T X)/2 with X = A V T.
    """
    k = len(t)
    w, v, w_again = room.chunk(3, 1)
    x = v.new_zeros(k, len(v)).mT
    for rows, lo, hi in parts:
        x[lo:hi].addmm_(rows, v[:hi])
        x[:lo].addmm_(rows[:, :lo].mT, v[lo:hi])
    x = (t.mT @ x.mT).mT
    x.addmm_(v, t.mT @ (v.mT @ x), alpha=-0.5)
    w.copy_(x)
    w_again.copy_(x)
    # `room` is now W V W, so that one product gives both terms: (W V) (V W)^T.
    w_v, v_w = room[:, : 2 * k], room[:, k:]
    for rows, lo, hi in parts:
        rows.addmm_(w_v[lo:hi], v_w[:hi].mT, alpha=-1)
