"""Values of keywords in the types of their records: a value of another type is refused.

The command line has typed values already. From Python any object may arrive: numpy scalars and
ranges are converted, and what would fail later, far from the call, is a UsageError. None stands for
the default.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from .errors import UsageError
from .options import Declared

SHOWN = 60  # characters of a refused value
WORDS = {  # by the type in a record: what a keyword takes, and an example
    "str": ("a text", "write it in quotes"),
    "str | Path": ("a path", "write it in quotes"),
    "int": ("a whole number", "write a number such as 3"),
    "float": ("a number", "write a number such as 0.5"),
    "int | str": ("a size such as '4GiB'", "write bytes, or a number and a unit"),
    "bool": ("True or False", "write one of them without quotes"),
    "tuple[str, ...]": ("a text or a list of texts", "write each in quotes"),
    "layers": ("a text such as '0-3,10', or whole numbers", "write layers=3 or layers=[0, 1]"),
}


def converted(option: Declared, value: Any) -> Any:
    """A value in the type of the record; raises UsageError.

    >>> from .options import Option
    >>> converted(Declared("layers", "str", "", Option("", numbers=True)), range(3))
    '0,1,2'
    """
    if value is None:
        return option.default
    kind = option.kind.removesuffix(" | None")
    if option.option.numbers:
        kind = "layers"
    if kind not in WORDS:  # a source, or a type of an analysis of its own
        return value
    try:
        return _value(kind, option, value)
    except (TypeError, ValueError):
        raise _refusal(option.name, kind, value) from None


def _value(kind: str, option: Declared, value: Any) -> Any:
    """The converted value; raises TypeError or ValueError for one of another type."""
    if kind == "layers":
        return _numbers(value)
    if kind == "tuple[str, ...]":
        return _texts(value)
    if kind == "int":
        return operator.index(value)
    if kind == "float":
        return _real(value)
    if kind == "bool":
        return _switch(value)
    if kind == "int | str":
        return value if isinstance(value, str) else _real(value)
    if option.option.reads:
        os.fspath(value)
        return value
    return _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    """Several texts, in their order; a single text is one."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping | bytes) or not isinstance(value, Iterable):
        raise TypeError
    return tuple(_text(item) for item in value)


def _numbers(value: Any) -> str:
    """Whole numbers as the text of the command line; in a list texts may stand beside them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | bytes | Mapping):
        raise TypeError
    if not isinstance(value, Iterable):
        return str(operator.index(value))
    return ",".join(_numbers(item) for item in value)


def _real(value: Any) -> Any:
    """A number that is no text; an integer stays one."""
    if not isinstance(value, Real):
        raise TypeError
    return value if isinstance(value, int | float) else float(value)


def _switch(value: Any) -> bool:
    """A bool, also of numpy or as 0 or 1."""
    if isinstance(value, str) or value not in (0, 1):
        raise ValueError
    return bool(value)


def _refusal(name: str, kind: str, value: Any) -> UsageError:
    """The error for a value of another type."""
    expected, advice = WORDS[kind]
    text = repr(value)
    if len(text) > SHOWN:
        text = text[:SHOWN] + "..."
    return UsageError(f"{name} takes {expected}", f"found {type(value).__name__} {text}", advice)
