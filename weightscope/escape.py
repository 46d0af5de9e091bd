"""Hostile text made visible: names and paths come from strangers and never reach a terminal raw.

`shown` and `quoted` write any value of a file for a message: what they cost and return is bounded, however long, deep
or self-nested the value is. Nothing else may format what a file holds.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized

LONGEST = 80  # characters of a value in a message
NAMED = 200  # characters of a tensor's name in a message
LISTED = 10  # names that a message lists before it counts the rest
_DIGITS = 256  # bits of an integer that is written out
_PLAIN = (bool, float, complex, type(None))


def escaped(text: str) -> str:
    r"""Control, invisible, bidirectional and surrogate characters as backslash escapes; the rest unchanged.

    >>> escaped("red\x1b[31m"), escaped("w")
    ('red\\x1b[31m', 'w')
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def shown(value: object, length: int = LONGEST) -> str:
    r"""Any value of a file for a message: escaped, cut, containers by their size alone.

    >>> shown("a\nb"), shown("x" * 90)[-5:], shown(b"PK"), shown(((1, 2), 3)), shown(1 << 9999)
    ('a\\nb', 'xx...', "b'PK'", 'a tuple of 2', 'an integer of 10000 bits')
    """
    if isinstance(value, str):
        return escaped(value[:length]) + "..." * (len(value) > length)
    if isinstance(value, (bytes, bytearray)):
        return repr(bytes(value[:length])) + "..." * (len(value) > length)
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, int):
        bits = value.bit_length()
        return str(int(value)) if bits <= _DIGITS else f"an integer of {bits} bits"
    kind = type(value).__name__
    return f"a {kind} of {len(value)}" if isinstance(value, Sized) else f"a {kind}"


def quoted(text: str, length: int = NAMED) -> str:
    """A name of a file in quotation marks, cut.

    >>> quoted("w"), quoted("x" * 300)[-6:]
    ("'w'", "xx'...")
    """
    return repr(text[:length]) + "..." * (len(text) > length)


def listed(names: Sequence[str], length: int = 100) -> str:
    """Names as a message lists them: ten, then a count.

    >>> listed(list("abcdefghijklm"))
    'a, b, c, d, e, f, g, h, i, j and 3 more'
    """
    more = len(names) - LISTED
    return ", ".join(shown(name, length) for name in names[:LISTED]) + (
        f" and {more} more" if more > 0 else ""
    )
