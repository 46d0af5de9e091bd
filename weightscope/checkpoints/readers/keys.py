"""A dict key as the name of a tensor: text as it is, any other value in its written form.

Python 2 wrote names as bytes, scripts use numbers, tuples and types. An inert record, which may
replace several values of a pickle, is named by the function that made it; the interpreter adds its
index in the dict, so that no two keys are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import limits
from .torch_values import Encoded, Inert, Kind, Placeholder, Reference, RefusedError

PARTS = 16  # of a tuple that is a key
INERT = (Inert, Placeholder, Reference)  # values known by a name alone
LONGEST = 4 * limits.NAME + 4  # bytes: a name of more is over the limit in any encoding


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a pickled dict that is no text; equal, by its parts, where Python's keys are equal.

    A file can choose numbers whose hashes agree, and a dict of such numbers, or of tuples of them,
    takes quadratic time. The hashes of text and bytes differ from process to process, so that a
    file cannot choose them.
    """

    parts: tuple[str | bytes, ...]
    value: object = field(compare=False)


def key_of(value: object, place: int) -> object:
    """A pickled key as it is put in a dict: text and bytes as they are, other values as a Key.

    `place`, its index in the dict, distinguishes keys that look equal: inert records and NaN.

    >>> key_of("w", 0), key_of(7, 0) == key_of(7.0, 1), key_of((7, "w"), 0) == key_of(("7", "w"), 1)
    ('w', True, False)
    """
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, tuple):
        parts = value
    else:
        parts = (value,)
    if len(parts) > PARTS:
        raise RefusedError(f"a dict key of {len(parts)} parts")
    words: list[str | bytes] = [type(value).__name__ if isinstance(value, tuple) else ""]
    for part in parts:
        words += _word(part, place)
    if any(isinstance(part, INERT) for part in parts):
        return Key(tuple(words), (*parts, place))
    return Key(tuple(words), value)


def _word(value: object, place: int) -> tuple[str | bytes, ...]:
    """A plain value as (type, written form); equal numbers have equal forms, as in Python."""
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
            reason = value.note and value.note.text
            return "kind", f"{value.dtype} {value.width} {reason}"
        case Inert() | Placeholder() | Reference():
            return value.name, f"at {place}"
    raise RefusedError(f"a dict key of type {type(value).__name__}")


def name_of(key: object) -> str:
    """The name of a tensor under a key.

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
        case Inert() | Placeholder() | Reference():
            return key.name
        case Kind():
            return key.dtype
        case tuple():
            parts = ", ".join(_part(part) for part in key)
            return f"({parts})"
        case int() if key.bit_length() > 64:  # Python writes no number of thousands of digits
            return hex(key)
    return str(key)


def decoded(raw: bytes) -> str:
    """Bytes as text: UTF-8, else latin-1, which decodes any bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _part(key: object) -> str:
    """One part of a tuple, text in quotes."""
    name = name_of(key)[: limits.NAME + 1]
    if isinstance(key, str):
        return repr(name)
    return name
