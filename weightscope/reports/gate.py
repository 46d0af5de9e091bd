"""A gate: an expression over the measured rows that decides the exit code.

It sees every measured row, before `--where`, `--limit` and `--columns`. null never matches; a gate that is null on
every row has probably asked for something that was not measured, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..escape import escaped
from ..options import option
from .expression import Expression
from .values import brief

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
    """An expression, the columns that it uses, the rows that match, how many were seen, and whether all were null."""

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
        """The expression, the first 20 rows that match with the columns that it uses, and their number."""
        text = escaped(self.expression)
        if self.undecided:
            return f"gate '{text}': null on every one of {self.seen} rows, so it decided nothing"
        lines = [_line(row, self.columns) for row in self.rows[:FIRST]]
        more = self.count - len(lines)
        count = f"{self.count} of {self.seen} rows match" + (f", {more} not listed" if more else "")
        return "\n".join([f"gate '{text}': {count}", *lines])


def gate(expression: Expression, rows: Sequence[Mapping[str, object]]) -> Gate:
    """Evaluates an expression on every row."""
    answers = [expression(row) for row in rows]
    matching = tuple(row for row, answer in zip(rows, answers, strict=True) if answer)
    undecided = bool(rows) and all(answer is None for answer in answers)
    return Gate(expression.text, expression.names, matching, len(rows), undecided)


def _line(row: Mapping[str, object], names: Sequence[str]) -> str:
    keys = (
        ("source", "tensor")
        if row.get("tensor") is not None
        else ("source", "role", "stack", "layer", "kind")
    )
    place = [_text(row[key]) for key in keys if row.get(key) is not None]
    used = [f"{name}={_text(row.get(name))}" for name in names if name not in keys]
    return "  " + "  ".join([" ".join(dict.fromkeys(place)) or "model", *used])


def _text(value: object) -> str:
    if value is None or isinstance(value, str | bool | int | float):
        return brief(value, "null")
    return brief(float(value) if hasattr(value, "__float__") else str(value), "null")
