"""The options of `outliers`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...lazy import Lazy
from ...options import derived, option
from ..analysis import Listing

if TYPE_CHECKING:
    from ...checkpoints.opening import Source
    from ...sketches import schemes
    from . import findings
else:  # help needs neither
    schemes = Lazy("weightscope.sketches.schemes")
    findings = Lazy("weightscope.analyses.outliers.findings")

BY = ("tensor", "role", "layer", "model")
NO_FINDING = "rows without findings: not listed"


@dataclass(frozen=True)
class OutliersOptions:
    """What `outliers` is asked: grouping, schemes, lists of extremes, a base, what is ignored."""

    by: str = option(
        "tensor", "One row per tensor (default), role, layer or model.", metavar="WHAT"
    )
    quant: tuple[str, ...] = option(
        (),
        "Also the error of all or some of int8, int4_g128, int4_g32, fp8_e4m3, fp8_e4m3_b128, mxfp4, "
        "nvfp4.",
        metavar="SCHEME,...",
        commas=True,
    )
    top: int = option(0, "The N most extreme weights instead.", metavar="N", minimum=1)
    top_rows: int = option(0, "The N rows of oddest norm instead.", metavar="N", minimum=1)
    base: Source | None = option(
        None, "What this was made from: rows that changed.", metavar="MODEL", reads="model"
    )
    ignore: tuple[str, ...] = option(
        (), "Findings not to report.", metavar="ID,...", commas=True, repeatable=True
    )
    panels: bool = option(True, "Keep the tails for a picture.", typed=False, follows="plot")
    several: bool = derived(False)  # several models: rows say which
    wanted: frozenset[str] | None = derived(None)  # columns asked for; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"outliers groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
        if wrong := _unknown(self.quant, (*schemes.SCHEMES, "all")):
            known = f"{', '.join(schemes.SCHEMES)} or all"
            raise UsageError(
                f"--quant takes {known}", f"found {wrong}", "separate several by commas"
            )
        if wrong := _unknown(self.ignore, [f.id for f in findings.FINDINGS]):
            known = f"{findings.FINDINGS[0].id} to {findings.FINDINGS[-1].id}"
            raise UsageError(
                f"--ignore takes the id of a finding, {known}",
                f"found {wrong}",
                "see the page on findings",
            )
        if min(self.top, self.top_rows) < 0 or (self.top and self.top_rows):
            raise UsageError(
                "--top and --top-rows take a number from 1 on, one of them at a time",
                f"found --top {self.top} and --top-rows {self.top_rows}",
                "ask twice",
            )
        if self.lists and self.by != "tensor":
            raise UsageError(
                "--top and --top-rows list weights and rows",
                f"found --by {self.by}",
                "leave out --by",
            )

    @property
    def schemes(self) -> tuple[str, ...]:
        """In the order of their table."""
        return tuple(name for name in schemes.SCHEMES if name in self.quant or "all" in self.quant)

    @property
    def lists(self) -> bool:
        """Whether the rows are weights or rows of tensors."""
        return bool(self.top or self.top_rows)


def listed(o: OutliersOptions) -> Listing:
    """A terminal shows rows with findings, the worst first; a picture has the rows without one too."""
    if o.lists or o.quant:
        return Listing()
    shown, rest = ("", "") if o.panels else ("not isnull(findings)", NO_FINDING)
    return Listing(shown, rest, sort="-severity_rank", gives_way=("columns", "where", "sort"))


def check_plot(o: OutliersOptions) -> None:
    """Refuses a picture of a list; raises UsageError."""
    if o.lists:
        expected = "expected --plot without --top and --top-rows"
        raise UsageError(expected, "a list has no picture", "draw it in another run")


def _unknown(names: Sequence[str], known: Collection[str]) -> str:
    """The names that are not known, each once, as they were typed; in their order, which no hash decides."""
    return ", ".join(repr(name) for name in dict.fromkeys(names) if name not in known)
