"""Gram matrices as the blocks of rows on and below their diagonal: what a symmetric product costs, and half the memory.

Block k holds rows 192 k and on, and the columns up to its own last row; its square end is whole.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from ..lazy import torch
from .banded import banded
from .tridiagonal import eigenvalues_of_band

if TYPE_CHECKING:
    from torch import Tensor

Blocks = list["Tensor"]  # each (b, rows, columns), float64

BLOCK = 192  # lines, a multiple of the band's width: thin enough to spare half the products, thick enough for speed
DIRECT, DIRECT_GPU = (
    2048,
    8192,
)  # sides up to which LAPACK takes a copy whole; beyond it waits for memory


def blank(stack: int, side: int, device: str) -> Blocks:
    """Zero Gram matrices: one piece of memory, which goes back whole when they go."""
    ends = [min(first + BLOCK, side) for first in range(0, side, BLOCK)]
    shapes = [(stack, end - i * BLOCK, end) for i, end in enumerate(ends)]
    sizes = [prod(shape) for shape in shapes]
    parts = torch.split(torch.zeros(sum(sizes), dtype=torch.float64, device=device), sizes)
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def added(blocks: Blocks, lines: Tensor) -> None:
    """blocks += lines^T lines; lines is (b, k, s)."""
    for i, block in enumerate(blocks):
        rows, columns = block.shape[1:]
        block.baddbmm_(lines[..., i * BLOCK : i * BLOCK + rows].mT, lines[..., :columns])


def sound(blocks: Blocks) -> Tensor:
    """(b,) whether every square on the diagonal is within float64."""
    finite = [
        block[..., i * BLOCK :].diagonal(dim1=-2, dim2=-1).isfinite().all(-1)
        for i, block in enumerate(blocks)
    ]
    return torch.stack(finite).all(0)


def eigenvalues(blocks: Blocks) -> Tensor:
    """(b, s), ascending; large ones are reduced in place, without a copy."""
    stack, _, side = blocks[-1].shape
    if side <= (DIRECT if blocks[0].device.type == "cpu" else DIRECT_GPU):
        found: Tensor = torch.linalg.eigvalsh(_whole(blocks), UPLO="L")
        return found
    bands = [banded([block[i] for block in blocks]) for i in range(stack)]
    return torch.stack(
        [torch.from_numpy(eigenvalues_of_band(band.cpu().numpy())) for band in bands]
    )


def room(side: int) -> int:
    """Bytes of one matrix and of finding its eigenvalues; those of a stack on a GPU fit where its tile was."""
    blocks = 4 * side * (side + BLOCK)
    return blocks + (16 * side**2 if side <= DIRECT else 6144 * side)


def _whole(blocks: Blocks) -> Tensor:
    """(b, s, s), right on and below the diagonal."""
    whole = blocks[0].new_zeros(*blocks[-1].shape[::2], blocks[-1].shape[-1])
    for i, block in enumerate(blocks):
        whole[:, i * BLOCK : i * BLOCK + block.shape[1], : block.shape[2]] = block
    return whole
