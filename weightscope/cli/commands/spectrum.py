"""weightscope spectrum."""

from __future__ import annotations

from typing import Annotated

import typer

from ...heavy import Lazy
from ..options import Shared, shared

ending = Lazy("weightscope.cli.ending")
EPILOG = "Example: weightscope spectrum demo:gpt --where 'spikes > 0' --sort=-alpha"

NO_MATRICES = "rows of vectors, depthwise kernels, masks or buffers: not listed"


@shared
def spectrum(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="Checkpoint, folder or demo:NAME.", show_default=False)
    ],
    svd: Annotated[
        bool, typer.Option("--svd", help="A float64 SVD: the least values to full precision, and slower.")
    ] = False,
    per_head: Annotated[bool, typer.Option("--per-head", help="Each head of q, k, v and o on its own.")] = False,
    balance: Annotated[
        bool, typer.Option("--balance", help="Also spikes, bulk and depth without row and column scales.")
    ] = False,
    alpha_cut: Annotated[
        float | None,
        typer.Option(
            "--alpha-cut", metavar="X", help="Power law of squares above X; 1e-5 as WeightWatcher.", show_default=False
        ),
    ] = None,
    alpha_ci: Annotated[bool, typer.Option("--alpha-ci", help="Also a bootstrapped 90% interval of alpha.")] = False,
    null: Annotated[
        str | None,
        typer.Option(
            "--null", metavar="WHAT", help="Also the same of chance: shuffle, gaussian or logistic.", show_default=False
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", metavar="N", help="How many matrices of chance; default 1.", show_default=False),
    ] = None,
    values: Annotated[
        str | None,
        typer.Option("--values", metavar="FILE.parquet", help="Write all singular values.", show_default=False),
    ] = None,
    *,
    shared: Shared,
) -> None:
    """What do the singular values say? Ranks, power law, noise bulk and spikes, effective depth."""
    own = {
        "svd": svd,
        "per_head": per_head,
        "balance": balance,
        "alpha_cut": alpha_cut,
        "alpha_ci": alpha_ci,
        "null": null,
        "draws": draws,
        "values": values is not None,
        "seed": shared.seed or None,
    }
    given = {k: v for k, v in own.items() if v is not None and v is not False}
    given |= {"panels": shared.plot is not None}
    tables = {"values": values} if values is not None else {}
    matrices = "not isnull(m)" if shared.by == "tensor" else "not isnull(m_max)"
    ending.answer("spectrum", models, given, shared, tables=tables, narrow=(matrices, NO_MATRICES))
