"""Escapes for text of unknown origin: names and paths never reach a terminal raw.

`shown` and `quoted` format any value of a file for a message, with bounded time and length, however
long, deep or self-nested the value is. Nothing else may format values of a file.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized

LONGEST = 80  # characters of a value in a message
NAMED = 200  # characters of a tensor's name in a message
LISTED = 10  # names that a message lists before it counts the rest
_BITS = 256  # of an integer that is written in digits
_PLAIN = (bool, float, complex, type(None))


def escaped(text: str) -> str:
    r"""Control, invisible, bidirectional and surrogate characters as backslash escapes.

    >>> escaped("red\x1b[31m"), escaped("w")
    ('red\\x1b[31m', 'w')
    """
    if text.isprintable():  # nearly all names
        return text
    return "".join(_escaped_character(character) for character in text)


def _escaped_character(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def shown(value: object, length: int = LONGEST) -> str:
    r"""Any value of a file for a message: escaped, shortened, containers by their size alone.

    >>> shown("a\nb"), shown("x" * 90)[-5:], shown(b"PK"), shown(((1, 2), 3)), shown(1 << 9999)
    ('a\\nb', 'xx...', "b'PK'", 'a tuple of 2', 'an integer of 10000 bits')
    """
    if isinstance(value, str):
        return escaped(value[:length]) + _ellipsis(value, length)
    if isinstance(value, (bytes, bytearray)):
        return repr(bytes(value[:length])) + _ellipsis(value, length)
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, int):
        bits = value.bit_length()
        # Python formats no number of thousands of digits
        if bits <= _BITS:
            return str(int(value))
        return f"an integer of {bits} bits"
    name = type(value).__name__
    if isinstance(value, Sized):
        return f"a {name} of {len(value)}"
    return f"a {name}"


def _ellipsis(value: Sized, length: int) -> str:
    return "..." if len(value) > length else ""


def quoted(text: str, length: int = NAMED) -> str:
    """A name of a file in quotation marks, shortened.

    >>> quoted("w"), quoted("x" * 300)[-6:]
    ("'w'", "xx'...")
    """
    return repr(text[:length]) + _ellipsis(text, length)


def listed(names: Sequence[str], length: int = 100, most: int = LISTED) -> str:
    """Names for a message: the first `most`, then the number of the others.

    >>> listed(list("abcdefghijklm"))
    'a, b, c, d, e, f, g, h, i, j and 3 more'
    """
    text = ", ".join(shown(name, length) for name in names[:most])
    more = len(names) - most
    if more > 0:
        text += f" and {more} more"
    return text
