"""The options of `spectrum`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...lazy import Lazy
from ...options import derived, option
from ..analysis import Listing

if TYPE_CHECKING:
    from ...sketches import decompose
else:
    decompose = Lazy("weightscope.sketches.decompose")  # help needs none of the sketches

BY = ("tensor", "role", "layer", "model")
NULLS = ("shuffle", "gaussian", "logistic")
NO_MATRICES = "rows of vectors, depthwise kernels, masks or buffers: not listed"


@dataclass(frozen=True)
class SpectrumOptions:
    """What `spectrum` is asked: the method, what is cut, extra columns, and what is kept."""

    by: str = option(
        "tensor", "One row per tensor (default), role, layer or model.", metavar="WHAT"
    )
    svd: bool = option(False, "A float64 SVD: the least values to full precision, and slower.")
    per_head: bool = option(False, "Each head of q, k, v and o on its own.")
    balance: bool = option(False, "Also spikes, bulk and depth without row and column scales.")
    alpha_cut: float | None = option(  # None: 1e-12 of the largest
        None, "Power law of squares above X; 1e-5 as WeightWatcher.", metavar="X"
    )
    alpha_ci: bool = option(False, "Also a bootstrapped 90% interval of alpha.")
    null: str | None = option(
        None, "Also the same of chance: shuffle, gaussian or logistic.", metavar="WHAT"
    )
    draws: int = option(1, "How many matrices of chance; default 1.", metavar="N")
    values: bool = option(
        False, "All singular values as a table of their own.", metavar="FILE.parquet", table=True
    )
    panels: bool = option(True, "Keep the spectra for a picture.", typed=False, follows="plot")
    seed: int = option(0, "Seed of everything drawn; default 0.", metavar="N", minimum=0)
    several: bool = derived(False)  # several models: rows say which
    wanted: frozenset[str] | None = derived(None)  # columns asked for; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(
                f"spectrum groups by {', '.join(BY)}",
                f"found {self.by!r}",
                "choose one of them with --by",
            )
        if self.null is not None and self.null not in NULLS:
            raise UsageError(
                f"--null takes {', '.join(NULLS)}", f"found {self.null!r}", "choose one of them"
            )
        if self.draws < 1 or (self.draws > 1 and self.null is None):
            found = f"found {self.draws} with{'out' if self.null is None else ''} --null"
            raise UsageError(
                "--draws takes a number from 1 on, beside --null",
                found,
                "say --null shuffle --draws 20",
            )
        if self.alpha_cut is not None and not 0 <= self.alpha_cut < float("inf"):
            raise UsageError(
                "--alpha-cut takes a number from 0 on",
                f"found {self.alpha_cut}",
                "try 1e-5, or leave it out",
            )

    @property
    def measure(self) -> decompose.Decompose:
        """The method."""
        return decompose.Decompose(self.svd)


def listed(o: SpectrumOptions) -> Listing:
    """A terminal shows rows with singular values."""
    column = "m" if o.by == "tensor" else "m_max"
    return Listing(f"not isnull({column})", NO_MATRICES)
