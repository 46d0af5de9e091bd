"""The options of `fit`."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import Usage

BY = ("tensor", "role", "layer", "model")


@dataclass(frozen=True)
class FitOptions:
    """What `fit` is asked: grouping, extra columns, and which pictures and cells to keep."""

    by: str = "tensor"  # tensor, role, layer or model
    long: bool = False  # one row for each law
    balance: bool = False
    coding: bool = False
    counts: bool = False  # keep the cells as the table `counts`
    panels: bool = True  # keep the densities for a picture
    histogram: bool = False  # a small histogram beside each row
    seed: int = 0
    several: bool = False  # several models: rows say which
    wanted: frozenset[str] | None = None  # columns asked for; None = all

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise Usage(f"fit groups by {', '.join(BY)}", f"found {self.by!r}", "choose one of them with --by")
