"""A table in GitHub's Markdown, for issues and job summaries: full precision, numbers to the right."""

from __future__ import annotations

import re
from typing import BinaryIO

from ...escape import escaped
from ..screen import Screen
from ..tables import Table
from ..values import Value, exact
from .csv import encoded
from .writer import Writer

_SPECIAL = re.compile(
    r"([\\`*_{}\[\]<>#|~!&$@])"
)  # what GitHub reads as markup, a mention or a cell's end


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    columns = table.data
    rule = ["---" if c.dtype == "str" else "---:" for c in columns]
    stream.write(encoded(_line([_cell(c.name) for c in columns]) + _line(rule)))
    for values in table.values(columns):
        stream.write(encoded(_line([_cell(v) for v in values])))


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _cell(value: Value) -> str:
    return _SPECIAL.sub(r"\\\1", escaped(value)) if isinstance(value, str) else exact(value)


MARKDOWN = Writer("markdown", (".md", ".markdown"), _write)
