"""The line of a distance over the logarithm of the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import correlation, linear_regression

FEWEST = 3  # points: a line through two fits anything


@dataclass(frozen=True)
class LogTime:
    """distance = intercept + slope ln(step); r2 is the share of the variance that it explains."""

    slope: float
    intercept: float
    r2: float
    points: int


def log_time(steps: Sequence[int], distances: Sequence[float]) -> LogTime | None:
    """Least squares of distances over ln(step), of steps from 1 on.

    None below 3 points and where all distances are equal. Equals scipy.stats.linregress.
    Source: Hoffer, Hubara, Soudry, Train longer, generalize better (2017): the distance of the
    weights from their start grows with the logarithm of the number of updates.

    >>> log_time([0, 1, 10, 100], [0.0, 1.0, 3.0, 5.0]).r2
    1.0
    """
    points = [(step, d) for step, d in zip(steps, distances, strict=True) if step > 0]
    logs = [log(step) for step, _ in points]
    values = [distance for _, distance in points]
    if len(points) < FEWEST or len(set(values)) < 2:
        return None
    slope, intercept = linear_regression(logs, values)
    return LogTime(slope, intercept, correlation(logs, values) ** 2, len(points))
