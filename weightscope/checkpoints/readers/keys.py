"""A dict key as a tensor's name: text as it is, whatever else in the form that a person would write it.

Python 2 wrote names as bytes, scripts use numbers, tuples and types. What stands for several values of a pickle is
named by what made it; the interpreter sets its place in the dict beside it, so that no two keys are one.
"""

from __future__ import annotations

from .. import limits
from .torch_values import Encoded, Inert, Kind

LONGEST = 4 * limits.NAME + 4                   # bytes: what is cut here is over the limit of a name in any encoding


def name_of(key: object) -> str:
    """The name that a key gives.

    >>> [name_of(key) for key in ("w", b"w", 7, None, (0, "w"), Kind("F32", 4))]
    ['w', 'w', '7', 'None', "(0, 'w')", 'F32']
    """
    match key:
        case str():
            return key
        case bytes():
            return decoded(key[:LONGEST])
        case Encoded():
            return decoded(key.text[:LONGEST].encode("latin-1", "backslashreplace"))
        case Inert():
            return key.name
        case Kind():
            return key.dtype
        case tuple():
            return f"({', '.join(map(_part, key))})"
    return str(key)


def decoded(raw: bytes) -> str:
    """Bytes as text: UTF-8, else latin-1, in which any bytes are text."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _part(key: object) -> str:
    """One of the keys of a tuple, text in quotes."""
    name = name_of(key)[:limits.NAME + 1]
    return repr(name) if isinstance(key, str) else name
