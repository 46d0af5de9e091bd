"""A table ready to be written: columns in order, rows in order, and what they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..columns import Column
from .values import Value, plain

DRAWN = frozenset({"histogram"})  # pictures in characters: for the eye, not for machines


@dataclass(frozen=True)
class Table:
    """`chosen` says that a person chose the columns: then none is left out, whatever the format or the width.

    But for those for programs, which texts have only where they are `named`.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, object]]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    chosen: bool = False
    named: frozenset[str] = frozenset()

    @property
    def texts(self) -> tuple[Column, ...]:
        """The columns that people may read."""
        return tuple(c for c in self.columns if not c.machine or c.name in self.named)

    @property
    def data(self) -> tuple[Column, ...]:
        """The columns for tables of text: drawn ones only where they were chosen."""
        return tuple(c for c in self.texts if self.chosen or c.name not in DRAWN)

    @property
    def records(self) -> tuple[Column, ...]:
        """The columns for records with names: those for programs too."""
        return tuple(c for c in self.columns if self.chosen or c.name not in DRAWN)

    @property
    def compact(self) -> tuple[Column, ...]:
        """The columns for a terminal: those that matter with their nulls, or those named; all where none is marked."""
        shown = {c.name for c in self.texts if c.shown or self.chosen}
        return tuple(c for c in self.texts if shown & {c.name, c.reading}) or self.texts

    def values(self, columns: tuple[Column, ...]) -> Iterator[list[Value]]:
        """Row by row the plain values of some columns."""
        return ([plain(row, column) for column in columns] for row in self.rows)
