"""A table as a pandas DataFrame in which null and NaN stay apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..columns import Column
from ..lazy import numpy as np
from ..lazy import pandas
from .tables import Table
from .values import Value

if TYPE_CHECKING:
    from pandas import DataFrame

# The value under the mask of a null; text has no mask, pandas keeps its nulls itself.
_UNDER: dict[str, Value] = {"int": 0, "float": 0.0, "bool": False}


def of(table: Table) -> DataFrame:
    """The DataFrame: Int64, Float64, boolean and string columns.

    Masked arrays are built by hand: pandas' own constructors turn NaN into null.
    """
    rows = list(table.values(table.data))
    columns = {c.name: _array(c, [row[at] for row in rows]) for at, c in enumerate(table.data)}
    return pandas.DataFrame(columns, index=pandas.RangeIndex(len(rows)))


def _array(column: Column, values: list[Value]) -> Any:
    if column.dtype == "str":
        return pandas.array(values, dtype=pandas.StringDtype("python"))
    mask = np.array([v is None for v in values], dtype=bool)
    under = [_UNDER[column.dtype] if v is None else v for v in values]
    if column.dtype == "int":
        return pandas.arrays.IntegerArray(np.array(under, dtype=np.int64), mask)
    if column.dtype == "float":
        return pandas.arrays.FloatingArray(np.array(under, dtype=np.float64), mask)
    return pandas.arrays.BooleanArray(np.array(under, dtype=bool), mask)
