"""CSV as RFC 4180 quotes it, with plain line feeds so that `sort`, `cut` and `tail` see no stray carriage return.

One header line and nothing before it. A null is an empty field and an empty string is `""`, so the two differ.
To a terminal, and only there, unprintable characters of names are made visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from ...escape import escaped
from ..screen import Screen
from ..tables import Table
from ..values import Value, exact
from .writer import Writer


def lines(table: Table, separator: str, visible: bool) -> Iterator[str]:
    """The lines of a table, header first."""
    columns = table.data
    yield separator.join(c.name for c in columns) + "\n"
    odd = re.compile(f'[{separator}"\r\n]|^\\s|\\s$')
    for values in table.values(columns):
        fields = [_field(escaped(v) if visible and isinstance(v, str) else v, odd) for v in values]
        yield (
            separator.join(fields) if fields != [""] else '""'
        ) + "\n"  # readers skip an empty line


def _field(value: Value, odd: re.Pattern[str]) -> str:
    text = exact(value)
    return '"' + text.replace('"', '""') + '"' if value == "" or odd.search(text) else text


def encoded(text: str) -> bytes:
    """UTF-8; a lone surrogate, which UTF-8 cannot carry, as its escape."""
    return text.encode("utf-8", "backslashreplace")


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    for line in lines(table, ",", screen.terminal):
        stream.write(encoded(line))


CSV = Writer("csv", (".csv",), _write)
