"""Writes docs/reference, the Python functions and lists on other pages: `python -m docs.generate`.

The command page is the output of --help; the pages of columns, families, findings and notes are the
declarations that the program uses. A test fails if a file is not current.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from typer.testing import CliRunner

from docs import calibration, rates, truth
from docs.functions import module
from weightscope.analyses import ANALYSES
from weightscope.analyses.compare.series.columns import OF_SERIES
from weightscope.analyses.depth import catalogue
from weightscope.analyses.outliers.findings import FINDINGS
from weightscope.cli.app import app
from weightscope.columns import Column
from weightscope.naming import Rule, Sample, families
from weightscope.naming.splits import SCHEMES, Scheme
from weightscope.note_codes import NOTES
from weightscope.reports.writers import WRITERS
from weightscope.statistics import schemes

ROOT = Path(__file__).parents[1]
NOTICE = "<!-- written by docs/generate.py: change the program, then run `make docs` -->"
STATS_HEAD = (
    '"""The names of `depth --stat` by command: written by docs/generate.py, run `make docs`."""',
    "",
    "from __future__ import annotations",
    "",
)
FEW = 4  # samples of a family on its page
FORMATS = re.compile(r"(?<=from WRITERS: run `make docs` -->\n\n).*?(?=\n\n)", re.S)
COMMANDS = re.compile(r'(?<=\{ "Commands" = \[).*?(?=\] \})')  # of the site's navigation


def files() -> dict[str, str]:
    """The text of each generated file by its path in the repository."""
    reference = {
        "calibration": calibration_page(),
        "cli": cli_page(),
        "columns": columns_page(),
        "families": families_page(),
        "findings": findings_page(),
        "notes": notes_page(),
        "truth": truth_page(),
    }
    pages = {}
    for name, lines in reference.items():
        pages[f"docs/reference/{name}.md"] = "\n".join(lines) + "\n"
    return {
        **pages,
        "docs/formats.md": formats_page(),
        "weightscope/analyses/depth/stats.py": stats(),
        "weightscope/functions.py": module(ANALYSES),
        "zensical.toml": navigation(),
    }


def stats() -> str:
    """The module with the names that `depth` takes: --stat, reasons for other columns, --law."""
    taken = {}
    refused = {}
    for command, columns in catalogue.by_command().items():
        taken[command] = tuple(name for name, c in columns.items() if not catalogue.lack(c))
        for name, column in columns.items():
            if catalogue.lack(column):
                refused[name] = catalogue.lack(column)
    lines = ["STATS = {"]
    for command, names in taken.items():
        lines.append(f'    "{command}": (')
        lines.extend(f'        "{name}",' for name in names)
        lines.append("    ),")
    lines += ["}", "REFUSED = {"]
    lines.extend(f'    "{name}": "{reason}",' for name, reason in refused.items())
    lines += ["}", "LAWS = ("]
    lines.extend(f'    "{scheme.name}",' for scheme in schemes.SCHEMES)
    return "\n".join((*STATS_HEAD, *lines, ")")) + "\n"


def navigation() -> str:
    """The site's settings, with a page for each command."""
    settings = (ROOT / "zensical.toml").read_text("utf-8")
    entries = [f'{{ "{analysis.name}" = "commands/{analysis.name}.md" }}' for analysis in ANALYSES]
    return COMMANDS.sub(", ".join(entries), settings, count=1)


def formats_page() -> str:
    """The page on formats, with a row for each writer."""
    rows = []
    for writer in WRITERS.values():
        suffixes = ", ".join(f"`{suffix}`" for suffix in writer.suffixes)
        rows.append((writer.name, suffixes, writer.about))
    table = "\n".join(_table(("format", "suffix", "for"), rows))
    page = (ROOT / "docs/formats.md").read_text("utf-8")
    return FORMATS.sub(lambda match: table, page, count=1)


def calibration_page() -> Iterator[str]:
    """The scores of noise, as tests/truth/calibration_lines.py and _spectra.py stored them."""
    records = []
    for name in ("lines", "spectra"):
        stored = (ROOT / f"tests/truth/calibration_{name}.json").read_text("utf-8")
        records += json.loads(stored)
    yield from ("# Scores of noise", "", NOTICE, "", calibration.TEXT, "")
    yield from _table(calibration.heads(records), calibration.rows(records))


