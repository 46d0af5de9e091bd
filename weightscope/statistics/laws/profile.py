"""The minimum of a profile likelihood's cost over one shape parameter, its bounds included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import optimize

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE = 1e-5
NEAR = 0.01  # distance from a bound within which the bounds are candidates too


def minimum_between(cost: Callable[[float], float], low: float, high: float) -> float:
    """Argument of the least `cost`, by bounded Brent and at the bounds, which Brent does not reach.

    >>> minimum_between(lambda x: (x - 1) ** 2, 0.0, 1.0)
    1.0
    """
    options = {"xatol": TOLERANCE}
    result = optimize.minimize_scalar(cost, bounds=(low, high), method="bounded", options=options)
    best = float(result.x)
    if min(best - low, high - best) < NEAR:
        best = min((best, low, high), key=cost)
    return best
