"""The distinct values of a large float tensor and their counts, while the values are few.

Bins do not show lattices and codebooks. For an ordinary tensor a sample of its first tile proves
that it has too many values. For others a table decides nearly every element, and only elements
missing from it are sorted. The result is the set of all values with exact counts, for any tiling.
Zero is excluded: it has a count of its own, and its sign has no meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lazy import torch
from .histogram import histogram

if TYPE_CHECKING:
    from torch import Tensor

    from .tile import Scratch

FEW = 4096  # values: lattices have 16 weights to each, and bins more than 65,536
SAMPLES = (8192, 65536)  # elements: 8,192 of ordinary tensors have about 7,700 different codes
SCRAMBLE = 0x7FEB352D  # odd, with its bits spread (lowbias32, Wellons 2018)


@dataclass(frozen=True, eq=False)
class FewValues:
    """Distinct finite values other than zero, ascending, and the int64 count of each."""

    values: Tensor
    counts: Tensor


def no_values(like: Tensor) -> FewValues:
    """No value, of the type and on the device of a tensor."""
    return FewValues(like.new_empty(0), torch.zeros(0, dtype=torch.int64, device=like.device))


def extended(few: FewValues | None, x: Tensor, scratch: Scratch) -> FewValues | None:
    """`few` and the finite non-zero values of x; None where these are more than FEW."""
    if few is None:
        return None
    # An ordinary tensor ends here: a sample alone has too many values. Differences of 16-bit types
    # repeat more often, so that only the larger sample has.
    for size in SAMPLES:
        sample = _finite_nonzero(_sample(x, size))
        if _exceeds_few(sample):
            return None
    expected = torch.unique(torch.cat((few.values, sample)))
    counts, rest = _looked_up(x, expected, scratch)
    missing = _finite_nonzero(rest)
    added: FewValues | None = FewValues(expected, counts)
    if len(missing):
        if _exceeds_few(_sample(missing, SAMPLES[0])):
            return None
        values, missing_counts = torch.unique(missing, return_counts=True)
        added = union(added, FewValues(values, missing_counts))
    elif not len(few.values) and len(expected) <= FEW:
        return added
    return union(few, added)


def exceed_few(x: Tensor) -> list[bool]:
    """Of each row of (b, elements) whether a sample has more than FEW values: one look at all."""
    step = x.shape[1] // SAMPLES[-1] | 1
    sample = x[:, ::step].contiguous()
    counted = sample.isfinite() & (sample != 0)
    # what is not counted has a code of its own, the last
    codes = torch.where(counted, _codes(sample), 65536)
    counts = histogram(codes, 65537)[:, :65536]
    exceed: list[bool] = (counts.count_nonzero(1) > FEW).tolist()
    return exceed


def union(a: FewValues | None, b: FewValues | None) -> FewValues | None:
    """The values of both with the sums of their counts; None above FEW, or where one is unknown."""
    if a is None or b is None:
        return None
    both = torch.cat((a.values, b.values))
    values, index = torch.unique(both, return_inverse=True)
    if len(values) > FEW:
        return None
    counts = torch.zeros(len(values), dtype=torch.int64, device=values.device)
    counts.index_add_(0, index, torch.cat((a.counts, b.counts)))
    return FewValues(values, counts)


def _sample(x: Tensor, size: int) -> Tensor:
    step = len(x) // size | 1  # odd, so that it meets every column of rows of 2^k
    return x[::step]


def _finite_nonzero(x: Tensor) -> Tensor:
    return x[x.isfinite() & (x != 0)]


def _looked_up(x: Tensor, expected: Tensor, scratch: Scratch) -> tuple[Tensor, Tensor]:
    """Counts in x of the expected values, and the elements that a table of them by code lacks.

    The table has one value per code: elements of the others are among those that it lacks.
    """
    table = scratch.take("table", (65536,), x.dtype).zero_()
    expected_codes = _codes(expected)
    table[expected_codes] = expected
    codes = _codes(x, scratch.take("codes", tuple(x.shape), _word(x)))
    held = scratch.take("held", tuple(x.shape), x.dtype)
    torch.index_select(table, 0, codes, out=held)
    differs = torch.ne(held, x, out=held)  # in the type of x, then bool: twice as fast
    rest = x[differs.bool()]
    by_code = torch.bincount(codes, minlength=65536)
    by_code -= torch.bincount(_codes(rest), minlength=65536)
    in_table = table[expected_codes] == expected
    counts = by_code[expected_codes] * in_table
    return counts, rest


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
