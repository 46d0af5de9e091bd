"""The order in which rows stand: natural, so that `h.2` comes before `h.10`."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[tuple[str, int, str], ...]:
    """Sort key that compares runs of digits as numbers; the digits themselves break ties, so the order is total.

    >>> sorted(["h.10", "h.2", "h.02"], key=natural)
    ['h.02', 'h.2', 'h.10']
    """
    parts = _DIGITS.split(name)
    texts, numbers = parts[::2], [*parts[1::2], ""]
    # A run is compared by its length without leading zeros, then as text: no integer of 4,000 digits is ever made.
    return tuple((t, len(n.lstrip("0")), n.lstrip("0") + " " + n) for t, n in zip(texts, numbers, strict=True))
