"""The application: its commands and --version; parsing ends before the work begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from .. import __version__
from .commands import COMMANDS

NAME = "weightscope"  # also under `python -m`: completion asks for its variable by this name
EPILOG = "Example: weightscope fit demo:gpt"
app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=EPILOG,
    help="What is in a neural-network checkpoint: from its weights alone, never running the model.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    name = command.__name__.rpartition(".")[2]
    app.command(name, epilog=command.EPILOG)(getattr(command, name))


def _version(asked: bool) -> None:
    if asked:
        print(f"weightscope {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def run(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, then works; the code is 0 unless the parser ended by itself (help, --version)."""
    work = app(arguments, prog_name=NAME, standalone_mode=False)
    if callable(work):
        work()
        return 0
    return int(work or 0)
