"""A small histogram in one line of block characters, and its stand-in where the encoding has none."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = str.maketrans({**dict(zip(BLOCKS, "._-=+*%#", strict=True)), "─": "-", "·": "-", "…": "~"})


def blocks(heights: Sequence[float]) -> str:
    """One character per height, relative to the largest; nothing at all (0, NaN) is a space.

    >>> blocks([0, 1, 4, 8])
    ' ▁▄█'
    """
    top = max((h for h in heights if math.isfinite(h)), default=0.0)
    return "".join(_block(min(1.0, h / top)) if top > 0 and h > 0 else " " for h in heights)


def ascii(text: str) -> str:
    """The characters that our own tables draw with, as ASCII.

    >>> ascii(" ▁▄█")
    ' .=#'
    """
    return text.translate(PLAIN)


def _block(share: float) -> str:
    return BLOCKS[max(0, math.ceil(share * 8) - 1)]
