"""A dict key as a tensor's name: text as it is, whatever else in the form that a person would write it.

Python 2 wrote names as bytes, scripts use numbers, tuples and types. What stands for several values of a pickle is
named by what made it; the interpreter sets its place in the dict beside it, so that no two keys are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import limits
from .torch_values import Encoded, Inert, Kind, RefusedError

PARTS = 16  # of a tuple that is a key
LONGEST = 4 * limits.NAME + 4  # bytes: what is cut here is over the limit of a name in any encoding


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a pickled dict that is no text; equal where Python's keys are equal, by its parts in words.

    A file can choose numbers whose hashes agree, and a dict of such numbers, or of tuples of them, takes quadratic
    time. The hashes of text and bytes differ from process to process: nothing can be chosen to agree.
    """

    parts: tuple[str | bytes, ...]
    value: object = field(compare=False)


def key_of(value: object, place: int) -> object:
    """What stands for a key in a dict: text and bytes as they are, plain values and tuples of them as a Key.

    `place` tells keys apart that are equal and are not one: inert records, and NaN.

    >>> key_of("w", 0), key_of(7, 0) == key_of(7.0, 1), key_of((7, "w"), 0) == key_of(("7", "w"), 1)
    ('w', True, False)
    """
    if isinstance(value, (str, bytes)):
        return value
    parts = value if isinstance(value, tuple) else (value,)
    if len(parts) > PARTS:
        raise RefusedError(f"a dict key of {len(parts)} parts")
    words = tuple(word for part in parts for word in _word(part, place))
    named = (*parts, place) if any(isinstance(part, Inert) for part in parts) else value
    return Key((type(value).__name__ if isinstance(value, tuple) else "", *words), named)


def _word(value: object, place: int) -> tuple[str | bytes, ...]:
    """A plain value as (what it is, how it is written); numbers that are equal are written alike."""
    match value:
        case None:
            return "none", ""
        case str() | bytes():
            return type(value).__name__, value
        case float() if value.is_integer() and abs(value) < 1 << 63:
            return "number", str(int(value))
        case float():
            return "number", str(value) if value == value else f"nan {place}"
        case int() if abs(value) < 1 << 63:  # True is 1
            return "number", str(int(value))
        case Encoded():
            return "encoded", value.text
        case Kind():
            return "kind", f"{value.dtype} {value.width} {value.note and value.note.text}"
        case Inert():
            return value.name, f"at {place}"
    raise RefusedError(f"a dict key of type {type(value).__name__}")


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
        case Key():
            return name_of(key.value)
        case Inert():
            return key.name
        case Kind():
            return key.dtype
        case tuple():
            return f"({', '.join(map(_part, key))})"
        case int() if key.bit_length() > 64:  # Python writes no number of thousands of digits
            return hex(key)
    return str(key)


def decoded(raw: bytes) -> str:
    """Bytes as text: UTF-8, else latin-1, in which any bytes are text."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _part(key: object) -> str:
    """One of the keys of a tuple, text in quotes."""
    name = name_of(key)[: limits.NAME + 1]
    return repr(name) if isinstance(key, str) else name
