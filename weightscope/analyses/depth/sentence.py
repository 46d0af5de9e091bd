"""One sentence per statistic: which readers and writers of the residual stream have a trend.

It counts the rows whose `trend` is set and adds nothing to them. Vectors are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...escape import escaped
from .. import residual
from ..residual import CONVOLUTIONS, OTHERS, READERS, WRITERS
from .judging import Judged
from .series import Series

VERBS = {"down": "falls", "up": "rises"}


def group_of(series: Series) -> str:
    """Whether the matrices of a series read the residual stream or write to it."""
    return residual.group_of(series.members[0].piece.place)


def sentence(statistic: str, rows: Iterable[Judged]) -> str:
    """`std falls with depth: 2 of 4 readers (attn.q -19%, attn.k -18%), 0 of 2 writers`.

    Empty where there is no matrix.
    """
    matrices = [row for row in rows if not row.series.key.is_vector]
    if not matrices:
        return ""
    measured = [row for row in matrices if row.measured]
    judged = [row for row in measured if row.unjudged is None]
    if not judged:
        return _unjudged(statistic, measured or matrices)
    groups = _groups(judged)
    parts: list[str] = []
    for trend in _trends(judged):
        counts = ", ".join(_counted(group, members, trend) for group, members in groups.items())
        begin = VERBS[trend]
        if not parts:
            begin = f"{statistic} {begin} with depth"
        parts.append(f"{begin}: {counts}")
    if not parts:
        counts = ", ".join(f"0 of {len(members)} {group}" for group, members in groups.items())
        parts.append(f"no trend of {statistic} with depth: {counts}")
    rest = len(measured) - len(judged)
    if rest:
        parts.append(f"{rest} not judged")
    return "; ".join(parts)


def _groups(judged: Sequence[Judged]) -> Mapping[str, list[Judged]]:
    """The rows of each group; readers and writers also where there is none of one of them."""
    groups: dict[str, list[Judged]] = {READERS: [], WRITERS: [], CONVOLUTIONS: [], OTHERS: []}
    for row in judged:
        groups[group_of(row.series)].append(row)
    required = (READERS, WRITERS) if groups[READERS] or groups[WRITERS] else ()
    return {group: rows for group, rows in groups.items() if rows or group in required}


def _trends(judged: Sequence[Judged]) -> Iterator[str]:
    """The directions that occur; that of more series first."""
    trends = [row.values["trend"] for row in judged]
    ordered = sorted(VERBS, key=lambda trend: -trends.count(trend))
    return (trend for trend in ordered if trend in trends)


def _counted(group: str, rows: Sequence[Judged], trend: str) -> str:
    """`2 of 4 readers (attn.q -19%, attn.k -18%)`, the largest change first."""
    changes = {}
    for row in rows:
        change = row.values["fitted_change"]
        if row.values["trend"] == trend and isinstance(change, float):
            changes[row.series.key.name] = change
    counted = f"{len(changes)} of {len(rows)} {group}"
    if not changes:
        return counted
    ordered = sorted(changes.items(), key=lambda item: -abs(item[1]))
    names = [f"{escaped(name)} {change:+.0%}" for name, change in ordered]
    return f"{counted} ({', '.join(names)})"


def _unjudged(statistic: str, rows: Sequence[Judged]) -> str:
    """Why no trend is judged, by the first row."""
    reasons = dict.fromkeys(row.unjudged.text for row in rows if row.unjudged is not None)
    first = next(iter(reasons))
    return f"trend of {statistic} not judged: {first}"
