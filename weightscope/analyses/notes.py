"""Notes of one row."""

from __future__ import annotations


def joined(*notes: object) -> str | None:
    """Notes as one, each once, also where one of them is several; None where there is none.

    >>> joined("a", None, "", "b; c", "a; c")
    'a; b; c'
    """
    return "; ".join(dict.fromkeys(n for note in notes if note for n in str(note).split("; "))) or None
