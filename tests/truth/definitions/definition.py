"""One column: its own computation, the tolerance, and the unit of its error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..case import Case

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Definition:
    """`value(case)` is what the column must show; None for null.

    The error of a number is |shown - value| / max(|value|, unit(case)); words must be equal. `wide`
    is the tolerance where values are counted in bins; None: the same. `slow` ones take 0.3 s.
    """

    column: str
    value: Callable[[Case], Value]
    tolerance: float | Callable[[Case], float] = 1e-9
    unit: Callable[[Case], float] | None = None
    wide: float | None = None
    slow: bool = False

    def limit(self, case: Case) -> float:
        """The tolerance for this tensor."""
        if self.wide is not None and case.is_wide:
            return self.wide
        if callable(self.tolerance):
            return self.tolerance(case)
        return self.tolerance
