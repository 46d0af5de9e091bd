"""Status of a pair, and what of B differs from A: elements, rows, bytes of the smallest patch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes
from ...sketches.changes import Changed
from ..statistic import Evidence, Statistic
from . import labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME, RETYPED, CHANGED_STATUS = "same", "retyped", "changed"
RANGES = 20  # ranges of rows in a note
STATUS_COLUMN = Column(
    "status", "str", "same, retyped, changed, reshaped, added or removed", shown=True
)
COLUMNS = (
    Column("changed_share", "float", "share of elements that differ", "", shown=True),
    Column("changed_rows", "int", "rows with an element that differs"),
    Column(
        "delta_bytes",
        "int",
        "least of changed elements x (element bytes + 4), changed rows x (row bytes + 4), bytes "
        "of B",
        "bytes",
    ),
)


def status(changed: Changed, alike: bool) -> str:
    """same: equal stored words; retyped: equal after rounding to the other type; else changed.

    `alike`: both have one type.
    """
    if not changed.retyped:
        return CHANGED_STATUS
    return SAME if alike else RETYPED


def _of_evidence(evidence: Evidence) -> Mapping[str, object]:
    changed: Changed = evidence.sketches[labels.CHANGES]
    if not changed.n:
        return {}
    notes: Notes = ()
    if changed.rows is not None and 1 < len(changed.rows) > changed.row_count > 0:
        rows = np.flatnonzero(changed.rows)
        notes = (Note.of("changed-lines", "changed rows: {ranges}", ranges=ranges(rows)),)
    return {
        "changed_share": changed.elements / changed.n,
        "changed_rows": changed.row_count,
        "delta_bytes": changed.patch_bytes,
        "notes": notes,
    }


def ranges(rows: NDArray[np.int64]) -> str:
    """Ascending row numbers as slices, the first twenty.

    >>> ranges(np.array([3, 32, 33, 34, 90]))
    '3, 32:35, 90'
    """
    breaks = np.flatnonzero(np.diff(rows) > 1)
    firsts = rows[np.concatenate(([0], breaks + 1))]
    lasts = rows[np.concatenate((breaks, [len(rows) - 1]))]
    words = []
    for first, last in zip(firsts[:RANGES].tolist(), lasts[:RANGES].tolist(), strict=True):
        words.append(str(first) if first == last else f"{first}:{last + 1}")
    more = int((lasts[RANGES:] - firsts[RANGES:] + 1).sum())
    text = ", ".join(words)
    return f"{text} and {more} more" if more else text


CHANGED = Statistic(COLUMNS, frozenset({labels.CHANGES}), _of_evidence, pools=True)
