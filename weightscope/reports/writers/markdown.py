"""A table in GitHub's Markdown: full precision, numbers to the right."""

from __future__ import annotations

import re
from typing import BinaryIO

from ...escape import escaped
from ..screen import Screen
from ..tables import Table
from ..values import Value, exact
from .csv import encoded
from .writer import Writer

# what GitHub interprets as markup, as a mention or as the end of a cell
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&$@])")


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    columns = table.data
    rule = ["---" if c.dtype == "str" else "---:" for c in columns]
    names = [_cell(column.name) for column in columns]
    stream.write(encoded(_line(names)))
    stream.write(encoded(_line(rule)))
    for values in table.values(columns):
        cells = [_cell(value) for value in values]
        stream.write(encoded(_line(cells)))


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return _SPECIAL.sub(r"\\\1", escaped(value))
    return exact(value)


MARKDOWN = Writer("markdown", (".md", ".markdown"), "a table for an issue or a summary", _write)
