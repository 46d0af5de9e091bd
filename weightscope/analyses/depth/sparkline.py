"""The heights of a small picture of a series: one character per layer, from 0 up.

An axis that begins at 0 shows a change of 1% as small as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from statistics import median

from .series import Point

WIDEST = 16  # characters; layers beyond share one


def heights(points: Sequence[Point]) -> tuple[float, ...] | None:
    """A height per layer of the axis, NaN for a gap; None where no layer has a value.

    Of a series with negative values the lowest is the foot. The median of several layers stands
    for them where there are more than fit.
    """
    values = {point.layer: point.value for point in points if point.value is not None}
    if not values:
        return None
    first, last = points[0].layer, points[-1].layer
    step = -(-(last - first + 1) // WIDEST)
    foot = min(0, *values.values())
    groups: dict[int, list[float]] = {}
    for layer, value in values.items():
        groups.setdefault((layer - first) // step, []).append(value)
    bars = []
    for number in range((last - first) // step + 1):
        group = groups.get(number)
        bars.append(float(median(group)) - foot if group else nan)
    return tuple(bars)
