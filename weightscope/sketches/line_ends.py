"""Number of zeros at the beginning and at the end of each row or column of a tile.

An ordinary tile has none, which one look at its border proves. Otherwise the 16 elements next to
the border decide for most rows, so that scattered zeros cost little more.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

NEAR = 16  # elements next to the border: with half of all elements zero, hardly a row has 16 zeros


def zeros_before(w: Tensor) -> Tensor | float:
    """(b, lines) float64 of (b, lines, length >= 1): zeros at the beginning of each line.

    inf in a line of zeros; the number 0.0 where no line begins with a zero.

    >>> zeros_before(torch.tensor([[[0.0, 0.0, 3.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])).tolist()
    [[2.0, 0.0, inf]]
    """
    return _zeros_at(w, end=False)


def zeros_after(w: Tensor) -> Tensor | float:
    """The same for the end of each line."""
    return _zeros_at(w, end=True)


def _zeros_at(w: Tensor, end: bool) -> Tensor | float:
    if w.device.type != "cpu":  # whether a line begins with a zero is not asked: it is a wait
        return _zeros_within(w, end)
    if end:
        border = w[..., -1]
    else:
        border = w[..., 0]
    if bool(border.all()):
        return 0.0
    return torch.stack([_leading_zeros(matrix, end) for matrix in w])


def _leading_zeros(x: Tensor, end: bool) -> Tensor:
    """Zeros of one matrix (lines, length): the elements near the border first, then the others."""
    near, rest = x[:, :NEAR], x[:, NEAR:]
    if end:
        near, rest = x[:, -NEAR:], x[:, :-NEAR]
    zeros = _zeros_within(near, end)
    undecided = zeros.isinf().nonzero()[:, 0]
    if len(undecided) and rest.shape[1]:
        zeros[undecided] = NEAR + _zeros_within(rest.index_select(0, undecided), end)
    return zeros


def _zeros_within(x: Tensor, end: bool) -> Tensor:
    """Zeros at one end of each line of x, the last axis; inf where it has no other element."""
    length = x.shape[-1]
    # Positions counted from the far end, so that the element next to the border has the largest:
    # amax takes a tenth of the time of argmax.
    position = torch.arange(1, length + 1, dtype=torch.int32, device=x.device)
    if not end:
        position = position.flip(0)
    largest = ((x != 0) * position).amax(-1)
    return torch.where(largest > 0, length - largest.double(), inf)
