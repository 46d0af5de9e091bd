"""A symmetric matrix to a band of 48 below its diagonal, by products of matrices alone.

LAPACK's one step from full to tridiagonal is half products of a matrix and a vector, which wait for memory: two workers
take nearly twice as long. Block Householder reflections (Bischof, Lang, Sun 2000, the first of two steps) do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    Part = tuple[Tensor, int, int]  # rows lo..hi of what is left, and their columns up to hi

WIDTH = 48  # of the band: wide enough for products at full speed, narrow enough for what follows


def banded(blocks: list[Tensor]) -> Tensor:
    """(s, 49): at [j, d] what stands d below the diagonal in column j; `blocks` (see gram.py) are overwritten."""
    side = blocks[-1].shape[1]
    band = blocks[0].new_zeros(side, WIDTH + 1)
    for first in range(0, side, WIDTH):
        last = min(first + WIDTH, side)
        band[first:last] = _columns(blocks, first, last)[: last - first]
    return band


def _columns(blocks: list[Tensor], first: int, last: int) -> Tensor:
    """The band's columns first..last, all else below them eliminated from both sides."""
    stacked, reflections = _factored(_parts(blocks, first), last - first)
    if last < blocks[-1].shape[1]:
        _reflected(_parts(blocks, last), *reflections)
    return stacked.as_strided((WIDTH, WIDTH + 1), (WIDTH + 1, WIDTH))


def _factored(parts: list[Part], own: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The square on the diagonal over the triangle R below it, and the reflections that leave this triangle."""
    column = torch.cat([rows[:, :WIDTH] for rows, _, _ in parts])
    packed, tau = torch.geqrf(column[own:])
    stacked = column.new_zeros(2 * WIDTH, WIDTH)
    stacked[:own, :own] = column[:own].tril()
    stacked[own : own + len(tau), :own] = packed[: len(tau)].triu()
    return stacked, _reflections(packed, tau)


def _parts(blocks: list[Tensor], first: int) -> list[Part]:
    """What is left from row and column `first` on, block by block."""
    parts, start = [], 0
    for block in blocks:
        lo, hi = max(start, first), start + len(block)
        if hi > first:
            parts.append((block[lo - start :, first:], lo - first, hi - first))
        start = hi
    return parts


def _reflections(packed: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
    """(m, 3 k) with V in its middle, and the triangle T of H_1 ... H_k = I - V T V^T (Schreiber and Van Loan 1989).

    By columns: BLAS multiplies by thin matrices that lie so half again as fast.
    """
    room, idle = packed.new_empty(3 * len(tau), len(packed)).mT, tau == 0
    v = room.chunk(3, 1)[1].copy_(packed[:, : len(tau)]).tril_(-1)
    v.diagonal().fill_(1.0)
    v[:, idle] = 0.0
    inverse = (v.mT @ v).triu(1)
    inverse.diagonal().copy_(torch.where(idle, 1.0, 1.0 / tau))
    unit = torch.eye(len(tau), dtype=tau.dtype, device=tau.device)
    return room, torch.linalg.solve_triangular(inverse, unit, upper=True)


def _reflected(parts: list[Part], room: Tensor, t: Tensor) -> None:
    """A <- (I - V T V^T)^T A (I - V T V^T) = A - W V^T - V W^T, W = X - V (T^T V^T X)/2, X = A V T."""
    w, v, again = room.chunk(3, 1)
    x = v.new_zeros(len(t), len(v)).mT
    for rows, lo, hi in parts:
        x[lo:hi].addmm_(rows, v[:hi])
        x[:lo].addmm_(rows[:, :lo].mT, v[lo:hi])
    x = (t.mT @ x.mT).mT
    again.copy_(w.copy_(x.addmm_(v, t.mT @ (v.mT @ x), alpha=-0.5)))
    for rows, lo, hi in parts:
        rows.addmm_(room[lo:hi, : -len(t)], room[:hi, len(t) :].mT, alpha=-1)
