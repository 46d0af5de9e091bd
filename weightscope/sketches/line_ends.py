"""How many zeros the lines of a tile begin and end with: of an ordinary one none, which its border tells.

Else a few elements at the border tell of most, so that zeros strewn anywhere cost little more.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

NEAR = 16  # elements at the edge, of which half zeros leave hardly a line


def zeros_before(w: Tensor) -> Tensor | float:
    """(b, lines) float64 of (b, lines, length >= 1): zeros at the beginning of each line, inf where it has no other.

    0.0 where no line begins with any.

    >>> zeros_before(torch.tensor([[[0.0, 0.0, 3.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])).tolist()
    [[2.0, 0.0, inf]]
    """
    return 0.0 if bool(w[..., 0].all()) else torch.stack([_followed(x, back=False) for x in w])


def zeros_after(w: Tensor) -> Tensor | float:
    """As many at the end of each line."""
    return 0.0 if bool(w[..., -1].all()) else torch.stack([_followed(x, back=True) for x in w])


def _followed(x: Tensor, back: bool) -> Tensor:
    """Of one matrix's lines, (lines, length): in a few elements, then in all others of lines that show none there."""
    near, rest = (x[:, -NEAR:], x[:, :-NEAR]) if back else (x[:, :NEAR], x[:, NEAR:])
    found = _within(near, back)
    left = found.isinf().nonzero()[:, 0]
    if len(left) and rest.shape[1]:
        found[left] = NEAR + _within(rest.index_select(0, left), back)
    return found


def _within(x: Tensor, back: bool) -> Tensor:
    """By the largest place that is not zero, counted from the far end: amax takes a tenth of what argmax does."""
    places = torch.arange(1, x.shape[1] + 1, dtype=torch.int32, device=x.device)
    largest = ((x != 0) * (places if back else places.flip(0))).amax(1)
    return torch.where(largest > 0, x.shape[1] - largest.double(), inf)
