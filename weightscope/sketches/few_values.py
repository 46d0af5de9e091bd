"""The distinct values of a large float tensor while they are few.

Bins do not show lattices and codebooks. For an ordinary tensor a sample of its first tile proves
that it has too many values. For others a table decides nearly every element, and only elements
missing from it are sorted. The result is the set of all values, for any tiling. Zero is excluded:
it has a count of its own, and its sign has no meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    from .tile import Scratch

FEW = 4096  # values: lattices have 16 weights to each, and bins more than 65,536
SAMPLES = (8192, 65536)  # elements: 8,192 of ordinary tensors have about 7,700 different codes
SCRAMBLE = 0x7FEB352D  # odd, with its bits spread (lowbias32, Wellons 2018)


def extended(values: Tensor | None, x: Tensor, scratch: Scratch) -> Tensor | None:
    """`values` and the finite non-zero values of x; None where these are more than FEW."""
    if values is None:
        return None
    # An ordinary tensor ends here: a sample alone has too many values. Differences of 16-bit types
    # repeat more often, so that only the larger sample has.
    for size in SAMPLES:
        sample = _finite_nonzero(_sample(x, size))
        if _exceeds_few(sample):
            return None
    values = torch.cat((values, sample))
    missing = _finite_nonzero(_missing(x, values, scratch))
    if _exceeds_few(_sample(missing, SAMPLES[0])):
        return None
    return union(values, missing)


def union(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """The values of both, ascending; None where they are more than FEW, or one is unknown."""
    if a is None or b is None:
        return None
    values: Tensor = torch.unique(torch.cat((a, b)))
    if len(values) > FEW:
        return None
    return values


def _sample(x: Tensor, size: int) -> Tensor:
    step = len(x) // size | 1  # odd, so that it meets every column of rows of 2^k
    return x[::step]


def _finite_nonzero(x: Tensor) -> Tensor:
    return x[x.isfinite() & (x != 0)]


def _missing(x: Tensor, values: Tensor, scratch: Scratch) -> Tensor:
    """Elements of x that a table of `values` by code lacks; it has one value per code."""
    table = scratch.take("table", (65536,), x.dtype).zero_()
    table[_codes(values)] = values
    codes = _codes(x, scratch.take("codes", tuple(x.shape), _word(x)))
    held = scratch.take("held", tuple(x.shape), x.dtype)
    torch.index_select(table, 0, codes, out=held)
    differs = torch.ne(held, x, out=held)  # in the type of x, then bool: twice as fast
    return x[differs.bool()]


def _exceeds_few(x: Tensor) -> bool:
    """Whether x has more than FEW codes, and so more values."""
    counts = torch.bincount(_codes(x), minlength=65536)
    return int(counts.count_nonzero()) > FEW


def _codes(x: Tensor, out: Tensor | None = None) -> Tensor:
    """16 bits of each float32 or float64 word, the same for equal values, seldom for others."""
    product = torch.mul(x.view(_word(x)), SCRAMBLE, out=out)
    shift = 8 * x.element_size() - 16
    return product.bitwise_right_shift_(shift).bitwise_and_(0xFFFF)


def _word(x: Tensor) -> torch.dtype:
    if x.dtype == torch.float64:
        return torch.int64
    return torch.int32
