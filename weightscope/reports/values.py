"""Values of a row as plain Python and as text: rules that every format shares.

A null is None. Floats are written in the shortest form that reads back the same, NaN and Inf by
name, booleans as `true` and `false`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..columns import Column, Kind
from ..escape import escaped
from .spark import blocks

Value = str | int | float | bool | None

KINDS: Mapping[Kind, Callable[[Any], Value]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
}


def row_keys(row: Mapping[str, object]) -> tuple[str, ...]:
    """The columns that identify a row: its tensor, its series, its pair, or its group."""
    if row.get("tensor") is not None:
        return ("source", "tensor")
    if row.get("statistic") is not None:
        return ("source", "stack", "role", "part", "slot", "layer", "statistic")
    if row.get("index_set") is not None:
        return ("source", "stack", "a", "b", "of")
    return ("source", "role", "stack", "layer", "kind")


def plain(row: Mapping[str, object], column: Column) -> Value:
    """The row's value of a column in the type that the column declares; None if it is missing.

    >>> plain({"nan": 3.0}, Column("nan", "int", "NaN values"))
    3
    """
    return typed(row.get(column.name), KINDS[column.dtype])


def typed(value: Any, kind: Callable[[Any], Value]) -> Value:
    """A value in one of the KINDS; most values have it already."""
    if value is None or type(value) is kind:
        same: Value = value
        return same
    if isinstance(value, tuple):  # heights of a small histogram
        return blocks(value)
    return kind(value)


def exact(value: Value, null: str = "") -> str:
    """A value as text that reads back as the same value.

    >>> exact(0.1), exact(float("inf")), exact(True), exact(None)
    ('0.1', 'inf', 'true', '')
    """
    if value is None:
        return null
    if type(value) is str:  # most values of a long table
        return value
    text = str(value)
    if isinstance(value, bool):
        return text.lower()
    return text


def brief(value: Value, null: str = "·") -> str:
    """A value for a terminal: four significant digits, integers in full, text escaped.

    >>> brief(0.0123456), brief(23456.7), brief(1e-9), brief(None)
    ('0.01235', '23457', '1e-09', '·')
    """
    if isinstance(value, float):
        if 1e4 <= abs(value) < 1e7:  # .4g would write 23457 as 2.346e+04
            return f"{value:.0f}"
        return f"{value:.4g}"
    return escaped(exact(value, null))
