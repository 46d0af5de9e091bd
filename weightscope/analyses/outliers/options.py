"""The options of `outliers`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import Usage
from ...sketches.schemes import SCHEMES
from .findings import FINDINGS

BY = ("tensor", "role", "layer", "model")


@dataclass(frozen=True)
class OutliersOptions:
    """What `outliers` is asked: grouping, quantisation schemes, lists of extremes, a base, and what is ignored."""

    by: str = "tensor"  # tensor, role, layer or model
    quant: tuple[str, ...] = ()  # schemes, or `all`
    top: int = 0  # list the N most extreme weights instead
    top_rows: int = 0  # list the N rows of most unusual norm instead
    base: str | None = None  # the checkpoint that this one was made from
    ignore: tuple[str, ...] = ()  # findings that are not reported
    panels: bool = True
    several: bool = False  # several models: rows say which
    wanted: frozenset[str] | None = None  # columns asked for; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise Usage(f"outliers groups by {', '.join(BY)}", f"found {self.by!r}", "choose one of them with --by")
        for name in set(self.quant) - {*SCHEMES, "all"}:
            raise Usage(f"--quant takes {', '.join(SCHEMES)} or all", f"found {name!r}", "separate several by commas")
        for name in set(self.ignore) - {f.id for f in FINDINGS}:
            known = f"{FINDINGS[0].id} to {FINDINGS[-1].id}"
            raise Usage(f"--ignore takes the id of a finding, {known}", f"found {name!r}", "see the page on findings")
        if min(self.top, self.top_rows) < 0 or (self.top and self.top_rows):
            raise Usage("--top and --top-rows take a number from 1 on, one of them at a time",
                        f"found --top {self.top} and --top-rows {self.top_rows}", "ask twice")
        if (self.top or self.top_rows) and self.by != "tensor":
            raise Usage("--top and --top-rows list weights and rows", f"found --by {self.by}", "leave out --by")

    @property
    def schemes(self) -> tuple[str, ...]:
        """In the order of their table."""
        return tuple(name for name in SCHEMES if name in self.quant or "all" in self.quant)
