"""The application: its commands, --version, and how wrong usage is said."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __version__
from .commands import COMMANDS

EPILOG = "Example: weightscope fit demo:gpt"
app = typer.Typer(
    name="weightscope",
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


@app.callback()
def _main(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        print(f"weightscope {__version__}")
        raise typer.Exit
