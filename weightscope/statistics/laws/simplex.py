"""Nelder and Mead's search of a least value, bit for bit that of scipy.optimize.

Its steps of two to four numbers take a third of the time that scipy's arrays take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    Point = list[float]
    Cost = Callable[[Sequence[float]], float]

CALLS = 200  # of the function for each number: the search ends without a result


class _Exhausted(Exception):
    """More calls than CALLS."""


class _Simplex:
    """Points with their costs, the least first."""

    def __init__(self, cost: Cost, points: list[Point]) -> None:
        self.cost = cost
        self.points = points
        self.costs = [np.inf] * len(points)
        self.left = CALLS * (len(points) - 1)

    def measure(self, at: Point) -> float:
        """The cost of a point."""
        if not self.left:
            raise _Exhausted
        self.left -= 1
        return self.cost(at)

    def sort(self) -> None:
        """In ascending order, ties as numpy orders them."""
        costs = self.costs
        if all(one < other for one, other in pairwise(costs)):
            return
        order = np.array(costs).argsort()
        self.points = [self.points[i] for i in order]
        self.costs = [costs[i] for i in order]

    def replace(self, at: Point, cost: float) -> None:
        """Another point in place of the last one."""
        self.points[-1], self.costs[-1] = at, cost

    def is_small(self, close: float) -> bool:
        """Whether no point and no cost is further than this from the first."""
        least, *others = self.points
        for at in others:
            if not all(abs(x - y) <= close for x, y in zip(at, least, strict=True)):
                return False
        return all(abs(self.costs[0] - cost) <= close for cost in self.costs[1:])

    def along(self, mean: Point, far: float) -> Point:
        """A point on the line from the last one through the mean of the others, so far beyond."""
        return [(1 + far) * m - far * x for m, x in zip(mean, self.points[-1], strict=True)]

    def mean(self) -> Point:
        """Of all points but the last."""
        others = self.points[:-1]
        total = others[0]
        for at in others[1:]:
            total = [x + y for x, y in zip(total, at, strict=True)]
        return [x / len(others) for x in total]

    def step(self) -> None:
        """Reflect the last point, or expand, contract, or shrink the simplex."""
        mean = self.mean()
        reflected = self.along(mean, 1)
        cost = self.measure(reflected)
        if cost < self.costs[0]:
            expanded = self.along(mean, 2)
            cost_of_expanded = self.measure(expanded)
            if cost_of_expanded < cost:
                reflected, cost = expanded, cost_of_expanded
            self.replace(reflected, cost)
        elif cost < self.costs[-2]:
            self.replace(reflected, cost)
        elif not self._contract(mean, cost):
            self._shrink()

    def _contract(self, mean: Point, cost: float) -> bool:
        """Towards the better of the last point and its reflection; whether that is less."""
        outside = cost < self.costs[-1]
        contracted = self.along(mean, 0.5 if outside else -0.5)
        cost_of_contracted = self.measure(contracted)
        if outside:
            less = cost_of_contracted <= cost
        else:
            less = cost_of_contracted < self.costs[-1]
        if less:
            self.replace(contracted, cost_of_contracted)
        return less

    def _shrink(self) -> None:
        """Halfway to the first point."""
        least = self.points[0]
        for j in range(1, len(self.points)):
            at = [x + 0.5 * (y - x) for x, y in zip(least, self.points[j], strict=True)]
            self.points[j] = at
            self.costs[j] = self.measure(at)


def least(cost: Cost, first: Point, step: float, close: float) -> tuple[Point, bool]:
    """The point of least cost from `first`, and whether the search ended.

    It begins with a simplex of points at this step in each direction, and ends where no point and
    no cost of the simplex is further than `close` from the least.
    """
    directions = range(len(first))
    moved = [[x + step * (i == j) for j, x in enumerate(first)] for i in directions]
    simplex = _Simplex(cost, [first, *moved])
    for i, at in enumerate(simplex.points):
        simplex.costs[i] = simplex.measure(at)
    simplex.sort()
    simplex.sort()  # numpy may order ties otherwise
    rounds = CALLS * len(first)
    while simplex.left and rounds > 1:
        if simplex.is_small(close):
            return simplex.points[0], True
        with suppress(_Exhausted):
            simplex.step()
        simplex.sort()
        rounds -= 1
    return simplex.points[0], False
