"""The options of `compare`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from ...options import derived, option

BY = ("tensor", "role", "layer", "model")


@dataclass(frozen=True)
class CompareOptions:
    """Grouping, names of pairs, additional columns, a list of changes."""

    by: str = option(
        "tensor", "One row per pair of tensors (default), role, layer or model.", metavar="WHAT"
    )
    spectrum: bool = option(
        False, "Also compute the spectrum of the difference and the overlap of singular vectors."
    )
    top: int = option(
        0, "List the N elements with the largest |difference| instead.", metavar="N", minimum=1
    )
    rename: tuple[str, ...] = option(
        (),
        "Names of A that match the regular expression OLD are NEW in B.",
        metavar="OLD=NEW",
        repeatable=True,
    )
    strip_prefix: tuple[str, ...] = option(
        (), "Ignore this prefix of names, in A and B.", metavar="PREFIX", repeatable=True
    )
    provenance_a: str | None = option(
        None,
        "Provenance of a stored report as A, where it is not beside the report.",
        metavar="FILE",
        reads="file",
    )
    panels: bool = option(True, "Keep the laws for a picture.", typed=False, follows="plot")
    several: bool = derived(False)  # always: rows have no column `source`
    wanted: frozenset[str] | None = derived(None)  # requested columns; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"compare groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
        if self.top < 0:
            raise UsageError(
                "--top takes a number from 1 on", f"found {self.top}", "name how many to list"
            )
        if self.top and self.by != "tensor":
            raise UsageError("--top lists elements", f"found --by {self.by}", "omit --by")
        if self.top and self.spectrum:
            raise UsageError("--top lists elements", "found --spectrum", "omit one of the two")


def check_plot(o: CompareOptions) -> None:
    """Refuses a picture of a list; raises UsageError."""
    if o.top:
        raise UsageError(
            "expected --plot without --top",
            "found a list, which has no picture",
            "draw it in another run",
        )
