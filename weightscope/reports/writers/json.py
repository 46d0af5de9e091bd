"""JSON: an array of records, one record a line, in ASCII, so that no name can control a terminal.

JSON has no NaN: a null and a value that is not finite are both `null`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from ..screen import Screen
from ..tables import Table
from .writer import Writer


def records(table: Table) -> Iterator[str]:
    """Every row as one JSON object without a line feed."""
    names = [c.name for c in table.records]
    for values in table.values(table.records):
        yield dumps(dict(zip(names, values, strict=True)))


def dumps(value: object, indent: int | None = None) -> str:
    """JSON text of any value: NaN and Inf are null, other types that JSON lacks their `str`."""
    return json.dumps(finite(value), default=str, allow_nan=False, indent=indent)


def finite(value: Any) -> Any:
    """The value with every NaN and Inf in it as None.

    >>> finite({"x": [1.0, float("nan")]})
    {'x': [1.0, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    lead = b"[\n"
    for record in records(table):
        stream.write(lead + record.encode("ascii"))
        lead = b",\n"
    stream.write(b"\n]\n" if table.rows else b"[]\n")


JSON = Writer("json", (".json",), "an array of records; NaN and Inf are null", _write)
