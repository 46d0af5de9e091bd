"""Gram matrices as blocks of rows, on and below the diagonal: half the products and memory.

Block k has the rows from 192 k on, and the columns up to its last row; its square end is complete.
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

# Rows, a multiple of the band's width: few enough to avoid half of the products, enough for speed.
BLOCK = 192
# Sides up to which LAPACK decomposes a copy of the whole matrix; beyond, memory limits
# its speed.
DIRECT = 2048
DIRECT_GPU = 8192


def blank(stack: int, side: int, device: str) -> Blocks:
    """Zero Gram matrices, in one piece of memory, which is freed as a whole."""
    shapes = []
    for first in range(0, side, BLOCK):
        last = min(first + BLOCK, side)
        shapes.append((stack, last - first, last))
    sizes = [prod(shape) for shape in shapes]
    memory = torch.zeros(sum(sizes), dtype=torch.float64, device=device)
    parts = torch.split(memory, sizes)
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def added(blocks: Blocks, lines: Tensor) -> None:
    """blocks += lines^T lines; lines is (b, k, s)."""
    for i, block in enumerate(blocks):
        _, rows, columns = block.shape
        first = i * BLOCK
        block.baddbmm_(lines[..., first : first + rows].mT, lines[..., :columns])


def sound(blocks: Blocks) -> Tensor:
    """(b,) whether every square on the diagonal is finite."""
    finite = []
    for i, block in enumerate(blocks):
        square_end = block[..., i * BLOCK :]
        diagonal = square_end.diagonal(dim1=-2, dim2=-1)
        finite.append(diagonal.isfinite().all(-1))
    return torch.stack(finite).all(0)


def eigenvalues(blocks: Blocks) -> Tensor:
    """(b, s), ascending; large ones are reduced in place, without a copy."""
    stack, _, side = blocks[-1].shape
    if side <= _direct(blocks[0].device.type):
        values: Tensor = torch.linalg.eigvalsh(_whole(blocks), UPLO="L")
        return values
    bands = [banded([block[i] for block in blocks]) for i in range(stack)]
    of_matrices = []
    for band in bands:
        of_matrix = eigenvalues_of_band(band.cpu().numpy())
        of_matrices.append(torch.from_numpy(of_matrix))
    return torch.stack(of_matrices)


def room(side: int, device: str = "cpu") -> int:
    """Bytes of one matrix and of computing its eigenvalues: two copies where they are direct.

    >>> room(8192) >> 20, room(8192, "cuda:0") >> 20
    (310, 1286)
    """
    blocks = 4 * side * (side + BLOCK)
    if side <= _direct(device):
        return blocks + 16 * side**2
    return blocks + 6144 * side


def _direct(device: str) -> int:
    """The largest side that is decomposed as one matrix."""
    if device == "cpu":
        return DIRECT
    return DIRECT_GPU


def _whole(blocks: Blocks) -> Tensor:
    """(b, s, s), correct on and below the diagonal."""
    stack, _, side = blocks[-1].shape
    whole = blocks[0].new_zeros(stack, side, side)
    for i, block in enumerate(blocks):
        _, rows, columns = block.shape
        first = i * BLOCK
        whole[:, first : first + rows, :columns] = block
    return whole
