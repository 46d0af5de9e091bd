"""Counts of ones among words that are 0 or 1, eight bytes at a time.

Comparisons into bool take six times as long as an exclusive or, and counting a bool tensor twice as
long as adding its bytes as lanes of 64-bit words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

# 64-bit words that may be added before a lane overflows, by the bytes of a lane
ADDENDS = {1: 255, 2: 32767, 4: 1 << 24}


def differing(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """1 where integers of one type differ, else 0, in that type.

    >>> a, b = torch.tensor([3, -4, 5]), torch.tensor([3, 4, 5])
    >>> differing(a, b, torch.empty_like(a)).tolist()
    [0, 1, 0]
    """
    torch.bitwise_xor(a, b, out=out)
    torch.sign(out, out=out)
    return out.abs_()


def ones(words: Tensor) -> int:
    """The number of ones in a flat tensor of bool or of integers that are 0 or 1.

    >>> ones(torch.tensor([1, 0, 1, 1, 0, 0, 1, 0, 1], dtype=torch.int16))
    5
    """
    if not is_long(words) or words.element_size() not in ADDENDS:
        return int(words.sum(dtype=torch.int64))
    lanes = words.view(torch.int64)
    run = max(1, min(ADDENDS[words.element_size()], len(lanes)))
    whole = len(lanes) // run * run
    sums = lanes[:whole].view(-1, run).sum(1)
    rest = lanes[whole:]
    lane = words.dtype if words.dtype != torch.bool else torch.uint8
    total = sums.view(lane).sum(dtype=torch.int64) + rest.view(lane).sum(dtype=torch.int64)
    return int(total)


def is_long(words: Tensor) -> bool:
    """Whether the bytes of a flat tensor can be read as 64-bit words."""
    width = words.element_size()
    sizes = (words.numel() * width, words.storage_offset() * width, words.data_ptr())
    return not any(size % 8 for size in sizes)


def any_of_rows(words: Tensor) -> Tensor:
    """(rows,) whether a row of (rows, columns) has a one; 64 bits at a time where they fit."""
    if words.shape[1] * words.element_size() % 8 == 0 and is_long(words.flatten()):
        return words.view(torch.int64).amax(1) > 0
    return words.bool().any(1)  # torch's any of bytes gives bytes
