"""Hostile text made visible: names and paths come from strangers and never reach a terminal raw."""

from __future__ import annotations


def escaped(text: str) -> str:
    r"""Control, invisible, bidirectional and surrogate characters as backslash escapes; the rest unchanged.

    >>> escaped("red\x1b[31m"), escaped("w")
    ('red\\x1b[31m', 'w')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
