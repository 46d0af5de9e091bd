"""Counts of codes in each matrix of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def histogram(codes: Tensor, size: int) -> Tensor:
    """Counts of the codes 0..size-1 in each row of (b, elements): int64 (b, size)."""
    stack = codes.shape[0]
    if stack > 1:
        # Codes of matrix i are shifted by i * size, so that one bincount serves the stack.
        matrix = torch.arange(stack, dtype=codes.dtype, device=codes.device)
        codes = codes + size * matrix[:, None]
    counts = torch.bincount(codes.reshape(-1), minlength=stack * size)
    return counts.view(stack, size)
