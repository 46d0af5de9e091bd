"""Whether a series rises or falls: beyond noise, and by an amount that matters.

A p-value alone gives false alarms: std of a fresh initialisation may be ordered over the layers by
chance (p 0.019) over a spread of 1%. A trend needs an interval without 0, a change of 5%, and a
change beyond the standard error of the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ...columns import Column
from .slopes import Line

FEWEST = 5  # layers of a trend
RELATIVE = 0.05  # the least change, relative to the median of |values|
ERRORS = 3.0  # the least change in standard errors of one value
TREND = Column(
    "trend",
    "str",
    "up or down where the interval of the slope leaves out 0, and the fitted change is at least 5% "
    "of the median of |values| and 3 value_se; else null",
    shown=True,
)
FITTED_CHANGE = Column(
    "fitted_change",
    "float",
    "slope x (last - first layer), over the median of |values|",
    shown=True,
)
VALUE_SE = Column("value_se", "float", "standard error of one value, the median over the layers")


def fitted_change(line: Line, layers: Sequence[int], values: Sequence[float]) -> float | None:
    """slope (last - first layer) / median |value|; None where the median is 0."""
    middle = median(abs(value) for value in values)
    if not middle:
        return None
    return line.slope * (layers[-1] - layers[0]) / middle


def trend(
    line: Line, layers: Sequence[int], values: Sequence[float], error: float | None
) -> str | None:
    """`up`, `down`, or None; `error` is the standard error of one value.

    >>> trend(Line(0.1, 0.05, 0.2), range(6), [1.0, 1.1, 1.2, 1.3, 1.4, 1.5], 0.01)
    'up'
    >>> trend(Line(0.1, -0.05, 0.2), range(6), [1.0, 1.1, 1.2, 1.3, 1.4, 1.5], 0.01)
    """
    if len(values) < FEWEST or error is None:
        return None
    relative = fitted_change(line, layers, values)
    if relative is None or abs(relative) < RELATIVE:
        return None
    if abs(line.slope * (layers[-1] - layers[0])) < ERRORS * error:
        return None
    if line.low > 0:
        return "up"
    if line.high < 0:
        return "down"
    return None
