"""What a comparison with a stored report runs and compares: decided before a checkpoint opens."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..analyses import Analysis, NameOptions, Selection
from ..checkpoints import Opening
from ..columns import Column
from ..errors import UsageError
from ..escape import escaped, quoted
from ..options import declared
from ..records import filled, options_of, recorded
from ..reports.expression import parse
from ..reports.gate import Gates
from ..reports.stored import StoredReport, is_stored, stored_report
from ..reports.tables import CHARACTER_PICTURES
from ..reports.view import View
from ..running import Running
from .columns import Layout, layout
from .command import Command, described
from .inference import inferred

PROVENANCE = "provenance_a"  # the option that names the file of provenance
SHARED = (Selection, Opening, NameOptions, Running)  # options of the new run that a user may give
SELECTING = {"include": "tensor", "exclude": "tensor", "role": "role", "layers": "layer"}
SELECTING |= {"min_params": "params"}  # -> the column that a row is selected by


@dataclass(frozen=True, eq=False)
class Question:
    """`options`: keywords of the new run; `selection`: conditions on the stored rows."""

    stored: StoredReport
    command: Command
    layout: Layout
    options: Mapping[str, Any]
    selection: Selection
    view: View
    gates: Gates

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the comparison."""
        return self.layout.columns

    @property
    def notes(self) -> tuple[str, ...]:
        """How the command was inferred, and why rows of the report may be missing."""
        path = escaped(os.path.basename(self.stored.path))
        notes = []
        if self.command.origin == "columns":
            notes.append(
                f"{path} has no provenance: its columns are those of `{self.command.text}`; "
                "other options have their defaults"
            )
        if self.command.hidden:
            flags = " and ".join(self.command.hidden)
            notes.append(f"{path} was stored with {flags}: rows that it lacks are added")
        return tuple(notes)


def applies(analysis: Analysis, sources: Sequence[Any], keywords: Mapping[str, Any]) -> bool:
    """Whether the first source is a stored report that the analysis takes.

    Raises UsageError for a report in another place, and for provenance without a report.
    """
    if not analysis.takes_reports:
        return False
    for source in sources[1:]:
        if is_stored(source):
            raise UsageError(
                "expected a stored report as the first source only",
                f"found {quoted(os.fsdecode(source))} after it",
                "name the older report first, then the checkpoint to measure",
            )
    if sources and is_stored(sources[0]):
        return True
    if keywords.get(PROVENANCE) is not None:
        raise UsageError(
            "--provenance-a describes a stored report",
            "found no report (.parquet, .csv, .json) as the first source",
            "leave it out",
        )
    return False


def question(
    analysis: Analysis,
    sources: Sequence[Any],
    keywords: Mapping[str, Any],
    analyses: Mapping[str, Analysis],
) -> Question:
    """The run and the columns that follow from a stored report and the options.

    Raises UsageError for every wrong option, expression and report, CheckpointError for a report
    that cannot be read.
    """
    records = filled(analysis, keywords)
    if len(sources) != 2:
        raise UsageError(
            "expected one MODEL beside the stored report",
            f"found {len(sources) - 1}",
            "compare each of them in a run of its own",
        )
    _check_own(analysis, keywords)
    stored = stored_report(sources[0], keywords.get(PROVENANCE))
    command_of = inferred if stored.provenance is None else described
    command = command_of(stored, analyses)
    fixed = layout(stored, command)
    view, gates = records[View], records[Gates]
    _check_expressions(fixed.columns, view, gates)
    selection = _selection(command, fixed, keywords)
    return Question(
        stored, command, fixed, _options(command, fixed, keywords), selection, view, gates
    )


def _check_own(analysis: Analysis, keywords: Mapping[str, Any]) -> None:
    """Refuses options of the comparison of two checkpoints: the report fixes what is measured."""
    for option in declared(analysis.options):
        value = keywords.get(option.name, option.default)
        if option.name == PROVENANCE or option.option.follows == "terminal":
            continue
        if option.option.follows == "plot":
            # the keyword is set where a picture is drawn
            if keywords.get(option.name):
                raise UsageError(
                    "expected --plot with two checkpoints",
                    "found a stored report, which has no curves",
                    "leave it out",
                )
        elif value != option.default:
            raise UsageError(
                f"{option.flag} applies to two checkpoints",
                "found a stored report as the first source, whose command and columns are fixed",
                "leave it out, or name the checkpoint that the report is of",
            )


def _check_expressions(columns: Sequence[Column], view: View, gates: Gates) -> None:
    view.check(columns)
    for text in gates.fail_if:
        parse(text, columns)


def _selection(command: Command, fixed: Layout, keywords: Mapping[str, Any]) -> Selection:
    """The selection that is given now, for the rows of the report.

    Raises UsageError where it contradicts the stored one, where rows are groups, whose pooled
    values are of all their tensors, and where the report lacks the column that it needs.
    """
    conditions = {}
    names = {column.name for column in fixed.stored}
    by_name = options_of(command.analysis)
    for name, column in SELECTING.items():
        if name not in keywords:
            continue
        flag = by_name[name].flag
        given = recorded(by_name[name], keywords[name])
        stored = command.options.get(name)
        if stored is not None and recorded(by_name[name], stored) != given:
            raise UsageError(
                f"expected {flag} as stored with the report",
                "found another value",
                f"leave {flag} out: the stored selection applies",
            )
        if stored is not None:
            continue
        if "tensor" not in fixed.keys:
            raise UsageError(
                f"{flag} selects tensors",
                "found a report of groups, whose values are of all their tensors",
                f"leave {flag} out, or store a report of one row per tensor",
            )
        if column not in names:
            raise UsageError(
                f"{flag} needs the column {column} of the report",
                f"found {', '.join(sorted(names))}",
                f"leave {flag} out, or store the report again with that column",
            )
        conditions[name] = given
    return Selection(**conditions)


def _options(command: Command, fixed: Layout, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The stored options, then those given now, and the stored columns."""
    options = dict(command.options)
    for option in options_of(command.analysis).values():
        if option.option.follows == "plot":
            options[option.name] = False
    for record in SHARED:
        if record not in command.analysis.uses:
            continue
        for option in declared(record):
            if option.name in keywords:
                options[option.name] = keywords[option.name]
    names = [column.name for column in fixed.stored]
    complete = [
        c.name for c in command.columns if not c.machine and c.name not in CHARACTER_PICTURES
    ]
    # with all columns the run is the stored one; with some, it measures only what they need
    if not set(complete) <= set(names):
        options["columns"] = tuple(names)
    return options
