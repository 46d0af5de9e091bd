"""The distinct values of a large float tensor while they are few: what bins do not tell of lattices and codebooks.

An ordinary tensor is done with a sample of its first tile, which proves that it has more values than are followed. Of
others a table answers nearly every element, and only what it does not know is sorted. The answer is that of the set of
all values, however they are cut. Zero is left out: it has a count of its own, and a sign that says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    from .tile import Scratch

FEW = 4096  # values: lattices have 16 weights to each, and bins more than 65,536
SAMPLE = 8192  # elements: of ordinary ones 7,700 scramble to codes of their own
SCRAMBLE = 0x7FEB352D  # odd, with its bits spread (lowbias32, Wellons 2018)


def extended(known: Tensor | None, x: Tensor, scratch: Scratch) -> Tensor | None:
    """`known` and the finite values of x other than 0; None where these are more than FEW."""
    if known is None or _varied(sample := _counting(_sample(x))):
        return None
    known = torch.cat((known, sample))
    table = scratch.take("table", (65536,), x.dtype).zero_()
    table[_codes(known)] = known  # of values with the same code any
    codes = _codes(x, scratch.take("codes", tuple(x.shape), _word(x)))
    held = torch.index_select(table, 0, codes, out=scratch.take("held", tuple(x.shape), x.dtype))
    new = _counting(x[torch.ne(held, x, out=held).bool()])  # by way of x's type: twice as fast
    return None if _varied(_sample(new)) else union(known, new)


def union(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """What is in either, ascending; None where that is more than FEW values, or one is unknown."""
    found = None if a is None or b is None else torch.unique(torch.cat((a, b)))
    return found if found is not None and len(found) <= FEW else None


def _sample(x: Tensor) -> Tensor:
    return x[:: len(x) // SAMPLE | 1]  # an odd step meets every column of rows of 2^k


def _counting(x: Tensor) -> Tensor:
    """What counts as a value: finite and not 0."""
    return x[x.isfinite() & (x != 0)]


def _varied(x: Tensor) -> bool:
    """Whether x has more than FEW codes, and so more values."""
    return int(torch.bincount(_codes(x), minlength=65536).count_nonzero()) > FEW


def _codes(x: Tensor, out: Tensor | None = None) -> Tensor:
    """16 bits of each word of float32 or float64: equal values have equal ones, and different ones seldom."""
    product = torch.mul(x.view(_word(x)), SCRAMBLE, out=out)
    return product.bitwise_right_shift_(8 * x.element_size() - 16).bitwise_and_(0xFFFF)


def _word(x: Tensor) -> torch.dtype:
    return torch.int64 if x.dtype == torch.float64 else torch.int32
