"""The quantisation schemes: the grid of numbers, the block that shares a scale, and the scale.

All are symmetric, without a zero point. The scale of a block is a function of its largest
magnitude, `peak`, and of the largest of the whole tensor, `top`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lazy import torch
from .blocks import Block
from .rounding import E2M1, E4M3, Floats, Integers, power_below

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Scheme:
    """Elements of a block become numbers of `grid` times `scale(peak, top, grid.largest)`."""

    grid: Integers | Floats
    block: Block
    scale: Callable[[Tensor, Tensor, float], Tensor]

    @property
    def nested(self) -> bool:
        """Scales of blocks are stored relative to the tensor's, which must be computed first."""
        return self.scale is nested

    @property
    def clips(self) -> bool:
        """A peak may exceed the largest value, because scales are rounded."""
        return self.scale is not full


def full(peak: Tensor, top: Tensor, largest: float) -> Tensor:
    """absmax / largest: the peak becomes the largest value."""
    return peak / largest


def binary(peak: Tensor, top: Tensor, largest: float) -> Tensor:
    """2^(floor(log2 absmax) - 2), an E8M0 number (OCP Microscaling Formats 1.0).

    2 is the exponent of 6, the largest number of E2M1.
    """
    power = power_below(peak, torch.empty_like(peak))
    return (power / 4).clamp(2.0**-127, 2.0**127)


def nested(peak: Tensor, top: Tensor, largest: float) -> Tensor:
    """s e4m3(absmax / (6 s)) with s = top / (6 * 448): the scale of a block has 8 bits itself.

    absmax / (6 s) is 448 absmax / top, with a single rounding: in bf16 it often lies halfway
    between two e4m3 numbers.
    """
    positive_top = top.clamp(min=torch.finfo(top.dtype).tiny)
    ratio = peak * E4M3.largest / positive_top
    ratio = E4M3.nearest_(ratio, torch.empty_like(ratio))
    return ratio * (top / (largest * E4M3.largest))


SCHEMES = {
    "int8": Scheme(Integers(127.0), (1, None), full),
    "int4_g128": Scheme(Integers(7.0), (1, 128), full),
    "int4_g32": Scheme(Integers(7.0), (1, 32), full),
    "fp8_e4m3": Scheme(E4M3, (None, None), full),
    "fp8_e4m3_b128": Scheme(E4M3, (128, 128), full),
    "mxfp4": Scheme(E2M1, (1, 32), binary),
    "nvfp4": Scheme(E2M1, (1, 16), nested),
}
