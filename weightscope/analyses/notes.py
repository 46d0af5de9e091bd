"""Notes of one row."""

from __future__ import annotations


def joined(*notes: object) -> str | None:
    """Notes as one, each once; None where there is none.

    >>> joined("a", None, "", "b", "a")
    'a; b'
    """
    return "; ".join(dict.fromkeys(str(n) for n in notes if n)) or None
