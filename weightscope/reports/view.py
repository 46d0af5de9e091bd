"""How a table is looked at: which rows, in which order, which columns. Measured rows are never changed by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..columns import Column
from ..errors import UsageError
from ..options import option
from ..order import natural
from .expression import parse
from .known import check
from .values import Value, plain

Rows = tuple[Mapping[str, object], ...]


@dataclass(frozen=True)
class View:
    """`columns` by name or `all` (nothing = the default ones), `where` an expression, `sort` a column or -column."""

    columns: tuple[str, ...] = option(
        (),
        "Only these columns, in this order, or all.",
        group="Output",
        metavar="A,B,C",
        commas=True,
    )
    where: str | None = option(
        None, "Only rows for which the expression is true.", group="Output", metavar="EXPR"
    )
    sort: str | None = option(
        None,
        "Sort by a column; --sort=-COLUMN downwards. Nulls come last.",
        group="Output",
        metavar="COLUMN",
    )
    limit: int | None = option(
        None, "Only the first N rows.", group="Output", metavar="N", minimum=0
    )

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that it names, to be shown or to sort by."""
        by = () if self.sort is None else (self.sort.removeprefix("-"),)
        return (*(name for name in self.columns if name != "all"), *by)

    def check(self, columns: Sequence[Column], optional: Mapping[str, str] | None = None) -> None:
        """Refuses what the columns of a run cannot answer; called before anything is opened."""
        check(self.named, columns, optional or {})
        if self.where is not None:
            parse(self.where, columns, optional)
        if self.limit is not None and self.limit < 0:
            raise UsageError(
                "expected a limit of 0 or more rows",
                f"found {self.limit}",
                "leave the limit out for all rows",
            )


def arrange(
    rows: Sequence[Mapping[str, object]], columns: Sequence[Column], view: View
) -> tuple[tuple[Column, ...], Rows]:
    """The columns and rows that a view shows: filtered, sorted (stable, nulls last), cut, then chosen.

    >>> x = Column("x", "int", "a number")
    >>> arrange([{"x": 2}, {"x": None}, {"x": 10}], [x], View(sort="-x", limit=2))[1]
    ({'x': 10}, {'x': 2})
    """
    view.check(columns)
    by_name = {c.name: c for c in columns}
    kept = list(rows)
    if view.where is not None:
        match = parse(view.where, columns)
        kept = [row for row in kept if match(row)]
    if view.sort is not None:
        kept = _sorted(kept, by_name[view.sort.removeprefix("-")], view.sort.startswith("-"))
    names = [n for asked in view.columns for n in (by_name if asked == "all" else [asked])] or list(
        by_name
    )
    return tuple(by_name[n] for n in dict.fromkeys(names)), tuple(kept[: view.limit])


def _sorted(
    rows: list[Mapping[str, object]], column: Column, down: bool
) -> list[Mapping[str, object]]:
    """Values in order, then NaN, then null, in either direction."""
    pairs = [(plain(row, column), row) for row in rows]
    odd = [(_odd(value), row) for value, row in pairs]
    values = sorted((p for p in pairs if not _odd(p[0])), key=lambda p: _key(p[0]), reverse=down)
    return [row for _, row in values] + [
        row for kind in (1, 2) for is_odd, row in odd if is_odd == kind
    ]


def _odd(value: Value) -> int:
    return 2 if value is None else int(isinstance(value, float) and math.isnan(value))


def _key(value: Value) -> Any:
    return natural(value) if isinstance(value, str) else value


PLAIN = View()
