"""Declared options as the parameters and headings of a typer command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ..analyses import Analysis
from ..options import GROUPS, OWN, Declared
from .options import accepted

# types of typed values; all others are text, whatever type the record has
KINDS = {"bool": bool, "int": int, "float": float}
ARGUMENTS = "Arguments"
LAST = GROUPS[-1]  # the group of --help, which is declared by the parser
MODELS = typer.Argument(
    metavar="MODEL", help="Checkpoint, folder or demo:NAME.", show_default=False
)


class Command(TyperCommand):
    """A command whose help lists its options under headings, as plain text."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then each group of options.

        The heading is stored in the field that typer has for rich's panels.
        """
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections.setdefault(_heading(parameter), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def _heading(parameter: Any) -> str:
    """The heading above a parameter in the help."""
    if parameter.param_type_name == "argument":
        return ARGUMENTS
    # click's own --help has no such field
    return getattr(parameter, "rich_help_panel", None) or LAST


def with_options(run: Callable[..., Any], analysis: Analysis) -> Callable[..., Any]:
    """`run(models, **typed)` with the signature that typer reads: a parameter for each option."""
    options = sorted(accepted(analysis), key=lambda option: GROUPS.index(option.option.group))
    parameters = [_parameter("models", Annotated[list[str], MODELS], inspect.Parameter.empty)]
    for option in options:
        heading = option.option.group
        if heading == OWN:
            heading = f"Options of {analysis.name}"
        parameters.append(_parameter(option.name, _annotation(option, heading), _untyped(option)))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = analysis.summary
    return run


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _untyped(option: Declared) -> bool | None:
    """The value of an option that was not typed."""
    if option.option.table:  # a bool in the record, a file on the command line
        return None
    return False if option.switch else None


def _annotation(option: Declared, heading: str) -> Any:
    """The annotation from which typer builds a parameter."""
    about = option.option
    flags = filter(None, (option.flag, about.short))
    information = typer.Option(
        *flags,
        help=help_of(option),
        metavar=about.metavar,
        min=about.minimum,
        show_default=False,
        rich_help_panel=heading,
    )
    return Annotated[_kind(option), information]


def help_of(option: Declared) -> str:
    """The help of a flag."""
    if option.option.repeatable:
        return option.option.help.removesuffix(".") + " (repeatable)."
    return option.option.help


def _kind(option: Declared) -> Any:
    """The type of a typed value: a file for a table, several texts for a repeatable option."""
    if option.option.table:
        return str | None
    if option.switch:
        return bool
    if option.option.repeatable:
        return list[str] | None
    return KINDS.get(option.kind.removesuffix(" | None"), str) | None
