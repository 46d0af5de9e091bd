"""weightscope fit."""

from __future__ import annotations

from typing import Annotated

import typer

from ...heavy import Lazy
from ..options import Shared, shared
from ..terminal import drawing

ending = Lazy("weightscope.cli.ending")
EPILOG = "Example: weightscope fit demo:gpt --role 'mlp.*' --sort=-beta"


@shared
def fit(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="Checkpoint, folder or demo:NAME.", show_default=False)
    ],
    long: Annotated[
        bool, typer.Option("--long", help="One row for each law: parameters, likelihood, goodness.")
    ] = False,
    balance: Annotated[
        bool, typer.Option("--balance", help="Also the law of the core without row and column scales.")
    ] = False,
    coding: Annotated[bool, typer.Option("--coding", help="Also entropy and coding cost.")] = False,
    counts: Annotated[
        str | None,
        typer.Option("--counts", metavar="FILE.parquet", help="Write the counted cells.", show_default=False),
    ] = None,
    *,
    shared: Shared,
) -> None:
    """Which law do the weights follow, how well, and are they i.i.d.?"""
    own = {
        "long": long,
        "balance": balance,
        "coding": coding,
        "counts": counts is not None,
        "seed": shared.seed,
        "panels": shared.plot is not None,
        "histogram": drawing(shared),
    }
    given = {k: v for k, v in own.items() if v or k == "panels"}
    ending.answer("fit", models, given, shared, tables={"counts": counts} if counts is not None else {})
