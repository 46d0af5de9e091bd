"""The report of a comparison: the stored command runs again, and its rows meet the stored ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..provenance import column_versions, storable
from ..reports.expression import parse
from ..reports.gate import gate
from ..reports.report import Report
from .question import Question
from .rows import joined, stored_rows

# (command, sources, options) -> its report
Run = Callable[[str, Sequence[Any], Mapping[str, Any]], Report]


def answered(
    name: str, asked: Question, model: Any, keywords: Mapping[str, Any], run: Run
) -> Report:
    """The report of the command `name`: the stored report against a model.

    The stored rows are read first: a damaged report is refused before anything is measured.
    """
    stored, layout = asked.stored, asked.layout
    a_rows = stored_rows(stored, layout, asked.selection)
    measured = run(asked.command.name, [model], asked.options)
    pairs = list(joined(a_rows, measured.rows, layout, stored.table.finite))
    rows = tuple(values for values, _ in pairs)
    columns = asked.columns
    return replace(
        measured,
        name=name,
        rows=rows,
        columns=columns,
        view=asked.view,
        provenance=_provenance(name, asked, measured, keywords),
        notes=(*asked.notes, *measured.notes),
        gates=tuple(gate(parse(text, columns), rows) for text in asked.gates.fail_if),
        closing="",
        row_notes=tuple(notes for _, notes in pairs),
    )


def _provenance(
    name: str, asked: Question, measured: Report, keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """That of the new run, with both sources, the given options and the repeated command."""
    stored, command = asked.stored, asked.command
    files = [_file(path) for path in stored.files]
    about = stored.provenance or {}
    return {
        **measured.provenance,
        "command": name,
        "sources": [{"source": stored.path, "files": files}, *measured.provenance["sources"]],
        "options": storable(keywords),
        "repeated": {
            "command": command.name,
            "options": storable(command.options),
            "from": command.origin,
            "version": about.get("version"),
        },
        "column_versions": column_versions([asked.columns]),
    }


def _file(path: str) -> dict[str, object]:
    return {"path": os.path.abspath(path), "size": os.path.getsize(path)}
