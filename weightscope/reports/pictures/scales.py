"""The axis of values of a panel: linear, or logarithmic where values differ by decades.

Beside values of the other sign a logarithm is not defined: the axis is linear around 0 and
logarithmic beyond. Its name states its scale. Numbers are plain text, at least as large as words:
the exponents of matplotlib's own are smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FACTOR = 30.0  # between values: more needs a logarithmic axis
QUARTILE = 0.25  # of sizes: the size of a usual value beside large ones
LEAST_SPAN = 0.01  # of the largest value: a smaller change is no change of the picture
MARGIN = 0.08  # of the span
MOST = 6  # numbers at an axis
FEW_DECADES = 2  # have a number at 3 too
MOST_DECADES = 5  # beyond the linear part of the axis
FROM, TO = 1e-2, 1e4  # sizes that are written without a power of ten
DECIMALS = 4  # of numbers without a power of ten, with a minus one less
PLAIN = (1e-3, 1e4)  # powers of ten that are written as they are
SIDE = 10.0  # usual values: less below 0, or above, has no logarithm of its own
FARTHEST = 1e200  # from 1: ends of an axis overflow beyond


def bounded(values: Any) -> Any:
    """Values that an axis can show, float64: the largest are clipped, the least are 0.

    >>> bounded([1e300, 0.02, -1e-300]).tolist()
    [1e+200, 0.02, 0.0]
    """
    values = np.clip(np.asarray(values, np.float64), -FARTHEST, FARTHEST)
    return np.where(np.abs(values) < 1 / FARTHEST, 0.0, values)


def scale(ax: Axes, values: Any, unit: str) -> str:
    """Sets the axis of y for bounded values; returns its name, with unit and scale."""
    values = values[np.isfinite(values)]
    sizes = np.abs(values[values != 0])
    if not len(sizes):
        return _linear(ax, 0.0, 0.0, unit)
    low, high = float(values.min()), float(values.max())
    if low > 0 and high >= FACTOR * low:
        return _logarithmic(ax, low, high, unit)
    usual = float(np.quantile(sizes, QUARTILE))
    if low <= 0 and sizes.max() >= FACTOR * usual:
        return _both(ax, (low, high), usual, unit)
    return _linear(ax, low, high, unit)


def number(value: float) -> str:
    """A short number with a true minus.

    >>> number(0.001), number(-20.0), number(1e4), number(-1e-07)
    ('0.001', '−20', '1e4', '−1e−7')
    """
    text = f"{value:g}"
    if value and not PLAIN[0] <= abs(value) < PLAIN[1]:
        text = f"{value:.0e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return text.replace("-", "−")


def _linear(ax: Axes, low: float, high: float, unit: str) -> str:
    """Between the least and the greatest value, but no closer than LEAST_SPAN of their size."""
    size = max(abs(low), abs(high))
    span = max(high - low, LEAST_SPAN * size) or 1.0
    middle = low / 2 + high / 2
    half = span * (0.5 + MARGIN)
    bottom, top = middle - half, middle + half
    if low >= 0:
        bottom = max(bottom, 0.0)  # no numbers that the values cannot have
    ax.set_ylim(bottom, top)
    step = _step(span)
    first, last = math.ceil(bottom / step), math.floor(top / step)
    ticks = [step * i for i in range(first, last + 1)]
    digit = math.floor(math.log10(step) + 1e-9)  # the last digit of the numbers
    decimals = DECIMALS
    if bottom < 0:
        decimals -= 1
    exponent = 0
    if size and (digit < -decimals or not FROM <= size < TO):
        exponent = math.floor(math.log10(size))
    decimals = max(0, exponent - digit)
    shares = [_shifted(tick, exponent) for tick in ticks]
    ax.set_yticks(ticks, [f"{share:.{decimals}f}".replace("-", "−") for share in shares])
    if not exponent:
        return unit
    return f"1e{exponent} {unit}".strip().replace("-", "−")


def _shifted(value: float, exponent: int) -> float:
    """A value over a power of ten, without a minus at 0."""
    return value / 10.0**exponent + 0.0


def _step(span: float) -> float:
    """The distance of numbers: 1, 2 or 5 of a decade, so that there are at most MOST.

    >>> _step(0.05), _step(1.0), _step(7.0)
    (0.01, 0.2, 2.0)
    """
    decade = 10.0 ** math.floor(math.log10(span / MOST))
    least = span * (1 + 2 * MARGIN) / MOST
    steps = [digit * decade for digit in (1, 2, 5, 10)]
    return next((step for step in steps if step >= least), 10 * decade)


def _logarithmic(ax: Axes, low: float, high: float, unit: str) -> str:
    """Values above 0."""
    ax.set_yscale("log")
    decades = math.log10(high) - math.log10(low)
    outward = 10.0 ** (MARGIN * decades)
    ax.set_ylim(low / outward, high * outward)
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
    digits = (1, 3) if decades < FEW_DECADES else (1,)
    step = math.ceil((last - first + 1) / MOST)
    powers = [10.0**exponent for exponent in range(first, last + 1, step)]
    numbers = [digit * power for power in powers for digit in digits]
    bottom, top = ax.get_ylim()
    _powers(ax, [value for value in numbers if bottom <= value <= top])
    return _named(unit, "log scale")


def _both(ax: Axes, ends: tuple[float, float], usual: float, unit: str) -> str:
    """Values on both sides of 0: linear up to the size of a usual one."""
    low, high = ends
    largest = math.ceil(math.log10(max(-low, high)))
    decades = MOST_DECADES
    if min(-low, high) > SIDE * usual:
        decades //= 2  # there are some on each side
    first = max(math.ceil(math.log10(usual)), largest - decades)
    threshold = 10.0**first
    ax.set_yscale("symlog", linthresh=threshold)
    ax.set_ylim(_outward(low, -1, threshold), _outward(high, 1, threshold))
    exponents = []
    for sign, end in ((-1, -low), (1, high)):
        if end >= threshold:
            last = math.floor(math.log10(end) + 1e-9)
            exponents += [(sign, exponent) for exponent in range(first, last + 1)]
    step = math.ceil(len(exponents) / MOST)
    kept = [(sign, exponent) for sign, exponent in exponents if (exponent - first) % step == 0]
    numbers = [0.0, *(sign * 10.0**exponent for sign, exponent in kept)]
    _powers(ax, sorted(numbers))
    return _named(unit, f"log beyond {number(threshold)}")


def _outward(end: float, sign: int, threshold: float) -> float:
    """An end of the axis a little further out than its last value."""
    if abs(end) > threshold:
        return end * 1.8
    return end + sign * threshold * 0.3


def _powers(ax: Axes, numbers: Sequence[float]) -> None:
    ax.set_yticks(numbers, [number(value) for value in numbers])
    ax.minorticks_off()


def _named(unit: str, words: str) -> str:
    """The name of an axis: the unit, then the scale."""
    return f"{unit}, {words}" if unit else words
