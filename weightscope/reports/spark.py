"""A small histogram of block characters, and its ASCII form for other encodings."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = str.maketrans(BLOCKS + "─·…", "._-=+*%#" + "--~")


def blocks(heights: Sequence[float]) -> str:
    """One character per height, relative to the largest; 0 and NaN are spaces.

    >>> blocks([0, 1, 4, 8])
    ' ▁▄█'
    """
    finite = [height for height in heights if math.isfinite(height)]
    top = max(finite, default=0.0)
    return "".join(_block(height, top) for height in heights)


def ascii(text: str) -> str:
    """The drawing characters of our tables as ASCII.

    >>> ascii(" ▁▄█")
    ' .=#'
    """
    return text.translate(PLAIN)


def _block(height: float, top: float) -> str:
    """The block of a height in eighths of `top`; an infinite height is a full block."""
    if not (top > 0 and height > 0):  # NaN is not above 0
        return " "
    eighths = math.ceil(min(1.0, height / top) * 8)
    return BLOCKS[max(0, eighths - 1)]
