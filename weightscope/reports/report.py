"""The report of a command: all measured rows with columns, extra tables, panels and provenance.

`rows` are never filtered, since gates are evaluated on all of them. The view decides which of them
are shown, saved and part of the DataFrame.
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
from .panels import drawn, missing, shown
from .pictures import (
    animate,
    blank,
    check_plot,
    check_series,
    figure_of,
    is_animated,
    save_picture,
)
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
    """`name`: the command; `tables`: extra tables; `timing`: what differs between runs."""

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
    strict: bool = False  # whether unmeasured tensors are a failure
    reasons: Sequence[str] = ()  # why each automatic choice was made
    closing: str = ""  # the line below the table: a total
    coverage: str = ""  # how many tensors were measured, and what was left out
    incomplete: bool = False  # a source was damaged: only its intact tensors were measured
    row_notes: tuple[Notes, ...] = ()  # of each row, as records
    refused: tuple[str, ...] = ()  # messages about MODELs that could not be opened
    inputs: Inputs = NOTHING  # files that were read; no output may replace them

    @property
    def table(self) -> DataFrame:
        """The rows of the view as a pandas DataFrame that keeps null and NaN apart."""
        return frame.of(self.arranged())

    def arranged(self, table: str = "") -> Table:
        """The main table through the view, or a named extra table unfiltered."""
        if table:
            columns, rows = self.tables[table]
            return Table(columns, rows, self.provenance)
        columns, rows = arrange(self.rows, self.columns, self.view)
        names = self.view.columns
        return Table(columns, rows, self.provenance, bool(names), frozenset(names))

    @property
    def pictured(self) -> tuple[Panel, ...]:
        """The panels of the rows that the view shows, in their order."""
        return shown(self.panels, self.arranged().rows)

    @property
    def without_picture(self) -> tuple[str, ...]:
        """Sentences that name the rows without a picture, and why."""
        return self.missing_from("")

    def missing_from(self, path: str | Path) -> tuple[str, ...]:
        """Sentences that name the rows without a picture in this file, and why."""
        return missing(drawn(self.pictured, is_animated(path)))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Reasons why this report is a failure, with exit codes; warnings have code 0."""
        return failures(self.gates, self.unmeasured, self.strict, self.refused)

    @property
    def caveats(self) -> tuple[str, ...]:
        """A short summary of the notes of the rows shown; empty where a note column is shown."""
        if {"note", "all"} & set(self.view.columns):
            return ()
        # rows are mappings without equality by name, so they are found by identity
        notes = {id(row): group for row, group in zip(self.rows, self.row_notes, strict=False)}
        rows = self.arranged().rows
        return caveats(rows, [notes.get(id(row), ()) for row in rows], self.unmeasured)

    def write(self, stream: TextIO, format: str | None = None) -> None:
        """Writes to an open text stream: by default a table on a terminal, CSV elsewhere."""
        screen = Screen.of(stream)
        writer = writer_for(format or default_format(screen), screen)
        stream.flush()
        writer.write(self.arranged(), stream.buffer, screen)
        stream.flush()

    def save(self, path: str | Path, format: str | None = None, table: str = "") -> None:
        """Writes a complete file or none, by default in the format of its suffix.

        An input of the run is never replaced.
        """
        self.inputs.check(path)
        writer = writer_for(format_of(path, format))
        write_atomically(path, partial(_fill, self.arranged(table), writer))

    def save_provenance(self, path: str | Path) -> None:
        """Writes provenance and timing as JSON."""
        self.inputs.check(path)
        about = dumps({**self.provenance, **self.timing}, indent=2) + "\n"
        write_atomically(path, lambda stream: _put(stream, about.encode("ascii")))

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draws the rows of the view as a matplotlib figure, and saves it if a path is given.

        A `.gif` is the animation of a series; the figure is its last frame.
        """
        if path is None:
            return self._page()
        check_plot(path)
        self.inputs.check(path)
        if is_animated(path):
            check_series(path, series=bool(drawn(self.panels, animated=True)))
            return animate(drawn(self.pictured, animated=True), path)
        figure = self._page()
        save_picture(figure, path)
        return figure

    def _page(self) -> Figure:
        """The figure of the rows of the view; for a view without rows that is blank."""
        pictured = drawn(self.pictured, animated=False)
        if pictured or not self.panels:
            return figure_of(pictured)
        return blank()

    def __str__(self) -> str:
        """The compact table, as wide as the terminal, without colour."""
        width = shutil.get_terminal_size((120, 24)).columns
        return text(self.arranged(), Screen(True, width)).rstrip("\n")

    def __repr__(self) -> str:
        """Its name and size in one line; `str` and notebooks show the rows."""
        rows = _counted(len(self.rows), "row")
        columns = _counted(len(self.columns), "column")
        return f"<Report {self.name}: {rows}, {columns}>"

    def _repr_html_(self) -> str:
        """The compact table for a notebook."""
        table = self.arranged()
        columns = table.compact
        headings = [f"<th>{html.escape(column.name)}</th>" for column in columns]
        rows = [f"<tr>{_cells(columns, values)}</tr>" for values in table.values(columns)]
        head, body = "".join(headings), "".join(rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _counted(count: int, noun: str) -> str:
    if count == 1:
        return f"{count} {noun}"
    return f"{count} {noun}s"


def _cells(columns: tuple[Column, ...], values: list[Any]) -> str:
    """The cells of one HTML row: text to the left, numbers to the right."""
    cells = []
    for column, value in zip(columns, values, strict=True):
        side = "left" if column.dtype == "str" else "right"
        cells.append(f'<td style="text-align:{side}">{html.escape(brief(value))}</td>')
    return "".join(cells)


def _fill(table: Table, writer: Writer, stream: BinaryIO) -> None:
    writer.write(table, stream, FILE)


def _put(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)
