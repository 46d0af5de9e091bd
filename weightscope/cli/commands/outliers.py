"""weightscope outliers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ...errors import Usage
from ...heavy import Lazy
from ..options import Shared, shared
from ..terminal import drawing

ending = Lazy("weightscope.cli.ending")
EPILOG = "Example: weightscope outliers demo:gpt --quant int4_g128 --fail-if 'nan + inf > 0'"
FOUND = ("not isnull(findings)", "rows without findings: not listed")


@shared
def outliers(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="Checkpoint, folder or demo:NAME.", show_default=False)
    ],
    quant: Annotated[
        str | None,
        typer.Option(
            "--quant", metavar="SCHEME,...",
            help="Also the error of all or some of int8, int4_g128, int4_g32, fp8_e4m3, fp8_e4m3_b128, mxfp4, nvfp4.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="N", min=1, help="The N most extreme weights instead.", show_default=False),
    ] = None,
    top_rows: Annotated[
        int | None,
        typer.Option("--top-rows", metavar="N", min=1, help="The N rows of oddest norm instead.", show_default=False),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="MODEL", help="What this was made from: rows that changed.", show_default=False),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="ID,...", help="Findings not to report (repeatable).", show_default=False),
    ] = None,
    *,
    shared: Shared,
) -> None:
    """What stands out? Extreme, dead, duplicate, untrained and non-finite weights, and what they cost."""
    own = {
        "quant": tuple(name.strip() for name in quant.split(",")) if quant is not None else (),
        "top": top,
        "top_rows": top_rows,
        "base": base,
        "ignore": tuple(name.strip() for text in ignore or () for name in text.split(",")),
    }
    given = {k: v for k, v in own.items() if v} | {"panels": shared.plot is not None}
    lists = bool(top or top_rows)
    if lists and shared.plot is not None:
        raise Usage("expected --plot without --top and --top-rows", "a list has no picture", "draw it in another run")
    asked = (lists, quant, shared.columns, shared.where, shared.sort)
    if any(asked) or not drawing(shared):
        ending.answer("outliers", models, given, shared)
    else:                                       # a person reads the worst first; what has no finding is drawn at most
        narrow = FOUND if shared.plot is None else ("", "")
        ending.answer("outliers", models, given, replace(shared, sort="-gravity"), narrow=narrow)
