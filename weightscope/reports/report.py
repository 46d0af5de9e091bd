"""The answer of a command: all measured rows with their columns, extra tables, panels and where they came from.

`rows` are never filtered: gates look at them. The view says what of them is shown, saved and tabled.
"""

from __future__ import annotations

import html
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from ..columns import Column, Panel
from ..notes import Notes
from . import frame
from .caveats import caveats
from .failures import Failure, failures
from .files import write_atomically
from .formats import default_format, format_of, writer_for
from .gate import Gate
from .inputs import NOTHING, Inputs
from .panels import missing, shown
from .pictures import blank, check_plot, drawing, save_picture
from .screen import FILE, Screen
from .tables import Table
from .values import brief
from .view import PLAIN, Rows, View, arrange
from .writers import Writer
from .writers.json import dumps
from .writers.table import text

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """`name` is the command; `tables` are named extra tables (`counts`); `timing` is what differs from run to run."""

    name: str
    rows: Rows
    columns: tuple[Column, ...]
    view: View = PLAIN
    provenance: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, tuple[tuple[Column, ...], Sequence[Mapping[str, object]]]] = field(
        default_factory=dict
    )
    panels: tuple[Panel, ...] = ()
    notes: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()  # expressions of fail_if with the rows that match
    unmeasured: tuple[str, ...] = ()  # tensors that could not be measured
    strict: bool = False  # whether those are a failure
    reasons: tuple[str, ...] = ()  # why each automatic choice was made
    closing: str = ""  # the last line for a person: a total
    incomplete: bool = False  # a source was damaged, and what was whole of it was measured
    row_notes: tuple[Notes, ...] = ()  # of each row, as records
    inputs: Inputs = NOTHING  # what was read, which no file of the report may replace

    @property
    def table(self) -> DataFrame:
        """The rows as the view shows them, as a pandas DataFrame in which null and NaN stay apart."""
        return frame.of(self.arranged())

    def arranged(self, table: str = "") -> Table:
        """The main table as the view shows it, or a named extra table whole."""
        if table:
            columns, rows = self.tables[table]
            return Table(columns, rows, self.provenance)
        columns, rows = arrange(self.rows, self.columns, self.view)
        return Table(
            columns, rows, self.provenance, bool(self.view.columns), frozenset(self.view.columns)
        )

    @property
    def pictured(self) -> tuple[Panel, ...]:
        """The panels of the rows that the view shows, in their order."""
        return shown(self.panels, self.arranged().rows)

    @property
    def undrawn(self) -> tuple[str, ...]:
        """Which of the rows shown are not in the picture, and why, in sentences."""
        return missing(self.pictured)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why this report is a failure, with the exit code of each reason; warnings have code 0."""
        return failures(self.gates, self.unmeasured, self.strict)

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the notes of the rows shown say, in a few lines; nothing where the notes themselves are shown."""
        if {"note", "all"} & set(self.view.columns):
            return ()
        notes = {id(row): found for row, found in zip(self.rows, self.row_notes, strict=False)}
        shown = self.arranged().rows
        return caveats(shown, [notes.get(id(row), ()) for row in shown], self.unmeasured)

    def write(self, stream: TextIO, format: str | None = None) -> None:
        """Writes to an open text stream such as stdout: a table on a terminal, CSV elsewhere, unless told."""
        screen = Screen.of(stream)
        writer = writer_for(format or default_format(screen), screen)
        stream.flush()
        writer.write(self.arranged(), stream.buffer, screen)
        stream.flush()

    def save(self, path: str | Path, format: str | None = None, table: str = "") -> None:
        """Writes a file whole or not at all, in the format of its suffix unless told; an input is never replaced."""
        self.inputs.check(path)
        writer = writer_for(format_of(path, format))
        write_atomically(path, partial(_fill, self.arranged(table), writer))

    def save_provenance(self, path: str | Path) -> None:
        """Writes where the report came from, and what it took, as JSON."""
        self.inputs.check(path)
        about = dumps({**self.provenance, **self.timing}, indent=2) + "\n"
        write_atomically(path, lambda stream: _put(stream, about.encode("ascii")))

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draws the rows that the view shows, in their order, as a matplotlib figure; saves it at a path if given."""
        if path is not None:
            check_plot(path)
            self.inputs.check(path)
        pictured = self.pictured
        figure = drawing(pictured) if pictured or not self.panels else blank()
        if path is not None:
            save_picture(figure, path)
        return figure

    def __str__(self) -> str:
        """The compact table, as wide as the terminal, without colour."""
        return text(
            self.arranged(), Screen(True, shutil.get_terminal_size((120, 24)).columns)
        ).rstrip("\n")

    def __repr__(self) -> str:
        """What it is, in one line; `str` and notebooks show the rows."""
        sizes = ((len(self.rows), "row"), (len(self.columns), "column"))
        rows, columns = (f"{n} {what}{'s' * (n != 1)}" for n, what in sizes)
        return f"<Report {self.name}: {rows}, {columns}>"

    def _repr_html_(self) -> str:
        """The compact table for a notebook."""
        table = self.arranged()
        columns = table.compact
        head = "".join(f"<th>{html.escape(c.name)}</th>" for c in columns)
        body = "".join(f"<tr>{_cells(columns, values)}</tr>" for values in table.values(columns))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(columns: tuple[Column, ...], values: list[Any]) -> str:
    sides = ("left" if c.dtype == "str" else "right" for c in columns)
    return "".join(
        f'<td style="text-align:{side}">{html.escape(brief(value))}</td>'
        for side, value in zip(sides, values, strict=True)
    )


def _fill(table: Table, writer: Writer, stream: BinaryIO) -> None:
    writer.write(table, stream, FILE)


def _put(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)
