"""A gate: an expression over the measured rows that decides the exit code.

It sees every measured row, before `--where`, `--limit` and `--columns`. null never matches; a gate that is null on
every row has probably asked for something that was not measured, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..escape import escaped
from .expression import Expression
from .values import brief

FIRST = 20                                      # rows named on stderr: a screenful


@dataclass(frozen=True)
class Verdict:
    """What a gate found: the rows that match, of how many, and whether none could be decided."""

    expression: Expression
    matches: tuple[Mapping[str, object], ...]
    seen: int
    all_null: bool


def gate(expression: Expression, rows: Sequence[Mapping[str, object]]) -> Verdict:
    """Asks an expression of every row."""
    answers = [expression(row) for row in rows]
    matches = tuple(row for row, answer in zip(rows, answers, strict=True) if answer)
    return Verdict(expression, matches, len(rows), bool(rows) and all(answer is None for answer in answers))


def describe(verdict: Verdict) -> str:
    """The verdict for stderr: the expression, the first 20 rows that match with the columns it uses, their number."""
    text = escaped(verdict.expression.text)
    if verdict.all_null:
        return f"gate '{text}': null on every one of {verdict.seen} rows, so it decided nothing"
    lines = [_line(row, verdict.expression.names) for row in verdict.matches[:FIRST]]
    more = len(verdict.matches) - len(lines)
    count = f"{len(verdict.matches)} of {verdict.seen} rows match" + (f", {more} not listed" if more else "")
    return "\n".join([f"gate '{text}': {count}", *lines])


def _line(row: Mapping[str, object], names: Sequence[str]) -> str:
    keys = ("source", "tensor") if row.get("tensor") is not None else ("source", "role", "stack", "layer", "kind")
    place = [_text(row[key]) for key in keys if row.get(key) is not None]
    used = [f"{name}={_text(row.get(name))}" for name in names if name not in keys]
    return "  " + "  ".join([" ".join(dict.fromkeys(place)) or "model", *used])


def _text(value: object) -> str:
    if value is None or isinstance(value, str | bool | int | float):
        return brief(value, "null")
    return brief(float(value) if hasattr(value, "__float__") else str(value), "null")
