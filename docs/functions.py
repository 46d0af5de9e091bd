"""Generates weightscope/functions.py: a typed function for each analysis, from its options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from weightscope.analyses import Analysis
from weightscope.options import GROUPS, OWN, Declared
from weightscope.records import options_of

WIDTH = 100
HEAD = '''"""The analyses as typed functions: written by docs/generate.py, run `make docs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .api import answer
from .keywords import named
from .reports.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from .checkpoints import Source

__all__ = [{names}]
'''
MODELS = "paths, `demo:NAME`, open checkpoints or dicts of tensors."
RAISES = (
    "Raises UsageError for a wrong argument, CheckpointError for a model that cannot be opened or "
    "trusted, and GateFailed, which carries the report, if an expression of `fail_if` is true for "
    "a row."
)
KINDS = {"tuple[str, ...]": "str | Sequence[str]"}  # type in a record -> type of the keyword
NUMBERS = "int | str | Sequence[int]"


def module(analyses: Iterable[Analysis]) -> str:
    """The text of the file."""
    ordered = sorted(analyses, key=lambda analysis: analysis.name)
    names = ", ".join(f'"{analysis.name}"' for analysis in ordered)
    text = HEAD.format(names=names)
    for analysis in ordered:
        text += "\n\n" + "\n".join(function(analysis)) + "\n"
    return text


def function(analysis: Analysis) -> Iterator[str]:
    """The lines of one function."""
    yield from ("@named", f"def {analysis.name}(", "    *models: Source,")
    for option in options_of(analysis).values():
        kind = KINDS.get(option.kind, option.kind)
        if option.option.numbers:
            kind = NUMBERS
        yield f"    {option.name}: {kind} = {_literal(option.default)},"
    yield ") -> Report:"
    yield from _indented(docstring(analysis))
    yield f'    return answer("{analysis.name}", **locals())'


def docstring(analysis: Analysis) -> Iterator[str]:
    """Summary, arguments under the headings of the help, errors, and an example that runs."""
    first, *rest = wrap('"""' + analysis.summary, WIDTH - 4)
    yield from (first, *rest, "")
    yield from ("Arguments:", *_paragraph("models", MODELS))
    options = list(options_of(analysis).values())
    for group in GROUPS:
        members = [option for option in options if option.option.group == group]
        if not members:
            continue
        yield from ("", f"{_heading(analysis, group)}:")
        for option in members:
            yield from _paragraph(_argument(option), option.option.help)
    yield from ("", *wrap(RAISES, WIDTH - 4), "")
    expression, value = analysis.call
    yield from (f">>> {expression}", value, '"""')


def _heading(analysis: Analysis, group: str) -> str:
    return f"Options of {analysis.name}" if group == OWN else group


def _argument(option: Declared) -> str:
    """The name of an argument; `split=False` where the help describes the value False."""
    return f"{option.name}=False" if option.negated else option.name


def _paragraph(name: str, text: str) -> list[str]:
    return wrap(
        f"{name}: {text}",
        WIDTH - 4,
        initial_indent="    ",
        subsequent_indent=" " * 8,
        break_on_hyphens=False,
    )


def _literal(value: object) -> str:
    """A default as Python code, with double quotes."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}".rstrip() for line in lines)
