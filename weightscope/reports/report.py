"""The answer of a command: all measured rows with their columns, extra tables, panels and where they came from.

`rows` are never filtered: gates look at them. The view says what of them is shown, saved and tabled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..columns import Column, Panel
from .files import write_atomically
from .formats import default_format, format_of, writer_for
from .screen import Screen
from .tables import Table
from .view import Rows, View, arrange

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """`name` is the command; `tables` are named extra tables (`counts`); `timing` is what differs from run to run."""

    name: str
    rows: Rows
    columns: tuple[Column, ...]
    view: View = View()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, tuple[tuple[Column, ...], Rows]] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    notes: tuple[str, ...] = ()

    def arranged(self, table: str = "") -> Table:
        """The main table as the view shows it, or a named extra table whole."""
        if table:
            columns, rows = self.tables[table]
            return Table(columns, rows, self.provenance)
        return Table(*arrange(self.rows, self.columns, self.view), self.provenance, bool(self.view.columns))

    def write(self, stream: TextIO, format: str | None = None, table: str = "") -> None:
        """Writes to an open text stream such as stdout: a table on a terminal, CSV elsewhere, unless told."""
        screen = Screen.of(stream)
        writer = writer_for(format or default_format(screen), screen)
        stream.flush()
        writer.write(self.arranged(table), stream.buffer, screen)
        stream.flush()

    def save(self, path: str | Path, format: str | None = None, table: str = "") -> None:
        """Writes a file whole or not at all, in the format of its suffix unless told."""
        writer = writer_for(format_of(path, format))
        write_atomically(path, partial(_fill, self.arranged(table), writer))


def _fill(table: Table, writer: Any, stream: Any) -> None:
    writer.write(table, stream, Screen())
