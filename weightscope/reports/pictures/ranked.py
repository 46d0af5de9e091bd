"""Axes of singular values by rank, both logarithmic: the leading ones, where training acts, first.

A power law is a straight line, and a bulk the bend at the right end. All panels of a picture have
one pair of axes, whose ends follow from all curves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...lazy import numpy as np
from .page import frame
from .scales import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

USUAL = 0.05  # of the values of a curve are less than the axis shows: the least fall steeply
FLOOR = 1e-4  # of the largest value: singular values below are those of lost directions
MARGIN = 0.04  # of the logarithms, free at either end
FEW = 1.5  # decades: the axis has numbers at 2 and 5 too
DIGITS: Sequence[int] = (1, 2, 5)
NOTHING = (1.0, 10.0, 0.1, 1.0)  # the ends for curves without a point


def positive(curve: Curve) -> tuple[Any, Any]:
    """The points that logarithmic axes can show."""
    x = np.asarray(curve.x, np.float64)
    y = np.asarray(curve.y, np.float64)
    visible = np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > 0)
    return x[visible], y[visible]


def limits(panels: Sequence[Panel]) -> tuple[float, float, float, float]:
    """The first and the last rank, the least and the largest value."""
    drawn = [positive(curve) for panel in panels for curve in panel.curves]
    ranks = np.concatenate([np.zeros(0), *(x for x, _ in drawn)])
    values = np.concatenate([np.zeros(0), *(y for _, y in drawn)])
    if not len(ranks):
        return NOTHING
    largest = float(values.max())
    usual = min(float(np.quantile(y, USUAL)) for _, y in drawn if len(y))
    least = max(usual, FLOOR * largest)
    return float(ranks.min()), float(ranks.max()), least, largest


def span(ax: Axes, first: float, last: float, least: float, largest: float) -> None:
    """Sets both axes."""
    frame(ax)
    ax.set_xscale("log")
    ax.set_yscale("log")
    left, right = _outward(first, last)
    bottom, top = _outward(least, largest)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ranks = numbers(first, last)
    values = numbers(bottom, top)
    ax.set_xticks(ranks, [number(rank) for rank in ranks])
    ax.set_yticks(values, [number(value) for value in values])
    ax.minorticks_off()


def _outward(low: float, high: float) -> tuple[float, float]:
    """Ends of an axis a little further out than its values."""
    decades = math.log10(high) - math.log10(low)
    factor = 10.0 ** (MARGIN * max(1.0, decades))
    return low / factor, high * factor


def numbers(low: float, high: float) -> list[float]:
    """Powers of ten between two ends; of few decades also 2 and 5 of each.

    >>> numbers(1, 768), numbers(0.15, 2.6)
    ([1.0, 10.0, 100.0], [0.2, 0.5, 1.0, 2.0])
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    digits = DIGITS
    if math.log10(high) - math.log10(low) >= FEW:
        digits = DIGITS[:1]
    every = [digit * 10.0**exponent for exponent in range(first, last + 1) for digit in digits]
    return [value for value in every if low <= value <= high * (1 + 1e-9)]
