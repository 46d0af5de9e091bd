"""The quantisation schemes: which numbers an element may become, which elements share a scale, and what that scale is.

All are symmetric, without a zero point. The scale of a block is a function of its largest magnitude, `peak`, and of the
whole tensor's, `top`.
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
    """Elements of a block become numbers of `grid`, times `scale(peak, top)`."""

    grid: Integers | Floats
    block: Block
    scale: Callable[
        [Tensor, Tensor, float], Tensor
    ]  # (blocks' peaks, the tensor's peak, largest of the grid)

    @property
    def nested(self) -> bool:
        """Scales of blocks are stored relative to the tensor's, which must be known first."""
        return self.scale is nested

    @property
    def clips(self) -> bool:
        """A peak may lie beyond the largest value, because scales are rounded."""
        return self.scale is not full


def full(peak: Tensor, top: Tensor, largest: float) -> Tensor:
    """absmax / largest: the peak is the largest value."""
    return peak / largest


def binary(peak: Tensor, top: Tensor, largest: float) -> Tensor:
    """2^(floor(log2 absmax) - 2), an E8M0 number (OCP Microscaling Formats 1.0: 2 is the exponent of E2M1's 6)."""
    return (power_below(peak, torch.empty_like(peak)) / 4).clamp(2.0**-127, 2.0**127)


def nested(peak: Tensor, top: Tensor, largest: float) -> Tensor:
    """s e4m3(absmax / (6 s)) with s = top / (6 * 448): a block's scale is itself a number of 8 bits.

    absmax / (6 s) is 448 absmax / top, with a single rounding: bf16 often has it halfway between two numbers of e4m3.
    """
    ratio = peak * E4M3.largest / top.clamp(min=torch.finfo(top.dtype).tiny)
    return E4M3.nearest_(ratio, torch.empty_like(ratio)) * (top / (largest * E4M3.largest))


SCHEMES = {
    "int8": Scheme(Integers(127.0), (1, None), full),
    "int4_g128": Scheme(Integers(7.0), (1, 128), full),
    "int4_g32": Scheme(Integers(7.0), (1, 32), full),
    "fp8_e4m3": Scheme(E4M3, (None, None), full),
    "fp8_e4m3_b128": Scheme(E4M3, (128, 128), full),
    "mxfp4": Scheme(E2M1, (1, 32), binary),
    "nvfp4": Scheme(E2M1, (1, 16), nested),
}
