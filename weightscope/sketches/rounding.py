"""Rounding to the numbers of a format: integers, and floats of few bits with their subnormals.

Magnitudes up to the largest of the format are rounded to nearest, ties to even. Floats are rounded
by an addition: between t 2^20 and 2 t 2^20, where t is the power of two at or below y, the spacing
of float32 numbers is t/8, the same as that of e4m3 near y; and t 2^20 is an even one of them, so
that ties round to the even code.
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
        """Rounds 0 <= y <= largest (float32 or float64) to the grid, in place.

        >>> Integers(7).nearest_(torch.tensor([2.5, 3.5, 7.0]), torch.empty(3)).tolist()
        [2.0, 4.0, 7.0]
        """
        return y.round_()


@dataclass(frozen=True)
class Floats:
    """k 2^(e - mantissa) for e >= `lowest` (smallest normal exponent), k < 2^(mantissa + 1)."""

    largest: float
    mantissa: int
    lowest: int

    def nearest_(self, y: Tensor, spare: Tensor) -> Tensor:
        """Rounds 0 <= y <= largest (float32 or float64) to the grid, in place.

        `spare`, of the shape and type of y, is overwritten.

        >>> E2M1.nearest_(torch.tensor([0.25, 0.75, 2.5, 5.0, 6.0]), torch.empty(5)).tolist()
        [0.0, 1.0, 2.0, 4.0, 6.0]
        """
        power = power_below(y, out=spare)
        power.clamp_(min=2.0**self.lowest)
        factor = 2.0**-self.mantissa / torch.finfo(y.dtype).eps
        return y.add_(power, alpha=factor).sub_(power, alpha=factor)


def power_below(x: Tensor, out: Tensor) -> Tensor:
    """2^floor(log2 x) of x >= 0 (float32 or float64) into `out`; 0 for zeros and subnormals.

    >>> power_below(torch.tensor([0.0, 0.75, 5.0]), torch.empty(3)).tolist()
    [0.0, 0.5, 4.0]
    """
    word, exponent_bits = torch.int32, 0xFF << 23
    if x.dtype == torch.float64:
        word, exponent_bits = torch.int64, 0x7FF << 52
    torch.bitwise_and(x.view(word), exponent_bits, out=out.view(word))
    return out


E4M3 = Floats(448.0, mantissa=3, lowest=-6)
E2M1 = Floats(6.0, mantissa=1, lowest=0)
