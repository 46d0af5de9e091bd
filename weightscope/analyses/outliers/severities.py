"""Columns `severity`, `findings` and `severity_rank`: of one row of the table, and of a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from ...columns import Column
from ...notes import Note, notes_of, united
from ..piece import Piece
from .buffers import is_buffer
from .finding import Finding
from .findings import FINDINGS
from .judgements import RowValues, Severity, Values
from .marks import named

if TYPE_CHECKING:
    from .marks import Places

NAN_OR_INF = "WS101"
Key = TypeVar("Key")
SEVERITIES: tuple[Severity, ...] = ("info", "warn", "error")
SEVERITY = Column(
    "severity",
    "str",
    "gravest of the findings: info, warn or error; null without any",
    shown=True,
)
IDS = Column(
    "findings",
    "str",
    "ids of findings, joined by commas; the page on findings explains each",
    shown=True,
)
RANK = Column(
    "severity_rank",
    "int",
    "0 none, 1 info, 2 warn, 3 error: to sort and to gate by",
)


def judged(
    values: Values,
    piece: Piece,
    ignored: frozenset[str],
    places: Places,
    table: Callable[[], Note | None],
) -> dict[str, object]:
    """`severity` and `findings` of a row; notes list the rows and columns of each finding.

    Findings on a constant of code, but NaN and Inf, are `info` at most: `table()` is the reason.
    """
    counts = {mark: len(at) for mark, at in places.items()}
    row = RowValues(values, counts)
    severities: dict[Finding, Severity] = {}
    for finding in FINDINGS:
        if finding.id in ignored or (is_buffer(piece) and not finding.buffers):
            continue
        severity = finding.judge(row, piece)
        if severity is not None:
            severities[finding] = severity
    reason = None
    alarms = [f for f, severity in severities.items() if severity != "info" and f.id != NAN_OR_INF]
    if alarms:
        reason = table()
    if reason is not None:
        severities.update(dict.fromkeys(alarms, "info"))
    notes = [
        named(mark, places[mark])
        for finding in _gravest_first(severities)
        for mark in finding.marks
        if row.count(mark)
    ]
    by_id = {finding.id: severity for finding, severity in severities.items()}
    return {**_summary(by_id), "notes": united(notes_of(values), reason, *notes)}


def gravest(rows: Sequence[Values]) -> dict[str, object]:
    """The findings of several rows, each with its gravest severity."""
    worst: dict[str, Severity] = {}
    for finding in FINDINGS:
        severity = _worst(finding.id, rows)
        if severity is not None:
            worst[finding.id] = severity
    return _summary(worst)


def _worst(finding: str, rows: Sequence[Values]) -> Severity | None:
    """The gravest severity among the rows with this finding.

    An upper bound: a row has one severity for all its findings.
    """
    severities = set()
    for row in rows:
        findings = str(row["findings"] or "").split(",")
        if finding in findings:
            severities.add(row["severity"])
    for severity in reversed(SEVERITIES):
        if severity in severities:
            return severity
    return None


def _gravest_first(severities: Mapping[Key, Severity]) -> list[Key]:
    """The keys by falling severity; equal ones in the order of FINDINGS."""

    def gravity(key: Key) -> int:
        return SEVERITIES.index(severities[key])

    return sorted(severities, key=gravity, reverse=True)


def _summary(severities: Mapping[str, Severity]) -> dict[str, object]:
    """The three columns from severities by id, in the order of FINDINGS."""
    if not severities:
        return {"severity": None, "findings": None, "severity_rank": 0}
    ids = _gravest_first(severities)
    severity = severities[ids[0]]
    return {
        "severity": severity,
        "findings": ",".join(ids),
        "severity_rank": SEVERITIES.index(severity) + 1,
    }
