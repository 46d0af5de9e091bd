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
    decompose = Lazy("weightscope.sketches.decompose")  # --help does not load the sketches

BY = ("tensor", "role", "layer", "model")
NULLS = ("shuffle", "gaussian", "logistic")
NO_MATRICES = "rows of vectors, depthwise kernels, masks or buffers: not listed"


@dataclass(frozen=True)
class SpectrumOptions:
    """Options of `spectrum`: rows, method, additional columns, and output beside the table."""

    by: str = option(
        "tensor", "One row per tensor (default), role, layer or model.", metavar="WHAT"
    )
    svd: bool = option(False, "Use a float64 SVD: full precision of the smallest values, slower.")
    per_head: bool = option(False, "Split q, k, v and o into attention heads, one row per head.")
    balance: bool = option(
        False, "Also compute spikes, bulk and depth without row and column scales."
    )
    alpha_cut: float | None = option(  # None: 1e-12 of the largest
        None,
        "Fit the power law to squared singular values above X; WeightWatcher uses 1e-5.",
        metavar="X",
    )
    alpha_ci: bool = option(
        False, "Also compute a bootstrapped 90% interval of alpha and the goodness of its fit."
    )
    null: str | None = option(
        None,
        "Also compute the columns for randomised matrices: shuffle (of the elements), or samples "
        "of the fitted gaussian or logistic law.",
        metavar="WHAT",
    )
    draws: int = option(1, "Number of randomised matrices; default 1.", metavar="N")
    values: bool = option(
        False,
        "Write all singular values as a separate table.",
        metavar="FILE.parquet",
        table=True,
    )
    panels: bool = option(True, "Keep the spectra for a plot.", typed=False, follows="plot")
    seed: int = option(0, "Seed of all random numbers; default 0.", metavar="N", minimum=0)
    several: bool = derived(False)  # several models: rows name theirs
    wanted: frozenset[str] | None = derived(None)  # columns requested; None = all

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
        self._check_draws()
        self._check_alpha_cut()

    def _check_draws(self) -> None:
        if self.draws < 1 or (self.draws > 1 and self.null is None):
            actual = f"found {self.draws} with --null"
            if self.null is None:
                actual = f"found {self.draws} without --null"
            raise UsageError(
                "--draws takes a number from 1 on, beside --null",
                actual,
                "use --null shuffle --draws 20",
            )

    def _check_alpha_cut(self) -> None:
        if self.alpha_cut is not None and not 0 <= self.alpha_cut < float("inf"):
            raise UsageError(
                "--alpha-cut takes a number from 0 on",
                f"found {self.alpha_cut}",
                "try 1e-5, or omit it",
            )

    @property
    def measure(self) -> decompose.Decompose:
        """The measure of the singular values, by the chosen method."""
        return decompose.Decompose(self.svd)


def listed(o: SpectrumOptions) -> Listing:
    """A terminal lists only the rows of matrices."""
    if o.by == "tensor":
        return Listing("not isnull(m)", NO_MATRICES)
    return Listing("not isnull(m_max)", NO_MATRICES)
