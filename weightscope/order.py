"""The natural order of names: `h.2` before `h.10`."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[tuple[object, ...], str]:
    """Sort key that compares runs of digits as numbers; equal numbers fall back to the spelling.

    Digits are compared by length and then as text: converting thousands of digits would be slow.

    >>> sorted(["h.10.w", "h.2.w", "h.2", "h.02.w"], key=natural)
    ['h.2', 'h.02.w', 'h.2.w', 'h.10.w']
    """
    if not _DIGITS.search(name):
        return (name,), name
    parts: list[object] = []
    for index, part in enumerate(_DIGITS.split(name)):
        if index % 2:  # a split by one group alternates between text and digits
            digits = part.lstrip("0")
            parts += (len(digits), digits)
        else:
            parts.append(part)
    return tuple(parts), name
