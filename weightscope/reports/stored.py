"""A report that weightscope wrote earlier, read back: columns, provenance, typed rows.

The suffix decides which file is a report. Provenance is inside a Parquet file; of the other formats
it is the file that `--provenance` wrote beside the report: `old.provenance.json` of `old.csv`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..columns import Column
from ..errors import UsageError
from ..escape import escaped, shown
from .stored_tables import (
    StoredTable,
    csv_table,
    damaged,
    json_table,
    parquet_table,
    text_of,
    unreadable,
    wrong,
)
from .values import Value
from .writers.csv import encoded

TABLES: Mapping[str, Callable[[str], StoredTable]] = {
    ".parquet": parquet_table,
    ".pq": parquet_table,
    ".csv": csv_table,
    ".json": json_table,
}
INDEX = ".index.json"  # names the shards of a checkpoint
BESIDE = ".provenance.json"  # replaces the suffix of a report
LARGEST = 2**62  # of an integer: the difference of two fits in 64 bits
_BOOLS = {"true": True, "false": False}


@dataclass(frozen=True, eq=False)
class StoredReport:
    """`provenance` is None where none is stored; `files` are those that were read."""

    path: str
    table: StoredTable
    provenance: Mapping[str, Any] | None
    files: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return self.table.names

    def rows(self, columns: Sequence[Column]) -> Iterator[dict[str, Value]]:
        """The values of some of its columns, in the types that these declare.

        Raises UsageError for a value of another type.
        """
        positions = [self.names.index(column.name) for column in columns]
        convert = _from_text if self.table.texts else _plain
        for number, stored in enumerate(self.table.rows(), 1):
            values: dict[str, Value] = {}
            for column, position in zip(columns, positions, strict=True):
                value = stored[position]
                try:
                    values[column.name] = convert(value, column)
                except (ValueError, KeyError):
                    wrong(
                        self.path,
                        f"{shown(value)} in the column {column.name} of row {number}, "
                        f"which has the type {column.dtype}",
                    )
            yield values


def is_stored(source: object) -> bool:
    """Whether a source is a stored report, by its suffix.

    >>> is_stored("old.csv"), is_stored("model.safetensors.index.json"), is_stored({})
    (True, False, False)
    """
    if not isinstance(source, (str, bytes, os.PathLike)):
        return False
    path = os.fsdecode(source)
    if path.endswith(INDEX) or Path(path).suffix.lower() not in TABLES:
        return False
    return "\0" in path or not os.path.isdir(path)


def stored_report(source: Any, provenance: str | os.PathLike[str] | None = None) -> StoredReport:
    """The report at a path, without its rows; `provenance`: the file that describes it.

    Raises CheckpointError for a file that cannot be read or is cut off, UsageError for a file that
    is no report.
    """
    path = os.fsdecode(source)
    try:
        with open(path, "rb"):
            pass
    except ValueError:  # a null character in the path
        wrong(path, "a null character in its name")
    except OSError as error:
        unreadable(path, error)
    table = TABLES[Path(path).suffix.lower()](path)
    beside = provenance_beside(path)
    if provenance is not None:
        file = os.fsdecode(provenance)
        return StoredReport(path, table, _read(file, text_of(file)), (path, file))
    if table.metadata is not None:
        text = table.metadata.decode("utf-8", "replace")
        return StoredReport(path, table, _read(path, text), (path,))
    if os.path.isfile(beside):
        return StoredReport(path, table, _read(beside, text_of(beside)), (path, beside))
    return StoredReport(path, table, None, (path,))


def provenance_beside(path: str) -> str:
    """The file of provenance beside a report.

    >>> provenance_beside("runs/old.v2.csv")
    'runs/old.v2.provenance.json'
    """
    return os.path.splitext(path)[0] + BESIDE


def _read(path: str, text: str) -> Mapping[str, Any]:
    """Provenance from its text, with a command, options and versions of the right types."""
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        damaged(path, "provenance that is no JSON")
    types = {"command": str, "options": dict}
    if not isinstance(about, dict):
        _refuse_provenance(path, shown(about))
    for key, kind in types.items():
        if not isinstance(about.get(key), kind):
            _refuse_provenance(path, f"{shown(about.get(key))} as its {key}")
    if not isinstance(about.get("column_versions", {}), dict):
        _refuse_provenance(path, f"{shown(about['column_versions'])} as its column_versions")
    return about


def _refuse_provenance(path: str, found: str) -> NoReturn:
    raise UsageError(
        f"{escaped(path)}: expected the provenance of a report",
        f"found {found}",
        "name the file that --provenance wrote, with --provenance-a",
    )


def _from_text(value: object, column: Column) -> Value:
    """The value of a CSV field: an empty one is null."""
    text = str(value)
    if not text:
        return None
    if column.dtype == "int":
        return _bounded(int(text))
    if column.dtype == "float":
        return float(text)
    if column.dtype == "bool":
        return _BOOLS[text]
    return text


def _plain(value: object, column: Column) -> Value:
    """The value of a JSON record or a Parquet row; raises ValueError for another type."""
    if value is None:
        return None
    if column.dtype == "str" and isinstance(value, str):
        # text formats and Parquet have no lone surrogates; JSON has
        return encoded(value).decode() or None
    if column.dtype == "bool" and isinstance(value, bool):
        return value
    if isinstance(value, bool):
        raise ValueError
    if column.dtype == "int" and isinstance(value, int):
        return _bounded(value)
    if column.dtype == "float" and isinstance(value, (int, float)):
        return _float(value)
    raise ValueError


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond float64
        raise ValueError from None


def _bounded(number: int) -> int:
    if abs(number) > LARGEST:
        raise ValueError
    return number
