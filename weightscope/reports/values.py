"""Values of a row as plain Python, and as text: the rules that every format shares.

A null is None. Floats are written shortest-round-trip, NaN and Inf by name, booleans as `true` and `false`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..columns import Column, Kind
from ..escape import escaped
from .spark import blocks

Value = str | int | float | bool | None

_PLAIN: Mapping[Kind, Callable[[Any], Value]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
}


def plain(row: Mapping[str, object], column: Column) -> Value:
    """The row's value of a column as the Python type that the column declares; None where it is missing.

    >>> plain({"nan": 3.0}, Column("nan", "int", "NaN values"))
    3
    """
    value = row.get(column.name)
    if isinstance(value, tuple):  # heights of a small histogram
        return blocks(value)
    return None if value is None else _PLAIN[column.dtype](value)


def exact(value: Value, null: str = "") -> str:
    """A value as text that reads back as the same value.

    >>> exact(0.1), exact(float("inf")), exact(True), exact(None)
    ('0.1', 'inf', 'true', '')
    """
    if value is None:
        return null
    return str(value).lower() if isinstance(value, bool) else str(value)


def brief(value: Value, null: str = "·") -> str:
    """A value for the eye: four significant digits, whole numbers whole, text made visible.

    >>> brief(0.0123456), brief(23456.7), brief(1e-9), brief(None)
    ('0.01235', '23457', '1e-09', '·')
    """
    if isinstance(value, float):
        return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
    return escaped(exact(value, null))
