"""The command of a report without provenance, from its set of columns.

The runs that an analysis declares have, together, all its columns. A run fits if it has all stored
columns and the stored columns identify its rows; options that no stored column needs are dropped.
Columns tell that an option was given, never its number, law or base model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..analyses import Analysis
from ..analyses.rows import KEYS
from ..columns import Column
from ..errors import UsageError
from ..escape import escaped, listed
from ..options import Declared
from ..records import filled, options_of
from ..reports.stored import StoredReport
from .columns import keys_of
from .command import Command, baselines

BY = ("tensor", *KEYS)
ADVICE = "write --provenance beside a report, or name that file with --provenance-a"


def inferred(stored: StoredReport, analyses: Mapping[str, Analysis]) -> Command:
    """The one command whose columns contain all the stored ones.

    Raises UsageError where there is none or several, and where an option has an unknown value.
    """
    path = escaped(stored.path)
    names = frozenset(stored.names)
    fitting: dict[str, Command] = {}
    for analysis in baselines(analyses.values()):
        for options in _fitting(analysis, names):
            command = Command(analysis, options, origin="columns")
            fitting.setdefault(command.text, command)
    if len(fitting) > 1:
        raise UsageError(
            f"{path}: expected columns of one command",
            f"found columns that {' and '.join(fitting)} have",
            ADVICE,
        )
    if not fitting:
        raise _nothing(stored, analyses)
    (command,) = fitting.values()
    by_name = options_of(command.analysis)
    unknown = [name for name in command.options if not _is_inferable(by_name[name])]
    if unknown:
        flags = [by_name[name].flag for name in unknown]
        raise UsageError(
            f"{path}: expected the provenance of `{command.name} {' '.join(flags)}`",
            f"found none, and the columns do not contain the value of {' and '.join(flags)}",
            ADVICE,
        )
    return command


def _fitting(analysis: Analysis, names: frozenset[str]) -> Iterator[dict[str, Any]]:
    """The options of each run of an analysis that has the columns, as few as possible."""
    for run in analysis.runs.values():
        for by in BY:
            options = {**run, "by": by}
            if _fits(analysis, options, names):
                yield _fewest(analysis, options, names)


def _fewest(analysis: Analysis, options: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """The options without those that no column needs."""
    fewest = options
    # later options depend on earlier ones: --draws on --null
    for name in reversed(options):
        fewer = {other: value for other, value in fewest.items() if other != name}
        if _fits(analysis, fewer, names):
            fewest = fewer
    return fewest


def _fits(analysis: Analysis, options: Mapping[str, Any], names: frozenset[str]) -> bool:
    """Whether a run has all the columns, and the keys of its rows are among them."""
    columns = _columns(analysis, options)
    keys = keys_of(columns)
    if keys is None or not names.issuperset(keys):
        return False
    return names <= {column.name for column in columns}


def _columns(analysis: Analysis, options: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns of a run; none where its options are refused."""
    try:
        records = filled(analysis, options)
    except UsageError:
        return ()
    return analysis.columns(records[analysis.options])


def _is_inferable(option: Declared) -> bool:
    """Whether columns contain its value; of several values, superfluous ones cost nothing."""
    return option.name == "by" or option.switch or option.several


def _nothing(stored: StoredReport, analyses: Mapping[str, Analysis]) -> UsageError:
    """The error for columns that no command has together."""
    known: set[str] = set()
    for analysis in baselines(analyses.values()):
        for run in analysis.runs.values():
            for by in BY:
                known.update(column.name for column in _columns(analysis, {**run, "by": by}))
    unknown = [name for name in stored.names if name not in known]
    found = f"columns of different commands, or of a list: {listed(stored.names)}"
    if unknown:
        found = f"columns that no command has: {listed(unknown)}"
    return UsageError(
        f"{escaped(stored.path)}: expected columns of one command, with those that name its rows",
        f"found {found}",
        ADVICE,
    )
