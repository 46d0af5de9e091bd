"""The tables of stored reports: names of columns first, rows when they are iterated.

A file that ends too early or cannot be decoded is damaged (CheckpointError); a file that no run of
weightscope can have written is the wrong file (UsageError).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ..errors import CheckpointError, UsageError
from ..escape import escaped, listed, quoted, shown
from ..lazy import parquet, pyarrow

CELLS = 100_000_000  # of a table: Python values of a larger one exceed any memory
NAME = re.compile(r"[a-z][a-z0-9_]*")
AGAIN = "write the report again"
CUT = "unexpected end of data"  # Python's reason for bytes that end inside a character
_KEY = b"weightscope"  # of the metadata of a Parquet file


@dataclass(frozen=True, eq=False)
class StoredTable:
    """Names of columns, and the rows as they are stored.

    `metadata` is the JSON text of the provenance in the file, None where there is none. `texts`:
    every value is text, as in CSV. `finite`: NaN and Inf are stored as null, as in JSON.
    """

    names: tuple[str, ...]
    rows: Callable[[], Iterator[Sequence[object]]]
    metadata: bytes | None = None
    texts: bool = False
    finite: bool = False


def damaged(path: str, found: str) -> NoReturn:
    """Refuses a file that is not whole."""
    raise CheckpointError(f"{escaped(path)}: expected a whole report", f"found {found}", AGAIN)


def wrong(path: str, found: str) -> NoReturn:
    """Refuses a file that is no report."""
    raise UsageError(
        f"{escaped(path)}: expected a report that weightscope wrote",
        f"found {found}",
        "name the file of an earlier run, as written by --output",
    )


def csv_table(path: str) -> StoredTable:
    """A CSV file: one header line, then the rows."""
    text = text_of(path)
    if not text:
        damaged(path, "an empty file")
    if not text.endswith("\n"):
        damaged(path, "the end in the middle of a line")
    header = next(_lines(path, text))
    names = _checked(path, header)

    def rows() -> Iterator[Sequence[object]]:
        lines = _lines(path, text)
        next(lines)
        for number, fields in enumerate(lines, 1):
            if not fields:
                continue  # an empty line at the end, which editors add
            if len(fields) != len(names):
                damaged(path, f"{len(fields)} of {len(names)} fields in row {number}")
            yield fields

    return StoredTable(names, rows, texts=True)


def json_table(path: str) -> StoredTable:
    """An array of records; the first one has the names of the columns."""
    text = text_of(path)
    array = text.lstrip()
    if not array:
        damaged(path, "an empty file")
    if not array.startswith("["):
        wrong(path, f"no array of records: {shown(array)}")
    records = array[1:].lstrip()
    if records.startswith("]"):
        wrong(path, "no rows: without them a JSON report has no columns")
    if records and not records.startswith("{"):
        wrong(path, f"no array of records: {shown(array)}")
    try:
        first, _ = json.JSONDecoder().raw_decode(records)
    except (ValueError, RecursionError) as error:
        damaged(path, _reason(error))
    names = _checked(path, list(first))

    def rows() -> Iterator[Sequence[object]]:
        for number, record in enumerate(_records(path, text), 1):
            if not isinstance(record, dict) or record.keys() != first.keys():
                wrong(path, f"other columns in row {number}")
            yield [record[name] for name in names]

    return StoredTable(names, rows, finite=True)


def parquet_table(path: str) -> StoredTable:
    """A Parquet file: names from its schema, provenance from its metadata."""

    def read(use: Callable[[Any], Any]) -> Any:
        """What `use` returns for the open file."""
        try:
            with parquet.ParquetFile(path) as file:
                return use(file)
        # pyarrow's errors are ValueErrors and OSErrors, and errors of types of their own
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            return damaged(path, f"no readable Parquet: {_reason(error)}")

    schema, count = read(lambda file: (file.schema_arrow, file.metadata.num_rows))
    names = _checked(path, schema.names)
    if count * len(names) > CELLS:
        wrong(path, f"a table of {count} rows")
    metadata: Mapping[bytes, bytes] = schema.metadata or {}

    def rows() -> Iterator[Sequence[object]]:
        return zip(*read(_columns), strict=True)

    return StoredTable(names, rows, metadata.get(_KEY))


def text_of(path: str) -> str:
    """The text of a file; a byte order mark, which spreadsheets add, is left out."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        if error.reason == CUT:
            damaged(path, "the end in the middle of a character")
        wrong(path, "no text in UTF-8")
    except OSError as error:
        unreadable(path, error)


def unreadable(path: str, error: OSError) -> NoReturn:
    """Refuses a file that the system does not open."""
    raise CheckpointError(
        f"{escaped(path)}: expected a readable file",
        f"found: {error.strerror or error}",
        "check the name and the permissions",
    ) from None


def _lines(path: str, text: str) -> Iterator[list[str]]:
    """The fields of each line; raises CheckpointError where quotes are left open."""
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        damaged(path, _reason(error))


def _records(path: str, text: str) -> Sequence[object]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        damaged(path, _reason(error))
    assert isinstance(records, list)  # the text begins with a bracket
    return records


def _columns(file: Any) -> list[list[object]]:
    table = file.read(use_threads=False)
    return [column.to_pylist() for column in table.columns]


def _checked(path: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns, each once."""
    odd = [name for name in names if not NAME.fullmatch(name)]
    if odd or not names:
        wrong(path, f"the columns {listed(names)}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        wrong(path, f"the column {quoted(twice)} twice")
    return tuple(names)


def _reason(error: Exception) -> str:
    """The first line of a library's message, without the full stop."""
    lines = str(error).splitlines() or [type(error).__name__]
    return escaped(lines[0].rstrip("."))
