"""The end of every command: check outputs, measure, print notes, write, evaluate gates, exit.

Commands load it when they run: `--help` needs none of its imports.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..analyses import Analysis, Listing
from ..api import ask
from ..errors import UsageError
from ..input_files import inputs_of
from ..out_of_memory import check_limit
from ..records import filled
from ..reports.expression import parse
from ..reports.files import check_writable
from ..reports.formats import default_format, format_of, writer_for
from ..reports.gate import gate
from ..reports.inputs import STDOUT, Inputs, check_distinct
from ..reports.pictures import check_plot, check_series, settings
from ..reports.report import Report
from ..reports.screen import Screen
from ..reports.stored import is_stored
from .exits import Exit
from .messages import message
from .options import Outputs
from .terminal import fitted, prints_table, progress

SEVERITY = (0, 1, 4, 3)  # exit codes, the most severe last: a damaged source outweighs a gate


def answer(
    analysis: Analysis,
    models: Sequence[str],
    keywords: Mapping[str, Any],
    outputs: Outputs,
    tables: Mapping[str, str],
) -> None:
    """Measures and writes the report to its outputs; raises Exit with the code.

    `tables`: the files for the extra tables, by table.
    """
    if analysis.measures:
        check_limit()
    _check_outputs(outputs, tables, inputs_of(analysis.name, models, keywords))
    listing = Listing()
    if not (analysis.takes_reports and is_stored(models[0])):
        listing = _listing(analysis, keywords, outputs, len(models))
    watched = sys.stderr.isatty() and not (outputs.quiet or outputs.no_progress)
    report = ask(
        analysis.name,
        models,
        {**keywords, **_view_options(listing)},
        progress if watched else None,
    )
    if not outputs.quiet:
        _print_notes(report, listing, outputs)
    _write(report, outputs, tables)
    if not outputs.quiet:
        _print_closing(report, outputs)
    code = _exit_code(report, outputs)
    if report.coverage and not outputs.quiet:
        _print(report.coverage)
    if code:
        raise Exit(code)


def _listing(
    analysis: Analysis, keywords: Mapping[str, Any], outputs: Outputs, models: int
) -> Listing:
    """The rows that a terminal shows if the user chose none; all of them in a pipe and a file."""
    options = filled(analysis, keywords, models)[analysis.options]
    if outputs.plot:
        analysis.check_plot(options)
        check_series(outputs.plot, series=analysis.is_series(options))
    listing = analysis.listed(options)
    chosen = any(name in keywords for name in listing.gives_way)
    if chosen or not prints_table(outputs):
        return Listing()
    return listing


def _view_options(listing: Listing) -> dict[str, str]:
    """A listing as options of the view."""
    options = {"where": listing.where, "sort": listing.sort}
    return {name: value for name, value in options.items() if value}


def _check_outputs(outputs: Outputs, tables: Mapping[str, str], inputs: Inputs) -> None:
    """Refuses outputs that cannot be written, before anything is read."""
    for path in outputs.files:
        format_of(path, outputs.format)
    if outputs.prints and outputs.format:
        writer_for(outputs.format, Screen.of(sys.stdout))
    extras = [*tables.values()]
    extras += [path for path in (outputs.plot, outputs.provenance) if path]
    if STDOUT in extras:
        raise UsageError(
            "expected a file",
            f"found '{STDOUT}', which is stdout and takes only the report",
            "name a file",
        )
    if outputs.plot:
        check_plot(outputs.plot)
        settings.load()
    for path in tables.values():
        format_of(path, None)
    check_distinct((*outputs.output, *extras))
    for path in (*outputs.files, *extras):
        inputs.check(path)
        check_writable(path)


def _write(report: Report, outputs: Outputs, tables: Mapping[str, str]) -> None:
    """Files first: they are complete even if the reader of stdout closes it early."""
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


def _exit_code(report: Report, outputs: Outputs) -> int:
    """Prints why the report is a failure and returns the most severe code."""
    codes = {0}
    for failure in report.failures:
        if failure.code or not outputs.quiet:  # --quiet hides warnings, not failures
            _print(failure.text)
        codes.add(failure.code)
    if report.incomplete:
        codes.add(3)
    return max(codes, key=SEVERITY.index)


def _print_notes(report: Report, listing: Listing, outputs: Outputs) -> None:
    """What a person reads above the table."""
    hidden = _hidden_count(report, listing)
    if hidden:
        _print(hidden)
    _print(*report.notes)
    if outputs.verbose:
        _print(*report.reasons)
    if outputs.plot:
        _print(*report.missing_from(outputs.plot))


def _print_closing(report: Report, outputs: Outputs) -> None:
    """What a person reads below the table."""
    if prints_table(outputs):
        _print(*report.caveats)
    if report.closing:
        _print(report.closing)


def _hidden_count(report: Report, listing: Listing) -> str:
    """How many rows the listing hides; "" for none."""
    if not listing.where:
        return ""
    shown = gate(parse(listing.where, report.columns), report.rows)
    hidden = shown.seen - shown.count
    if not hidden:
        return ""
    if hidden > 1:
        rest = listing.rest
    else:
        rest = listing.rest.replace("rows", "row", 1)
    return f"{hidden} {rest}"


def _print(*texts: str) -> None:
    """Prints to stderr: stdout has only the report."""
    for text in texts:
        message(fitted(text))
