"""Rows of a stored report and of a new run, matched by their keys, in the order of the new run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..analyses import Selection
from ..analyses.rows import CODES, NOTE
from ..columns import Column
from ..errors import UsageError
from ..escape import escaped, shown
from ..notes import Note, Notes, codes, texts
from ..order import natural
from ..reports.stored import StoredReport
from ..reports.values import Value, plain
from ..reports.writers.csv import encoded
from .columns import ASIDE, CHANGE, STATUS, Layout, is_number

Values = Mapping[str, Value]
Key = tuple[Value, ...]


def stored_rows(stored: StoredReport, layout: Layout, selection: Selection) -> dict[Key, Values]:
    """The selected rows of a report by their keys; raises UsageError for two rows of one key."""
    rows: dict[Key, Values] = {}
    for values in stored.rows(layout.stored):
        key = tuple(values[name] for name in layout.keys)
        if key in rows:
            name = " ".join(shown(value) for value in key)
            raise UsageError(
                f"{escaped(stored.path)}: expected one row for each {' and '.join(layout.keys)}",
                f"found two of {name}",
                "store a report of one MODEL",
            )
        rows[key] = values
    if selection == Selection():
        return rows
    return {key: values for key, values in rows.items() if _is_selected(values, selection)}


def joined(
    a_rows: Mapping[Key, Values],
    b_rows: Iterable[Mapping[str, object]],
    layout: Layout,
    finite: bool,
) -> Iterator[tuple[dict[str, Value], Notes]]:
    """Each row of the comparison with its notes.

    Removed tensors stand where natural order puts them, removed groups at the end. `finite`: the
    report has no NaN and Inf, which are equal to null then.
    """
    rows = [_read(row, layout.stored) for row in b_rows]
    left = dict(a_rows)
    matches = []
    for values in rows:
        key = tuple(values[name] for name in layout.keys)
        matches.append((left.pop(key, None), values))
    removed = list(left.values())
    by_name = "tensor" in layout.keys
    if by_name:
        removed.sort(key=lambda values: natural(str(values["tensor"])), reverse=True)
    for old, new in matches:
        while by_name and removed and _is_before(removed[-1], new):
            yield _row(removed.pop(), None, layout, finite)
        yield _row(old, new, layout, finite)
    if by_name:
        removed.reverse()
    for old in removed:
        yield _row(old, None, layout, finite)


def _read(row: Mapping[str, object], columns: Sequence[Column]) -> dict[str, Value]:
    """The values of a new row as a report stores them: no empty text, no lone surrogate."""
    values: dict[str, Value] = {}
    for column in columns:
        value = plain(row, column)
        if isinstance(value, str):
            value = encoded(value).decode() or None
        values[column.name] = value
    return values


def _is_before(a: Values, b: Values) -> bool:
    return natural(str(a["tensor"])) < natural(str(b["tensor"]))


def _is_selected(values: Values, selection: Selection) -> bool:
    """Whether a stored row satisfies a selection; a part is also selected by its whole tensor."""
    name = str(values["tensor"])
    whole, _, _ = name.partition("[")
    layer, params = values.get("layer"), values.get("params")
    return selection.covers(
        (name, whole),
        str(values.get("role")),
        layer if isinstance(layer, int) else None,
        params if isinstance(params, int) else 0,
    )


def _row(
    a: Values | None, b: Values | None, layout: Layout, finite: bool
) -> tuple[dict[str, Value], Notes]:
    """The row of a pair, or of one side without a partner."""
    first = b if a is None else a
    assert first is not None
    row: dict[str, Value] = {column.name: first[column.name] for column in layout.once}
    row[STATUS.name] = _status(a, b, layout, finite)
    for column in layout.twice:
        name = column.name
        of_a = None if a is None else a[name]
        of_b = None if b is None else b[name]
        row[f"{name}_a"], row[f"{name}_b"] = of_a, of_b
        if is_number(column):
            row[name + CHANGE] = None if name in layout.moved else _change(of_a, of_b)
    notes = tuple(_notes(a, b, layout))
    row[NOTE.name], row[CODES.name] = texts(notes), codes(notes)
    return row, notes


def _status(a: Values | None, b: Values | None, layout: Layout, finite: bool) -> str:
    if a is None:
        return "added"
    if b is None:
        return "removed"
    for column in layout.stored:
        name = column.name
        # values of different definitions are not compared
        if name in ASIDE or name in layout.moved:
            continue
        if not _is_equal(a[name], b[name], finite):
            return "changed"
    return "same"


def _is_equal(a: Value, b: Value, finite: bool) -> bool:
    """Whether two values are stored alike; NaN is equal to NaN."""
    if isinstance(b, float) and not math.isfinite(b) and finite:
        return a is None
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return a == b


def _change(a: Value, b: Value) -> Value:
    if a is None or b is None:
        return None
    assert not isinstance(a, str)
    assert not isinstance(b, str)
    return b - a


def _notes(a: Values | None, b: Values | None, layout: Layout) -> Iterator[Note]:
    """Columns whose definition changed, and parts of the identity that differ."""
    if a is None or b is None:
        return
    moved = [column.name for column in layout.twice if column.name in layout.moved]
    if moved:
        yield Note.of(
            "other-definition",
            "no change of {names}: defined otherwise when the report was stored",
            names=", ".join(moved),
        )
    for column in layout.once:
        of_a, of_b = a[column.name], b[column.name]
        if of_a != of_b:
            yield Note.of(
                "other-identity",
                "{column} is {a} in the report and {b} in the model",
                column=column.name,
                a=str(of_a),
                b=str(of_b),
            )
