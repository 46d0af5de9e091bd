"""The typer application: commands and --version. Parsing ends before the work begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from typer.main import get_command

from ..analyses import ANALYSES, Analysis
from ..version import __version__
from .command import command
from .parameters import Command

NAME = "weightscope"  # also under `python -m`: the variable of shell completion is named after it
HELP = "What is in a neural-network checkpoint: from its weights alone, without running the model."
EPILOG = "Example: weightscope fit demo:gpt"


def _version(requested: bool) -> None:
    """Prints the version and exits."""
    if requested:
        print(f"weightscope {__version__}")
        raise typer.Exit


VERSION = typer.Option(
    "--version", callback=_version, is_eager=True, help="Print the version and exit."
)


def _main(
    version: Annotated[bool, VERSION] = False,
) -> None:
    pass


def application(analyses: Iterable[Analysis]) -> typer.Typer:
    """The program with a command for each analysis."""
    app = typer.Typer(
        name=NAME,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        epilog=EPILOG,
        help=HELP,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_main)
    for analysis in analyses:
        epilog = "\n\n".join((*analysis.remarks, f"Example: {analysis.example}"))
        app.command(analysis.name, cls=Command, epilog=epilog)(command(analysis))
    return app


app = application(ANALYSES)
parser = get_command(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, then runs the command; returns 0, or the code of the parser itself."""
    result = parser(arguments, prog_name=NAME, standalone_mode=False)
    if callable(result):
        result()
        return 0
    return int(result or 0)  # --help and --version end in the parser
