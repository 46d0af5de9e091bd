"""weightscope ls."""

from __future__ import annotations

from typing import Annotated

import typer

from ...heavy import Lazy
from ..options import Shared, shared
from ..terminal import drawing

ending = Lazy("weightscope.cli.ending")
EPILOG = "Example: weightscope ls demo:gpt --by dtype -f markdown"


@shared
def ls(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="Checkpoint, folder or demo:NAME.", show_default=False)
    ],
    flat: Annotated[bool, typer.Option("--flat", help="Every layer in a row of its own, on a terminal too.")] = False,
    metadata: Annotated[bool, typer.Option("--metadata", help="The file's metadata instead of its tensors.")] = False,
    *,
    shared: Shared,
) -> None:
    """What is in a checkpoint: names, roles, shapes, types and bytes, from its headers alone."""
    own = {"flat": flat or not drawing(shared), "metadata": metadata}
    ending.answer("ls", models, own, shared)
