"""A table ready to be written: columns in order, rows in order, and what they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..columns import Column
from .values import KINDS, Value, typed

CHARACTER_PICTURES = frozenset(
    {"histogram", "series"}
)  # pictures in characters, which no program reads

# parts of a key that most models lack: a terminal shows them where a row has one
SELDOM = frozenset({"stack", "slot", "part"})


@dataclass(frozen=True)
class Table:
    """Columns and rows with their provenance.

    `chosen`: --columns was given, so every format and width shows all of them. Text
    formats have columns for programs only if they are `named`.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, object]]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    chosen: bool = False
    named: frozenset[str] = frozenset()

    @property
    def texts(self) -> tuple[Column, ...]:
        """The columns of text formats for people."""
        return tuple(
            column for column in self.columns if not column.machine or column.name in self.named
        )

    @property
    def data(self) -> tuple[Column, ...]:
        """The columns of CSV, TSV and Markdown: pictures in characters only if chosen."""
        return self._without_pictures(self.texts)

    @property
    def records(self) -> tuple[Column, ...]:
        """The columns of JSON and Parquet, which include those for programs."""
        return self._without_pictures(self.columns)

    def _without_pictures(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        if self.chosen:
            return columns
        return tuple(column for column in columns if column.name not in CHARACTER_PICTURES)

    @property
    def compact(self) -> tuple[Column, ...]:
        """The columns of a terminal: those marked `shown` and their nulls, or all if none is."""
        if self.chosen:
            return self.texts
        shown = {c.name for c in self.texts if c.shown and not self._is_blank(c)}
        # a null column is shown with the column that it is the null of
        marked = [c for c in self.texts if c.name in shown or c.null_of in shown]
        return tuple(marked) or self.texts

    def _is_blank(self, column: Column) -> bool:
        """Whether it is part of a key that no row has."""
        if column.name not in SELDOM:
            return False
        return all(row.get(column.name) is None for row in self.rows)

    def values(self, columns: tuple[Column, ...]) -> Iterator[list[Value]]:
        """The plain values of some columns, row by row."""
        cells = [(column.name, KINDS[column.dtype]) for column in columns]
        for row in self.rows:
            yield [typed(row.get(name), kind) for name, kind in cells]
