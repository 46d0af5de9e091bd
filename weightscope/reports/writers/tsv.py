"""Tab-separated values: CSV's rules with a tab; a field that contains one is quoted."""

from __future__ import annotations

from typing import BinaryIO

from ..screen import Screen
from ..tables import Table
from .csv import encoded, lines
from .writer import Writer


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    for line in lines(table, "\t", screen.terminal):
        stream.write(encoded(line))


TSV = Writer("tsv", (".tsv",), "as csv, with tabs", _write)
