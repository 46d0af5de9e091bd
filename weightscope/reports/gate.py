"""A gate: an expression over the measured rows that decides the exit code.

It is evaluated on every measured row, before `--where`, `--limit` and `--columns`. null never
matches; a gate that is null on every row probably names a column that was not measured, and the
report warns of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..columns import titled
from ..escape import escaped
from ..options import option
from .expression import Expression
from .values import brief, row_keys

FIRST = 20  # rows named on stderr: a screenful


@dataclass(frozen=True)
class Gates:
    """Expressions over all measured rows that decide the exit code."""

    fail_if: tuple[str, ...] = option(
        (),
        "Exit 1 if the expression is true for any row.",
        group="Gate",
        metavar="EXPR",
        repeatable=True,
    )


@dataclass(frozen=True)
class Gate:
    """The result of an expression: rows that match of `seen`; `undecided` if all were null."""

    expression: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, object], ...]
    seen: int
    undecided: bool

    @property
    def count(self) -> int:
        """How many rows match."""
        return len(self.rows)

    def __str__(self) -> str:
        """The expression, the number of matching rows, the first 20 with the columns used."""
        text = escaped(self.expression)
        if self.undecided:
            return f"gate '{text}': null on every one of {self.seen} rows, so it decided nothing"
        lines = [_line(row, self.columns) for row in self.rows[:FIRST]]
        more = self.count - len(lines)
        count = f"{self.count} of {self.seen} rows match"
        if more:
            count += f", {more} not listed"
        return "\n".join([f"gate '{text}': {count}", *lines])


def gate(expression: Expression, rows: Sequence[Mapping[str, object]]) -> Gate:
    """Evaluates an expression on every row."""
    results = [expression(row) for row in rows]
    matching = []
    for row, result in zip(rows, results, strict=True):
        if result:
            matching.append(row)
    undecided = bool(rows) and all(result is None for result in results)
    return Gate(expression.text, expression.names, tuple(matching), len(rows), undecided)


def _line(row: Mapping[str, object], names: Sequence[str]) -> str:
    """The name of a row and its values of the columns `names`."""
    keys = row_keys(row)
    texts = {key: _text(row[key]) for key in keys if row.get(key) is not None}
    source = texts.pop("source", "")
    title = f"{source} {titled(texts)}".strip() or "model"
    values = [f"{name}={_text(row.get(name))}" for name in names if name not in keys]
    return "  " + "  ".join([title, *values])


def _text(value: object) -> str:
    if value is None or isinstance(value, str | bool | int | float):
        return brief(value, "null")
    if hasattr(value, "__float__"):  # a numpy scalar
        return brief(float(value), "null")
    return brief(str(value), "null")
