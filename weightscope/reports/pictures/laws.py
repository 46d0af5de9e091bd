"""Axes of laws: the density on a logarithmic axis over the weight in sigma, 0 in the middle.

All laws of a picture have one pair of axes, whose ends follow from all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...lazy import numpy as np
from .page import frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEAREST, FURTHEST = 5.0, 40.0  # sigma that the axis shows at least, and more only if half need it
FLOOR, TOP, HIGHEST = 1e-7, 1.0, 100.0  # density per sigma: a Gaussian's top is 0.4
SPIKE = 0.1  # of half the width of the axis: the width of narrow laws


def limits(panels: Sequence[Panel]) -> tuple[float, float, float]:
    """Half the width in sigma, the lowest and the highest density."""
    if not panels:
        return NEAREST, FLOOR, TOP
    reaches = [max(_reach(curve) for curve in panel.curves) for panel in panels]
    limit = max(FURTHEST, float(np.median(reaches)))
    wide = max(NEAREST, min(limit, max(reaches)))
    low, high = 0.01, TOP
    for panel in panels:
        for curve in panel.curves:
            _, y = positive(curve)
            if len(y):
                low = min(low, float(y.min()))
                high = max(high, float(y.max()))
    low = max(FLOOR, 10.0 ** math.floor(math.log10(low)))
    high = min(HIGHEST, 10.0 ** math.ceil(math.log10(high)))
    return wide, low, high


def _reach(curve: Curve) -> float:
    x, _ = positive(curve)
    return float(np.max(np.abs(x), initial=0.0))


def positive(curve: Curve) -> tuple[Any, Any]:
    """The points that a log axis of y can show."""
    x = np.asarray(curve.x, np.float64)
    y = np.asarray(curve.y, np.float64)
    visible = np.isfinite(x) & np.isfinite(y) & (y > 0)
    return x[visible], y[visible]


def points(ax: Axes, curve: Curve) -> tuple[Any, Any]:
    """The points of a law on its axes: that of a narrow one begins and ends at the foot."""
    x, y = positive(curve)
    low, _ = ax.get_ylim()
    if len(x) and x[-1] - x[0] < SPIKE * ax.get_xlim()[1]:
        # without its foot a spike would float
        x = np.concatenate((x[:1], x, x[-1:]))
        y = np.concatenate(([low], y, [low]))
    return x, y


def span(ax: Axes, wide: float, low: float, high: float) -> None:
    """Sets both axes."""
    frame(ax)
    ax.set_xlim(-wide, wide)
    step = _step(wide)
    ends = math.floor(wide / step)
    ax.set_xticks([step * i for i in range(-ends, ends + 1)])
    ax.set_yscale("log")
    # words stand above the curves
    ax.set_ylim(low, high * (high / low) ** 0.25)
    first, last = round(math.log10(low)), round(math.log10(high))
    ax.set_yticks([10.0**exponent for exponent in range(last, first - 1, -2)])
    ax.minorticks_off()


def _step(wide: float) -> float:
    """The distance of numbers at the axis: at most 3 to a side.

    >>> _step(5.0), _step(12.0), _step(40.0), _step(3000.0)
    (2.0, 5.0, 20.0, 1000.0)
    """
    decade = 10.0 ** math.floor(math.log10(wide / 3))
    return next(digit * decade for digit in (1, 2, 5, 10) if digit * decade * 3.5 >= wide)
