"""The options of `spectrum`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import Usage
from ...sketches import Decompose

BY = ("tensor", "role", "layer", "model")
NULLS = ("shuffle", "gaussian", "logistic")


@dataclass(frozen=True)
class SpectrumOptions:
    """What `spectrum` is asked: the route, what is cut, extra columns, and what is kept."""

    by: str = "tensor"  # tensor, role, layer or model
    svd: bool = False  # a float64 SVD instead of the Gram matrix
    per_head: bool = False
    balance: bool = False
    alpha_cut: float | None = None  # absolute, on squared singular values; None = 1e-12 of the largest
    alpha_ci: bool = False
    null: str | None = None  # shuffle, gaussian or logistic
    draws: int = 1
    values: bool = False  # keep all singular values as the table `values`
    panels: bool = True
    seed: int = 0
    several: bool = False  # several models: rows say which
    wanted: frozenset[str] | None = None  # columns asked for; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise Usage(f"spectrum groups by {', '.join(BY)}", f"found {self.by!r}", "choose one of them with --by")
        if self.null is not None and self.null not in NULLS:
            raise Usage(f"--null takes {', '.join(NULLS)}", f"found {self.null!r}", "choose one of them")
        if self.draws < 1 or (self.draws > 1 and self.null is None):
            found = f"found {self.draws} with{'out' if self.null is None else ''} --null"
            raise Usage("--draws takes a number from 1 on, beside --null", found, "say --null shuffle --draws 20")
        if self.alpha_cut is not None and not 0 <= self.alpha_cut < float("inf"):
            raise Usage("--alpha-cut takes a number from 0 on", f"found {self.alpha_cut}", "try 1e-5, or leave it out")

    @property
    def measure(self) -> Decompose:
        """The route."""
        return Decompose(self.svd)
