"""Rounding to what a number format can hold: integers, and floats of few bits with their subnormals.

To nearest, ties to even, of magnitudes up to the format's largest. Floats are rounded by the adder itself: between
t 2^20 and 2 t 2^20, where t is the power of two at or below y, numbers of float32 stand t/8 apart, as those of e4m3 do
about y; and t 2^20 is an even one of them, so that ties go to the even code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Integers:
    """0, 1, ..., `largest`."""

    largest: float

    def nearest_(self, y: Tensor, spare: Tensor) -> Tensor:
        """0 <= y <= largest (float32 or float64) becomes the nearest of the grid, in place.

        >>> Integers(7).nearest_(torch.tensor([2.5, 3.5, 7.0]), torch.empty(3)).tolist()
        [2.0, 4.0, 7.0]
        """
        return y.round_()


@dataclass(frozen=True)
class Floats:
    """k 2^(e - mantissa) for e >= `lowest`, the smallest normal exponent, and 0 <= k < 2^(mantissa + 1)."""

    largest: float
    mantissa: int
    lowest: int

    def nearest_(self, y: Tensor, spare: Tensor) -> Tensor:
        """0 <= y <= largest (float32 or float64) becomes the nearest of the grid, in place; `spare` is like y and lost.

        >>> E2M1.nearest_(torch.tensor([0.25, 0.75, 2.5, 5.0, 6.0]), torch.empty(5)).tolist()
        [0.0, 1.0, 2.0, 4.0, 6.0]
        """
        power_below(y, out=spare).clamp_(min=2.0**self.lowest)
        beside = 2.0**-self.mantissa / torch.finfo(y.dtype).eps
        return y.add_(spare, alpha=beside).sub_(spare, alpha=beside)


def power_below(x: Tensor, out: Tensor) -> Tensor:
    """2^floor(log2 x) of x >= 0 (float32 or float64) into `out`; 0 for 0 and for x's own subnormals.

    >>> power_below(torch.tensor([0.0, 0.75, 5.0]), torch.empty(3)).tolist()
    [0.0, 0.5, 4.0]
    """
    word, exponents = (
        (torch.int64, 0x7FF << 52) if x.dtype == torch.float64 else (torch.int32, 0xFF << 23)
    )
    torch.bitwise_and(x.view(word), exponents, out=out.view(word))
    return out


E4M3 = Floats(448.0, mantissa=3, lowest=-6)
E2M1 = Floats(6.0, mantissa=1, lowest=0)
