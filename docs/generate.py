"""Writes docs/reference, the Python functions and the site's list of commands: `python -m docs.generate`.

The command page is what --help says, the column page the declarations that headers, gates and types come from, the
page on families the TOML data that names are matched with, the page on notes the catalogue of their codes. A test fails
where a file is not current.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from typer.testing import CliRunner

from docs.functions import module
from weightscope.analyses import ANALYSES
from weightscope.analyses.outliers.findings import FINDINGS
from weightscope.cli.app import app
from weightscope.columns import Column
from weightscope.naming import Family, Rule, Sample, families
from weightscope.notes import NOTES

ROOT = Path(__file__).parents[1]
NOTICE = "<!-- written by docs/generate.py: change the program, then run `make docs` -->"
COMMANDS = re.compile(r'(?<=\{ "Commands" = \[).*?(?=\] \})')  # of the site's navigation


def files() -> dict[str, str]:
    """The text of each generated file by its path in the repository."""
    made = {
        "cli": cli_page(),
        "columns": columns_page(),
        "families": families_page(),
        "findings": findings_page(),
        "notes": notes_page(),
    }
    pages = {f"docs/reference/{name}.md": "\n".join(lines) + "\n" for name, lines in made.items()}
    return {**pages, "weightscope/functions.py": module(ANALYSES), "zensical.toml": navigation()}


def navigation() -> str:
    """The site's settings, with a page for each command."""
    settings = (ROOT / "zensical.toml").read_text("utf-8")
    entries = [f'{{ "{analysis.name}" = "commands/{analysis.name}.md" }}' for analysis in ANALYSES]
    return COMMANDS.sub(", ".join(entries), settings, count=1)


def cli_page() -> Iterator[str]:
    """What --help says of the program and of each command."""
    yield from ("# Command line", "", NOTICE, "")
    *first, last = (f"[{analysis.name}](../commands/{analysis.name}.md)" for analysis in ANALYSES)
    yield f"What `--help` prints. The pages on {', '.join(first)} and {last} say more."
    for command in ("", *(analysis.name for analysis in ANALYSES)):
        yield from ("", f"## weightscope {command}".rstrip(), "", "```text", *_help(command), "```")


def columns_page() -> Iterator[str]:
    """The declared columns of each command."""
    yield from ("# Columns", "", NOTICE, "")
    yield "Every column that a command may print, in order. How each is computed: [statistics](../statistics.md)."
    yield "An option in the last column brings the column; without one it is always there."
    for analysis in ANALYSES:
        for title, options in analysis.runs.items():
            yield from ("", f"## {analysis.name}: {title}", "")
            declared = analysis.columns(analysis.options(**options))
            yield from _table(
                ("column", "type", "meaning", "unit", "source", "option"), map(_column, declared)
            )
    yield from ("", "## Grouped rows", "")
    yield "With `--by role`, `layer` or `model` a row of `fit` has `role`, or `stack` and `layer`, or neither; then"
    yield "`kind`, `tensors`, `params`; then each statistic pooled under its own name, and beside each number"
    yield "`_median`, `_min` and `_max` over the tensors of the group. A row of `spectrum` has these three alone, since"
    yield "spectra of different matrices are not pooled. With several MODELs `source` comes first."


def families_page() -> Iterator[str]:
    """The rules by which names are understood, as the TOML files have them."""
    yield from ("# Families of names", "", NOTICE, "")
    yield "The rules that turn names into roles, in the order of matching; the first match wins."
    yield "[Families](../families.md) says how to read them and how to add your own."
    for family in families():
        yield from ("", f"## {family.id}", "", ", ".join(family.families) + ".", "")
        yield from _table(("regex", "role", "stored", "split"), map(_rule, family.rules))
        yield from ("", "Examples:", "")
        yield from _table(("name", "role"), dict.fromkeys(filter(None, map(_sample, _few(family)))))


def findings_page() -> Iterator[str]:
    """The catalogue of `outliers`."""
    yield from ("# Findings", "", NOTICE, "")
    yield "The `findings` of [outliers](../commands/outliers.md): what each means, why it matters, what to do,"
    yield "and where it was observed. `--ignore ID` omits one; the severity depends on the place of the tensor."
    for finding in FINDINGS:
        yield from ("", f"## {finding.id}: {finding.title}", "", finding.why, "")
        yield from (f"**What to do:** {finding.advice}", "", f"**Observed in:** {finding.case}")


def notes_page() -> Iterator[str]:
    """The catalogue of notes."""
    yield from ("# Notes", "", NOTICE, "")
    yield "Why a value is missing, or what is odd about a tensor. `note` has the sentences of a row, `note_codes` the"
    yield "codes, joined by commas. JSON, JSON Lines and Parquet always have `note_codes`, other formats where"
    yield "`--columns` names it. Sentences may be worded anew; codes keep their meaning. No code is part of another, so"
    yield "`--fail-if '\"memory\" in note_codes'` asks for that one."
    yield ""
    yield from _table(("code", "meaning"), ((f"`{code.name}`", code.meaning) for code in NOTES))


def _help(command: str) -> list[str]:
    """The help of a command at 80 columns; the program's own without a command."""
    arguments = [command, "--help"] if command else ["--help"]
    done = CliRunner().invoke(app, arguments, prog_name="weightscope", terminal_width=80)
    return [line.rstrip() for line in done.output.rstrip().splitlines()]


def _column(c: Column) -> tuple[str, ...]:
    return f"`{c.name}`", c.dtype, c.meaning, c.unit, c.source, f"`{c.option}`" if c.option else ""


def _rule(rule: Rule) -> tuple[str, ...]:
    roles = dict.fromkeys([rule.role] if isinstance(rule.role, str) else rule.role.values())
    stored = (
        [rule.orientation]
        if isinstance(rule.orientation, str)
        else [f"{value} ({key or 'else'})" for key, value in rule.orientation.items()]
    )
    split = (
        [rule.split]
        if isinstance(rule.split, str)
        else [f"{value} ({key or 'else'})" for key, value in rule.split.items()]
    )
    return f"`{rule.regex}`", ", ".join(roles), ", ".join(stored), ", ".join(filter(None, split))


def _few(family: Family) -> tuple[Sample, ...]:
    return family.samples[:4]


def _sample(sample: Sample) -> tuple[str, ...] | None:
    """A sample whose roles the file states; control characters and such are the tests' business."""
    roles = dict.fromkeys(str(e["role"]) for e in sample.expect if "role" in e)
    return (f"`{sample.name}`", ", ".join(roles)) if roles and sample.name.isprintable() else None


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table; a bar inside a cell would end it."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def main() -> None:
    """Writes the files that have changed."""
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
