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
else:  # loaded on first use: help needs neither
    schemes = Lazy("weightscope.sketches.schemes")
    findings = Lazy("weightscope.analyses.outliers.findings")

BY = ("tensor", "role", "layer", "model")
GIVES_WAY = ("columns", "where", "sort")  # the named options replace the listing
NO_FINDING = "rows without findings: not listed"


@dataclass(frozen=True)
class OutliersOptions:
    """Grouping, quantisation schemes, lists of extremes, the base, ignored findings."""

    by: str = option(
        "tensor", "One row per tensor (default), role, layer or model.", metavar="WHAT"
    )
    quant: tuple[str, ...] = option(
        (),
        "Also compute the quantisation error of all or some of int8, int4_g128, int4_g32, "
        "fp8_e4m3, fp8_e4m3_b128, mxfp4, nvfp4.",
        metavar="SCHEME,...",
        commas=True,
    )
    top: int = option(0, "List the N weights with the largest |z| instead.", metavar="N", minimum=1)
    top_rows: int = option(
        0, "List the N rows with the most unusual RMS instead.", metavar="N", minimum=1
    )
    base: Source | None = option(
        None,
        "Base checkpoint: count the rows that differ from it.",
        metavar="MODEL",
        reads="model",
    )
    ignore: tuple[str, ...] = option(
        (), "Findings to omit.", metavar="ID,...", commas=True, repeatable=True
    )
    panels: bool = option(True, "Keep the tails for a picture.", typed=False, follows="plot")
    several: bool = derived(False)  # several models: rows have a column `source`
    wanted: frozenset[str] | None = derived(None)  # requested columns; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"outliers groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
        self._check_names()
        self._check_lists()

    def _check_names(self) -> None:
        """Refuses unknown schemes and findings."""
        unknown = _unknown(self.quant, (*schemes.SCHEMES, "all"))
        if unknown:
            raise UsageError(
                f"--quant takes {', '.join(schemes.SCHEMES)} or all",
                f"found {unknown}",
                "separate several by commas",
            )
        ids = [finding.id for finding in findings.FINDINGS]
        unknown = _unknown(self.ignore, ids)
        if unknown:
            raise UsageError(
                f"--ignore takes the id of a finding, {ids[0]} to {ids[-1]}",
                f"found {unknown}",
                "see the page on findings",
            )

    def _check_lists(self) -> None:
        """Refuses lengths below 0, both lists at once, and lists of groups."""
        if min(self.top, self.top_rows) < 0 or (self.top and self.top_rows):
            raise UsageError(
                "--top and --top-rows take a number from 1 on, one of them at a time",
                f"found --top {self.top} and --top-rows {self.top_rows}",
                "run the command twice",
            )
        if self.lists and self.by != "tensor":
            raise UsageError(
                "--top and --top-rows list weights and rows",
                f"found --by {self.by}",
                "omit --by",
            )

    @property
    def schemes(self) -> tuple[str, ...]:
        """The chosen schemes, in the order of their table."""
        if "all" in self.quant:
            return tuple(schemes.SCHEMES)
        return tuple(name for name in schemes.SCHEMES if name in self.quant)

    @property
    def lists(self) -> bool:
        """Whether the rows are weights or rows of tensors."""
        return bool(self.top or self.top_rows)


def listed(o: OutliersOptions) -> Listing:
    """A terminal lists rows with findings, the worst first; with a picture, all rows."""
    if o.lists or o.quant:
        return Listing()
    if o.panels:
        return Listing(sort="-severity_rank", gives_way=GIVES_WAY)
    return Listing("not isnull(findings)", NO_FINDING, "-severity_rank", GIVES_WAY)


def check_plot(o: OutliersOptions) -> None:
    """Refuses a picture of a list; raises UsageError."""
    if o.lists:
        raise UsageError(
            "expected --plot without --top and --top-rows",
            "a list has no picture",
            "draw it in another run",
        )


def _unknown(names: Sequence[str], known: Collection[str]) -> str:
    """The unknown names as a text, each once, in the order in which they were typed."""
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    return ", ".join(repr(name) for name in unknown)