def cli_page() -> Iterator[str]:
    """The output of --help for the program and for each command."""
    yield from ("# Command line", "", NOTICE, "")
    links = [f"[{analysis.name}](../commands/{analysis.name}.md)" for analysis in ANALYSES]
    first, last = ", ".join(links[:-1]), links[-1]
    yield f"The output of `--help`. The pages of {first} and {last} have examples."
    for command in ("", *(analysis.name for analysis in ANALYSES)):
        yield from ("", f"## weightscope {command}".rstrip(), "", "```text", *_help(command), "```")


def columns_page() -> Iterator[str]:
    """The declared columns of each command."""
    yield from ("# Columns", "", NOTICE, "")
    yield "Every column that a command can print, in order. [Statistics](../statistics.md) has the"
    yield "formulas. A column with an entry under `option` needs that option; one on request is"
    yield "measured and written where it is named, or with `--columns all`; all others are always"
    yield "present."
    heads = ("column", "type", "meaning", "unit", "source", "option")
    for analysis in ANALYSES:
        for title, options in analysis.runs.items():
            yield from ("", f"## {analysis.name}: {title}", "")
            declared = analysis.columns(analysis.options(**options))
            yield from _table(heads, map(_column, declared))
    yield from ("", "## Grouped rows", "")
    yield "With `--by role`, `layer` or `model` a row of `fit` has `role`, or `stack` and `layer`,"
    yield "or neither; then `kind`, `tensors`, `params`; then each statistic pooled under its own"
    yield "name, and for each number `_median`, `_min` and `_max` over the tensors of the group. A"
    yield "row of `spectrum` has only these three, since spectra of different matrices are not"
    yield "pooled. With several MODELs `source` comes first."
    yield from ("", "## Series and seeds", "")
    yield "With more than two MODELs a row of `compare` begins with these columns:"
    yield ""
    yield from _table(heads, map(_column, OF_SERIES))
    yield ""
    yield "With `--bootstrap` each number is the mean over the seeds, with its 95% interval in"
    yield "`_low` and `_high`."


def truth_page() -> Iterator[str]:
    """The results of `make truth`, as it stored them."""
    stored = json.loads((ROOT / "tests/truth/results.json").read_text("utf-8"))
    yield from ("# A second computation", "", NOTICE, "")
    yield from truth.introduction(stored)
    for command, records in stored["commands"].items():
        yield from ("", f"## {command}", "")
        yield from _table(truth.HEADS, map(truth.row, records))
    yield from ("", "## The law of the tail", "", truth.TAILS, "")
    yield from _table(truth.TAIL_HEADS, map(truth.tail_row, stored["tails"]))


def families_page() -> Iterator[str]:
    """The rules that match names, as in the TOML files."""
    yield from ("# Families of names", "", NOTICE, "")
    yield "The rules that turn names into roles, in the order of matching: the first rule applies"
    yield "whose regex matches the name and whose conditions hold. A condition is a number of"
    yield "dimensions or another name of the file."
    yield "[Families](../families.md) explains the terms and how to add your own rules."
    for family in families():
        yield from ("", f"## {family.id}", "", ", ".join(family.families) + ".", "")
        yield from _table(
            ("regex", "role", "slot", "conditions", "stored", "split"), map(_rule, family.rules)
        )
        yield from ("", "Examples:", "")
        samples = [_sample(sample) for sample in family.samples[:FEW]]
        yield from _table(("name", "role"), dict.fromkeys(row for row in samples if row))
    yield from ("", "## Schemes of splits", "")
    yield "`split` names a scheme, then what the scheme needs: usually the parts in their order."
    yield ""
    yield from _table(("scheme", "meaning", "example"), map(_scheme, SCHEMES.items()))


def findings_page() -> Iterator[str]:
    """The catalogue of `outliers`."""
    records = json.loads((ROOT / "tests/rates/findings.json").read_text("utf-8"))
    yield from ("# Findings", "", NOTICE, "")
    yield "The `findings` of [outliers](../commands/outliers.md): what each means, why it matters,"
    yield "what to do, where it was observed, from which values it is reported, the reason for its"
    yield "severity, and how often noise has it. `--ignore ID` omits one; the severity depends on"
    yield "the place of the tensor."
    for finding in FINDINGS:
        yield from ("", f"## {finding.id}: {finding.title}", "", finding.why, "")
        yield from (f"**What to do:** {finding.advice}", "", f"**Observed in:** {finding.case}")
        yield from ("", f"**Threshold:** {finding.threshold}")
        yield from ("", f"**Severity:** {finding.reason}")
        yield from ("", f"**On noise:** {finding.noise or rates.sentence(finding.id, records)}")
    yield from ("", "## Rates on noise", "", rates.TEXT, "")
    yield from _table(rates.heads(records), map(rates.row, records))


