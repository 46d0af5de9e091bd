"""The view of a table: which rows, in which order, which columns. Measured rows stay unchanged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
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
    """`columns`: names or `all`; `where`: an expression; `sort`: a column or -column."""

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
        """The columns that it shows or sorts by, as named by the user."""
        names = [name for name in self.columns if name != "all"]
        if self.sort is not None:
            names.append(self.sort.removeprefix("-"))
        return tuple(names)

    def check(self, columns: Sequence[Column], optional: Mapping[str, str] | None = None) -> None:
        """Refuses names that are no columns of a run; called before anything is opened."""
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
    """The columns and rows of a view: filtered, sorted (stable, nulls last), limited.

    >>> x = Column("x", "int", "a number")
    >>> arrange([{"x": 2}, {"x": None}, {"x": 10}], [x], View(sort="-x", limit=2))[1]
    ({'x': 10}, {'x': 2})
    """
    view.check(columns)
    by_name = {column.name: column for column in columns}
    shown = list(rows)
    if view.where is not None:
        match = parse(view.where, columns)
        shown = [row for row in shown if match(row)]
    if view.sort is not None:
        column = by_name[view.sort.removeprefix("-")]
        shown = _sorted(shown, column, down=view.sort.startswith("-"))
    names: dict[str, None] = {}  # in order, each once: `--columns tensor,all`
    for name in view.columns or usual(columns):
        if name == "all":
            names.update(dict.fromkeys(by_name))
        else:
            names[name] = None
    return tuple(by_name[name] for name in names), tuple(shown[: view.limit])


def usual(columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of the columns that a view has if it names none."""
    return tuple(column.name for column in columns if not column.on_request)


def _sorted(
    rows: list[Mapping[str, object]], column: Column, down: bool
) -> list[Mapping[str, object]]:
    """Values in order, then NaN, then null, in either direction."""
    pairs: list[tuple[Any, Mapping[str, object]]] = []
    nans: list[Mapping[str, object]] = []
    nulls: list[Mapping[str, object]] = []
    for row in rows:
        value = plain(row, column)
        if value is None:
            nulls.append(row)
        elif isinstance(value, float) and math.isnan(value):
            nans.append(row)
        else:
            pairs.append((_key(value), row))
    pairs.sort(key=itemgetter(0), reverse=down)  # rows of equal keys keep their order
    return [*(row for _, row in pairs), *nans, *nulls]


def _key(value: Value) -> Any:
    """What a value is sorted by: text in natural order, h.2 before h.10."""
    if isinstance(value, str):
        return natural(value)
    return value


PLAIN = View()
