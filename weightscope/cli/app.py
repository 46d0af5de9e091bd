"""The application: its commands and --version; parsing ends before the work begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from ..analyses import ANALYSES, Analysis
from ..version import __version__
from .command import command
from .parameters import Command

NAME = "weightscope"  # also under `python -m`: completion asks for its variable by this name
EPILOG = "Example: weightscope fit demo:gpt"


def _version(asked: bool) -> None:
    if asked:
        print(f"weightscope {__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
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
        help="What is in a neural-network checkpoint: from its weights alone, never running the model.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_main)
    for analysis in analyses:
        epilog = f"Example: {analysis.example}"
        app.command(analysis.name, cls=Command, epilog=epilog)(command(analysis))
    return app


app = application(ANALYSES)


def run(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, then works; the code is 0 unless the parser ended by itself (help, --version)."""
    work = app(arguments, prog_name=NAME, standalone_mode=False)
    if callable(work):
        work()
        return 0
    return int(work or 0)
