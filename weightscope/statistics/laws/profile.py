"""The minimum of a profile likelihood's cost over one shape parameter, its bounds included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import optimize

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE = 1e-5
NEAR = 0.01  # distance from a bound within which the bounds are candidates too
FEW = 256  # weights: of so few a profile may have several minima
POINTS = 13


def minimum_between(
    cost: Callable[[float], float],
    low: float,
    high: float,
    n: int | None = None,
    tolerance: float = TOLERANCE,
) -> float:
    """Argument of the least `cost`, by bounded Brent and at the bounds, which Brent does not reach.

    Of few weights (n) the search is between the neighbours of the least of 13 points.

    >>> minimum_between(lambda x: (x - 1) ** 2, 0.0, 1.0)
    1.0
    """
    first, last = low, high
    if n is not None and n <= FEW:
        first, last = _around_the_least(cost, low, high)
    options = {"xatol": tolerance}
    bounds = (first, last)
    result = optimize.minimize_scalar(cost, bounds=bounds, method="bounded", options=options)
    best = float(result.x)
    if min(best - low, high - best) < NEAR:
        best = min((best, low, high), key=cost)
    return best


def _around_the_least(
    cost: Callable[[float], float], low: float, high: float
) -> tuple[float, float]:
    step = (high - low) / (POINTS - 1)
    points = [low + i * step for i in range(POINTS)]
    costs = [cost(point) for point in points]
    least = costs.index(min(costs))
    return points[max(least - 1, 0)], points[min(least + 1, POINTS - 1)]
