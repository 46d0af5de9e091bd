"""What `--coupling` goes together with, and the rows that a terminal lists."""

from __future__ import annotations

from collections.abc import Sequence

from ....errors import UsageError
from ....escape import escaped
from ...analysis import Listing

MEANS, SCALES = "means", "scales"
KINDS = (MEANS, SCALES)
# what a terminal shows, and the sentence on the rest
BEYOND = "max_rho > max_rho_null_95"
REST = "rows below their max_rho_null_95: not listed"


def check(coupling: bool, of: Sequence[str], others: Sequence[str]) -> None:
    """Refuses `--of` alone, kinds that there are not, and options of other rows.

    `others` are the flags beside it that make or change other rows.
    """
    if of and not coupling:
        raise UsageError(
            "expected --of beside --coupling", "found --of alone", "add --coupling, or leave it out"
        )
    for kind in of:
        if kind not in KINDS:
            raise UsageError(
                f"--of takes {' or '.join(KINDS)}",
                f"found '{escaped(kind)}'",
                "leave it out for both",
            )
    if coupling and others:
        raise UsageError(
            "--coupling has rows of pairs, without a statistic or a layer",
            f"found {' and '.join(others)} beside it",
            "run them apart",
        )


def kinds(of: Sequence[str]) -> tuple[str, ...]:
    """The kinds of vectors of matrices, in the order of the rows; both by default."""
    return tuple(kind for kind in KINDS if not of or kind in of)


def listed() -> Listing:
    """A terminal lists the pairs above what one pair of independent vectors reaches."""
    return Listing(BEYOND, REST, gives_way=("where",))
