"""Rows or columns of a tensor in memory as one run of bytes, sent to a GPU as those of a file.

The bytes are in the order of the tensor's own layout: it is not turned on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checkpoints import Span, lines_in_memory
from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Run:
    """`data` (bytes,) uint8 of the host: the elements of a span without gaps."""

    data: Tensor
    like: Tensor  # the span: its type, its dimensions, and the order of its strides

    @staticmethod
    def of(span: Span) -> Run:
        """The lines of a span; a copy where they are not one run of memory."""
        lines = lines_in_memory(span)
        elements = lines.permute(_order(lines)).contiguous().reshape(-1)
        return Run(elements.view(torch.uint8), lines)

    def typed(self, raw: Tensor) -> Tensor:
        """The same bytes, wherever they are, as the elements of the span."""
        order = _order(self.like)
        sides = [self.like.shape[axis] for axis in order]
        back = sorted(range(len(order)), key=order.__getitem__)
        return raw.view(self.like.dtype).view(sides).permute(back)


def _order(x: Tensor) -> list[int]:
    """The axes from the longest stride to the shortest.

    >>> _order(torch.zeros(2, 3).mT)
    [1, 0]
    """
    strides = x.stride()
    return sorted(range(x.dim()), key=lambda axis: -strides[axis])