def notes_page() -> Iterator[str]:
    """The catalogue of notes."""
    yield from ("# Notes", "", NOTICE, "")
    yield "Reasons for missing values and remarks on a tensor. `note` has the sentences of a row,"
    yield "`note_codes` the codes, joined by commas. JSON, JSON Lines and Parquet always have"
    yield "`note_codes`, other formats if `--columns` names it. Sentences may change; codes keep"
    yield "their meaning. No code is part of another, so"
    yield "`--fail-if '\"memory\" in note_codes'` tests this code only."
    yield ""
    yield from _table(("code", "meaning"), ((f"`{code.name}`", code.meaning) for code in NOTES))


def _help(command: str) -> list[str]:
    """The help of a command at 80 columns; the program's own without a command."""
    arguments = [command, "--help"] if command else ["--help"]
    done = CliRunner().invoke(app, arguments, prog_name="weightscope", terminal_width=80)
    return [line.rstrip() for line in done.output.rstrip().splitlines()]


def _column(c: Column) -> tuple[str, ...]:
    """A row of the page of columns."""
    option = f"`{c.option}`" if c.option else ""
    if c.on_request:
        option = "on request"
    return f"`{c.name}`", c.dtype, c.meaning, c.unit, c.source, option


def _rule(rule: Rule) -> tuple[str, ...]:
    """One row; a text that is a table has an entry per key."""
    roles = [rule.role] if isinstance(rule.role, str) else rule.role.values()
    return (
        f"`{rule.regex}`",
        ", ".join(dict.fromkeys(roles)),
        _slot(rule),
        "; ".join(_conditions(rule)),
        _by_model_type(rule.orientation),
        _by_model_type(rule.split),
    )


def _slot(rule: Rule) -> str:
    """The word of a rule, or its word for each text of the group."""
    if rule.slot is None:
        return "the group `slot`" if "slot" in rule.pattern.groupindex else ""
    if isinstance(rule.slot, str):
        return rule.slot and f"`{rule.slot}`"
    words = []
    for text, word in rule.slot.items():
        words.append(f"{_quoted(word)} ({_quoted(text)})")
    return ", ".join(words)


def _scheme(item: tuple[str, Scheme]) -> tuple[str, ...]:
    """One row: the first sentence of the docstring, and the first `split` of a rule."""
    name, scheme = item
    meaning, *_ = (scheme.__doc__ or "").split("\n\n")
    splits = (rule.split for family in families() for rule in family.rules)
    for split in splits:
        texts = [split] if isinstance(split, str) else split.values()
        for text in texts:
            if text.split()[:1] == [name]:
                return f"`{name}`", meaning, f"`{text}`"
    return f"`{name}`", meaning, ""


def _quoted(text: str) -> str:
    return f"`{text}`" if text else "none"


def _conditions(rule: Rule) -> Iterator[str]:
    """What must hold beside the regex."""
    if rule.rank:
        yield f"dimensions: {', '.join(map(str, rule.rank))}"
    if rule.dim1 is not None:
        yield f"second dimension: {rule.dim1}"
    if rule.beside:
        yield f"for `key`, {_exists(rule.beside)}"
    for sibling in rule.same_layer:
        place = "same layer" if "layer" in rule.pattern.groupindex else "file"
        yield f"in the {place}, {_exists(sibling)}"
    if rule.without:
        yield f"no other matrix is called `{rule.without}`"


def _exists(name: str) -> str:
    if name.startswith("!"):
        return f"no `{name.removeprefix('!')}`"
    return f"`{name}`"


def _by_model_type(value: str | Mapping[str, str]) -> str:
    """One value, or those of the model types."""
    if isinstance(value, str):
        return value
    texts = [f"{text} ({model_type or 'else'})" for model_type, text in value.items() if text]
    return ", ".join(texts)


def _sample(sample: Sample) -> tuple[str, ...] | None:
    """A row of a sample with declared roles; None for others and for control characters."""
    roles = dict.fromkeys(str(place["role"]) for place in sample.expect if "role" in place)
    if not roles or not sample.name.isprintable():
        return None
    return f"`{sample.name}`", ", ".join(roles)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table; a bar inside a cell would end it."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |"


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
