"""Parquet: types as the columns declare them, NaN distinct from null, provenance in the metadata.

The metadata key is `weightscope`. Rows are converted in batches: a table of millions of counts is
not in memory twice.
"""

from __future__ import annotations

from collections.abc import Collection
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
    """The Arrow schema of a table: nullable columns, each with its meaning and version."""
    fields = []
    names = {column.name for column in table.records}
    for column in table.records:
        arrow_type = getattr(pyarrow, _TYPES[column.dtype])()
        fields.append(pyarrow.field(column.name, arrow_type, metadata=_about(column, names)))
    return pyarrow.schema(fields, metadata={"weightscope": dumps(table.provenance)})


def _about(column: Column, names: Collection[str]) -> dict[str, str]:
    """The metadata of a field; empty entries and errors that the file lacks are left out."""
    about = {
        "meaning": column.meaning,
        "unit": column.unit,
        "source": column.source,
        "error": column.error if column.error in names else "",
    }
    return {key: value for key, value in about.items() if value} | {"version": str(column.version)}


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    arrow_schema = schema(table)
    rows = table.values(table.records)
    with parquet.ParquetWriter(stream, arrow_schema) as writer:
        while batch := list(islice(rows, BATCH)):
            writer.write_table(_batch(batch, arrow_schema))


def _batch(rows: list[list[Value]], arrow_schema: Any) -> Any:
    by_column = zip(*rows, strict=True)
    columns = []
    for values, field in zip(by_column, arrow_schema, strict=True):
        encodable = [_encodable(value) for value in values]
        columns.append(pyarrow.array(encodable, field.type))
    return pyarrow.Table.from_arrays(columns, schema=arrow_schema)


def _encodable(value: Value) -> Value:
    """Text that UTF-8 can encode: a lone surrogate as its escape."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


ABOUT = (
    "types as declared, NaN and null distinct, provenance in the metadata; on each field the "
    "meaning, unit, source and version of its column, and under `error` the column of its standard "
    "error"
)
PARQUET = Writer("parquet", (".parquet", ".pq"), ABOUT, _write, binary=True)
