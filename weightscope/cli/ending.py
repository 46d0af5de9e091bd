"""The outputs ending of every command: check what will be written, ask, render, write, judge, exit.

Commands load it when they run: `--help` needs none of what it imports.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..analyses import Analysis, Listing
from ..api import ask, inputs_of
from ..errors import UsageError
from ..records import filled
from ..reports.expression import parse
from ..reports.files import check_writable
from ..reports.formats import default_format, format_of
from ..reports.gate import gate
from ..reports.inputs import STDOUT, Inputs, check_distinct
from ..reports.pictures import check_plot
from ..reports.report import Report
from ..reports.screen import Screen
from .exits import Exit
from .options import Outputs
from .terminal import drawing, fitted, progress


def answer(
    analysis: Analysis,
    models: Sequence[str],
    keywords: Mapping[str, Any],
    outputs: Outputs,
    tables: Mapping[str, str],
) -> None:
    """Asks the question and carries the report to its outputs; raises Exit with the code.

    `tables`: the files that take the extra tables, by table.
    """
    _check_outputs(outputs, tables, inputs_of(analysis.name, models, keywords))
    listing = _listing(analysis, keywords, outputs)
    watch = None if outputs.quiet or outputs.no_progress or not sys.stderr.isatty() else progress
    report = ask(analysis.name, models, {**keywords, **_chosen(listing)}, watch)
    if not outputs.quiet:
        _say(*_hidden(report, listing))
        _say(
            *report.notes,
            *(report.reasons if outputs.verbose else ()),
            *(report.undrawn if outputs.plot else ()),
        )
    _write(report, outputs, tables)
    if not outputs.quiet:
        _say(*(report.caveats if drawing(outputs) else ()), *filter(None, (report.closing,)))
    code = max(_judged(report, outputs), key=(0, 1, 4, 3).index)
    if code:
        raise Exit(code)


def _listing(analysis: Analysis, keywords: Mapping[str, Any], outputs: Outputs) -> Listing:
    """Which rows a person is shown who chose none; all of them in a pipe and a file."""
    options = filled(analysis, keywords, several=False)[analysis.options]
    if outputs.plot:
        analysis.check_plot(options)
    listing = analysis.listed(options)
    chosen = any(name in keywords for name in listing.gives_way)
    return Listing() if chosen or not drawing(outputs) else listing


def _chosen(listing: Listing) -> dict[str, str]:
    """A listing as options of the view."""
    return {
        name: value for name, value in (("where", listing.where), ("sort", listing.sort)) if value
    }


def _check_outputs(outputs: Outputs, tables: Mapping[str, str], inputs: Inputs) -> None:
    """Everything that can be known about outputs before anything is read."""
    for path in outputs.files:
        format_of(path, outputs.format)
    if outputs.prints and outputs.format:
        format_of(STDOUT, outputs.format)
        if outputs.format == "parquet" and sys.stdout.isatty():
            raise UsageError(
                "expected a file or a pipe for Parquet",
                "stdout is a terminal",
                "add -o FILE.parquet",
            )
    beside = (*tables.values(), *filter(None, (outputs.plot, outputs.provenance)))
    if STDOUT in beside:
        raise UsageError(
            "expected a file",
            f"found '{STDOUT}', which is stdout and takes the report alone",
            "name a file",
        )
    if outputs.plot:
        check_plot(outputs.plot)
    for path in tables.values():
        format_of(path, None)
    check_distinct((*outputs.output, *beside))
    for path in (*outputs.files, *beside):
        inputs.check(path)
        check_writable(path)


def _write(report: Report, outputs: Outputs, tables: Mapping[str, str]) -> None:
    """Files first: a reader who closes stdout early loses none of them."""
    for path in outputs.files:
        report.save(path, outputs.format)
    for table, path in tables.items():
        report.save(path, table=table)
    if outputs.plot:
        report.plot(outputs.plot)
    if outputs.provenance:
        report.save_provenance(outputs.provenance)
    if outputs.prints:
        report.write(sys.stdout, outputs.format or default_format(Screen.of(sys.stdout)))


def _judged(report: Report, outputs: Outputs) -> list[int]:
    """Exit codes that apply: gates, unmeasured tensors under --strict, salvage."""
    for failure in report.failures:
        if failure.code or not outputs.quiet:
            _say(failure.text)
    return [0, *(failure.code for failure in report.failures), 3 if report.incomplete else 0]


def _hidden(report: Report, listing: Listing) -> tuple[str, ...]:
    """How many rows are there and not shown."""
    if not listing.where:
        return ()
    shown = gate(parse(listing.where, report.columns), report.rows)
    many = shown.seen - shown.count
    rest = listing.rest if many > 1 else listing.rest.replace("rows", "row", 1)
    return (f"{many} {rest}",) if many else ()


def _say(*lines: str) -> None:
    for line in lines:
        print(fitted(line), file=sys.stderr)
