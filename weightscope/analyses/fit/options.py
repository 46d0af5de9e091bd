"""The options of `fit`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from ...options import derived, option

BY = ("tensor", "role", "layer", "model")


@dataclass(frozen=True)
class FitOptions:
    """Grouping, additional columns, and the data for pictures and tables of cells."""

    by: str = option(
        "tensor", "One row per tensor (default), role, layer or model.", metavar="WHAT"
    )
    long: bool = option(False, "One row for each law: parameters, likelihood, goodness.")
    balance: bool = option(
        False, "Also fit the matrix after balancing: without row and column scales."
    )
    coding: bool = option(False, "Also compute entropy and coding cost.")
    counts: bool = option(
        False,
        "Write the counted cells to a table of their own.",
        metavar="FILE.parquet",
        table=True,
    )
    panels: bool = option(True, "Keep the densities for a picture.", typed=False, follows="plot")
    histogram: bool = option(
        False, "A small histogram beside each row.", typed=False, follows="terminal"
    )
    seed: int = option(
        0, "Seed of the random permutations of --balance; default 0.", metavar="N", minimum=0
    )
    draws: int = option(1, "Number of random permutations of --balance; default 1.", metavar="N")
    several: bool = derived(False)  # several models: rows have a column `source`
    wanted: frozenset[str] | None = derived(None)  # requested columns; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"fit groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
        if self.draws < 1 or (self.draws > 1 and not self.balance):
            actual = f"found {self.draws} with --balance"
            if not self.balance:
                actual = f"found {self.draws} without --balance"
            raise UsageError(
                "--draws takes a number from 1 on, beside --balance",
                actual,
                "use --balance --draws 20",
            )
