"""The shared ending of every command: check what will be written, ask, render, write, judge, exit.

Commands load it when they run: `--help` needs none of what it imports.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..api import QUESTIONS, ask, inputs_of
from ..errors import Usage
from ..reports.expression import parse
from ..reports.files import check_writable
from ..reports.formats import default_format, format_of
from ..reports.gate import gate
from ..reports.inputs import Inputs, check_distinct
from ..reports.pictures import check_plot
from ..reports.report import Report
from ..reports.screen import Screen
from .exits import Exit
from .options import STDOUT, Shared
from .terminal import drawing, fitted, progress


def answer(
    question: str,
    models: Sequence[str],
    own: Mapping[str, Any],
    shared: Shared,
    tables: Mapping[str, str] | None = None,
    narrow: tuple[str, str] = ("", ""),
) -> None:
    """Asks the question and carries the report to where it was wanted; raises Exit with the code that applies.

    `narrow`: which rows a person is shown who asked for no others, as --where says it, and what is said of the rest.
    """
    hides = bool(narrow[0]) and shared.where is None and drawing(shared)
    shared = replace(shared, where=narrow[0]) if hides else shared
    given = shared.keywords() | dict(own)
    _check_outputs(question, shared, tables or {}, inputs_of(question, models, given))
    watch = None if shared.quiet or shared.no_progress or not sys.stderr.isatty() else progress
    report = ask(question, models, given, watch)
    if not shared.quiet:
        _say(*(_hidden(report, *narrow) if hides else ()))
        _say(*report.notes, *(report.reasons if shared.verbose else ()), *(report.undrawn if shared.plot else ()))
    _write(report, shared, tables or {})
    if not shared.quiet:
        _say(*(report.caveats if drawing(shared) else ()), *filter(None, (report.closing,)))
    code = max(_judged(report, shared), key=(0, 1, 4, 3).index)
    if code:
        raise Exit(code)


def _check_outputs(question: str, shared: Shared, tables: Mapping[str, str], inputs: Inputs) -> None:
    """Everything that can be known about outputs before anything is read."""
    for path in shared.files:
        format_of(path, shared.format)
    if shared.prints and shared.format:
        format_of(STDOUT, shared.format)
        if shared.format == "parquet" and sys.stdout.isatty():
            raise Usage("expected a file or a pipe for Parquet", "stdout is a terminal", "add -o FILE.parquet")
    if shared.plot and not QUESTIONS[question].draws:
        raise Usage("expected a command that draws", f"{question} has no picture", "leave out --plot")
    beside = (*tables.values(), *filter(None, (shared.plot, shared.provenance)))
    if STDOUT in beside:
        raise Usage("expected a file", f"found '{STDOUT}', which is stdout and takes the report alone", "name a file")
    if shared.plot:
        check_plot(shared.plot)
    for path in tables.values():
        format_of(path, None)
    check_distinct((*(shared.output or ()), *beside))
    for path in (*shared.files, *beside):
        inputs.check(path)
        check_writable(path)


def _write(report: Report, shared: Shared, tables: Mapping[str, str]) -> None:
    """Files first: a reader who closes stdout early loses none of them."""
    for path in shared.files:
        report.save(path, shared.format)
    for table, path in tables.items():
        report.save(path, table=table)
    if shared.plot:
        report.plot(shared.plot)
    if shared.provenance:
        report.save_provenance(shared.provenance)
    if shared.prints:
        report.write(sys.stdout, shared.format or default_format(Screen.of(sys.stdout)))


def _judged(report: Report, shared: Shared) -> list[int]:
    """Exit codes that apply: gates, unmeasured tensors under --strict, salvage."""
    for failure in report.failures:
        if failure.code or not shared.quiet:
            _say(failure.text)
    return [0, *(failure.code for failure in report.failures), 3 if report.incomplete else 0]


def _hidden(report: Report, shown: str, said: str) -> tuple[str, ...]:
    """How many rows are there and not shown."""
    listed = gate(parse(shown, report.columns), report.rows)
    many = listed.seen - listed.count
    return (f"{many} {said if many > 1 else said.replace('rows', 'row', 1)}",) if many else ()


def _say(*lines: str) -> None:
    for line in lines:
        print(fitted(line), file=sys.stderr)
