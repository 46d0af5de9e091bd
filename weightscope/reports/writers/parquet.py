"""Parquet: types as the columns declare them, NaN kept apart from null, provenance in the metadata key `weightscope`.

Rows are converted in batches, so that a table of millions of counts does not stand in memory twice.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, BinaryIO

from ...columns import Column
from ...lazy import parquet, pyarrow
from ..screen import Screen
from ..tables import Table
from ..values import Value
from .json import dumps
from .writer import Writer

BATCH = 1 << 16  # rows converted at a time: tens of MB of Python values at 60 columns
_TYPES = {"str": "string", "int": "int64", "float": "float64", "bool": "bool_"}


def schema(table: Table) -> Any:
    """The Arrow schema of a table: every column nullable, its meaning and version beside it."""
    fields = [
        pyarrow.field(c.name, getattr(pyarrow, _TYPES[c.dtype])(), metadata=_about(c))
        for c in table.records
    ]
    return pyarrow.schema(fields, metadata={"weightscope": dumps(table.provenance)})


def _about(column: Column) -> dict[str, str]:
    about = {
        "meaning": column.meaning,
        "unit": column.unit,
        "source": column.source,
        "error": column.error,
    }
    return {key: value for key, value in about.items() if value} | {"version": str(column.version)}


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    form, rows = schema(table), table.values(table.records)
    with parquet.ParquetWriter(stream, form) as writer:
        while batch := list(islice(rows, BATCH)):
            writer.write_table(_batch(batch, form))


def _batch(rows: list[list[Value]], form: Any) -> Any:
    columns = [
        pyarrow.array([_carried(v) for v in values], field.type)
        for values, field in zip(zip(*rows, strict=True), form, strict=True)
    ]
    return pyarrow.Table.from_arrays(columns, schema=form)


def _carried(value: Value) -> Value:
    """Text that UTF-8 can carry: a lone surrogate as its escape."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


PARQUET = Writer("parquet", (".parquet", ".pq"), _write, binary=True)
