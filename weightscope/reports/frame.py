"""A table as a pandas DataFrame that keeps null and NaN apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..columns import Column
from ..lazy import numpy as np
from ..lazy import pandas
from .tables import Table
from .values import Value

if TYPE_CHECKING:
    from pandas import DataFrame

# Placeholder under the mask of a null; text has no mask, pandas stores its nulls itself.
_PLACEHOLDER: dict[str, Value] = {"int": 0, "float": 0.0, "bool": False}


def of(table: Table) -> DataFrame:
    """The DataFrame: Int64, Float64, boolean and string columns.

    Masked arrays are built by hand: pandas' own constructors turn NaN into null.
    """
    rows = list(table.values(table.data))
    columns = {}
    for i, column in enumerate(table.data):
        columns[column.name] = _array(column, [row[i] for row in rows])
    return pandas.DataFrame(columns, index=pandas.RangeIndex(len(rows)))


def _array(column: Column, values: list[Value]) -> Any:
    if column.dtype == "str":
        return pandas.array(values, dtype=pandas.StringDtype("python"))
    is_null = np.array([value is None for value in values], dtype=bool)
    placeholder = _PLACEHOLDER[column.dtype]
    filled = [placeholder if value is None else value for value in values]
    if column.dtype == "int":
        return pandas.arrays.IntegerArray(np.array(filled, dtype=np.int64), is_null)
    if column.dtype == "float":
        return pandas.arrays.FloatingArray(np.array(filled, dtype=np.float64), is_null)
    return pandas.arrays.BooleanArray(np.array(filled, dtype=bool), is_null)
