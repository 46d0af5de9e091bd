"""The subcommand of an analysis: from typed values to keywords, outputs and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..analyses import Analysis
from ..lazy import Lazy
from ..options import Declared, declared
from ..records import options_of
from .options import Outputs
from .parameters import with_options
from .terminal import prints_table

ending = Lazy("weightscope.cli.ending")  # not loaded for --help

FOLLOWED: Mapping[str, Callable[[Outputs], bool]] = {
    "plot": lambda outputs: outputs.plot is not None,
    "terminal": lambda outputs: prints_table(outputs),
    "elsewhere": lambda outputs: not prints_table(outputs),
}


def command(analysis: Analysis) -> Callable[..., Callable[[], None]]:
    """The command of an analysis, as typer registers it.

    What typer calls returns the work instead of doing it: typer has its own handling of interrupts
    and closed pipes.
    """

    def run(models: list[str], **typed: Any) -> Callable[[], None]:
        return partial(_answer, analysis, models, typed)

    return with_options(run, analysis)


def _answer(analysis: Analysis, models: list[str], typed: Mapping[str, Any]) -> None:
    """Runs the analysis with typed values; raises Exit with the code."""
    options = options_of(analysis).values()
    outputs = Outputs(**_given(declared(Outputs), typed))
    keywords = _given(options, typed) | _followed(options, typed, outputs)
    tables = {}
    for option in options:
        if option.option.table and option.name in keywords:
            tables[option.name] = typed[option.name]
    ending.answer(analysis, models, keywords, outputs, tables)


def _given(options: Iterable[Declared], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from the defaults, in the types of the records."""
    values = {}
    for option in options:
        raw = typed.get(option.name)
        if raw is None or raw is False or raw == []:
            continue  # not typed
        value = _value(option, raw)
        if value != option.default:
            values[option.name] = value
    return values


def _value(option: Declared, raw: Any) -> Any:
    """A typed value in the type of its record."""
    if option.option.table:
        return True
    if option.negated:
        return False
    if not option.several:
        return raw
    texts = raw
    if isinstance(raw, str):
        texts = [raw]
    if option.option.commas:
        return tuple(part.strip() for text in texts for part in text.split(","))
    return tuple(texts)


def _followed(
    options: Iterable[Declared], typed: Mapping[str, Any], outputs: Outputs
) -> dict[str, Any]:
    """Options that a picture or a table on a terminal sets, also to their default."""
    values = {}
    for option in options:
        if not option.option.follows:
            continue
        value = bool(typed.get(option.name)) or FOLLOWED[option.option.follows](outputs)
        if value or option.default:
            values[option.name] = value
    return values
