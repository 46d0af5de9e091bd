"""CSV quoted as in RFC 4180, but with plain line feeds, for `sort`, `cut` and `tail`.

One header line and nothing before it. A null is an empty field, an empty string is `""`. On a
terminal, and only there, unprintable characters of names are escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO

from ...escape import escaped
from ..screen import Screen
from ..tables import Table
from ..values import Value, exact
from .writer import Writer


def lines(table: Table, separator: str, visible: bool) -> Iterator[str]:
    """The lines of a table, header first; `visible`: escape unprintable characters."""
    columns = table.data
    yield separator.join(column.name for column in columns) + "\n"
    for values in table.values(columns):
        fields = []
        for value in values:
            if visible and isinstance(value, str):
                value = escaped(value)
            fields.append(_field(value, separator))
        line = separator.join(fields)
        # readers skip an empty line, which a single null would make
        yield (line or '""') + "\n"


def _field(value: Value, separator: str) -> str:
    """A value as a field; quotes distinguish an empty string from a null."""
    text = exact(value)
    if isinstance(value, str) and _is_quoted(text, separator):
        return '"' + text.replace('"', '""') + '"'
    return text


@lru_cache(maxsize=256)
def _is_quoted(text: str, separator: str) -> bool:
    """Whether a text needs quotes; without a regular expression: tables are long."""
    # RFC 4180 does not ask for quotes around outer spaces, but many readers strip them otherwise
    if not text or text[0].isspace() or text[-1].isspace():
        return True
    return separator in text or '"' in text or "\n" in text or "\r" in text


def encoded(text: str) -> bytes:
    """UTF-8; a lone surrogate, which UTF-8 cannot carry, as its escape."""
    return text.encode("utf-8", "backslashreplace")


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    for line in lines(table, ",", screen.terminal):
        stream.write(encoded(line))


CSV = Writer(
    "csv", (".csv",), "the default in a pipe: every digit; a null is an empty field", _write
)
