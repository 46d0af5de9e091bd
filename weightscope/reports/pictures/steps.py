"""The axis of steps of a series of checkpoints: linear, or logarithmic above the first step.

Checkpoints at powers of two, or one at the start and one at the end, would lie on each other at
the left end of a linear axis. Step 0 has no logarithm: up to the first step above 0 the axis is
linear.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .scales import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CROWDED = 0.1  # of the last step: half of the steps below it need a logarithmic axis
EDGE = 0.04  # of the axis, free at either end
START = 0.5  # decades: the length of the linear part
LETTER, APART = 0.066, 0.14  # inches: a letter of a number, and the gap to the next
PLAIN = 10_000  # larger numbers have a unit
UNITS = {"B": 1e9, "M": 1e6, "k": 1e3}


def axis(ax: Axes, steps: Sequence[float], wide: float) -> str:
    """Sets the axis of x for rising steps on a plot `wide` inches wide; returns its name."""
    if is_logarithmic(steps):
        _logarithmic(ax, steps, wide)
        return "step, log scale"
    _linear(ax, steps, wide)
    return "step"


def is_logarithmic(steps: Sequence[float]) -> bool:
    """Whether half of the steps lie at the left end of a linear axis.

    >>> is_logarithmic([0, 400, 1600]), is_logarithmic([0, 1000, 143000])
    (False, True)
    """
    if len(steps) < 3 or steps[0] < 0:
        return False
    return float(np.median(steps)) < CROWDED * steps[-1]


def words(values: Sequence[float]) -> list[str]:
    """The numbers of an axis, in thousands, millions or billions where they are shorter so.

    >>> words([0, 400, 1600]), words([0, 5000, 10000]), words([1, 1000, 1e6])
    (['0', '400', '1600'], ['0', '5k', '10k'], ['1', '1k', '1M'])
    >>> words([143000000, 143000001])
    ['143000000', '143000001']
    """
    plain = [f"{value:.10g}" for value in values]
    if max(values) < PLAIN:
        return plain
    short = [_short(value) for value in values]
    if len(set(short)) < len(short) or max(map(len, short)) >= max(map(len, plain)):
        return plain
    return short


def _short(value: float) -> str:
    if value < 1000 * UNITS["B"]:
        for unit, size in UNITS.items():
            if value >= size:
                return f"{value / size:.10g}{unit}"
    return number(value)


def _linear(ax: Axes, steps: Sequence[float], wide: float) -> None:
    first, last = steps[0], steps[-1]
    span = last - first
    margin = EDGE * span or 0.5
    ax.set_xlim(first - margin, last + margin)
    ticks = _numbers(first, last, wide)
    ax.set_xticks(ticks, words(ticks))


def _numbers(first: float, last: float, wide: float) -> list[float]:
    """Round numbers as close as they fit; only ends where fewer than two fit.

    >>> _numbers(0, 143000, 2.0), _numbers(1000, 1001, 2.0), _numbers(7, 7, 2.0)
    ([0.0, 50000.0, 100000.0], [1000.0, 1001.0], [7])
    """
    span = last - first
    if not span:
        return [first]
    distance = _distance(span, 1.0)
    ticks = _multiples(first, last, distance)
    while len(ticks) > 1 and not _fits(ticks, wide * distance / span):
        distance = _distance(span, 1.5 * distance)
        ticks = _multiples(first, last, distance)
    if len(ticks) > 1:
        return ticks
    if _fits([first, last], wide):
        return [first, last]
    return [last]


def _multiples(first: float, last: float, distance: float) -> list[float]:
    start, end = math.ceil(first / distance), math.floor(last / distance)
    return [distance * i for i in range(start, end + 1)]


def _distance(span: float, least: float) -> float:
    """The distance of numbers: 1, 2 or 5 of a decade, whole, at most 10 of them.

    >>> _distance(1600.0, 1.0), _distance(1600.0, 300.0), _distance(2.0, 1.0)
    (200.0, 500.0, 1.0)
    """
    least = max(least, span / 10, 1.0)
    decade = 10.0 ** math.floor(math.log10(least))
    steps = [digit * decade for digit in (1, 2, 5, 10)]
    return next((step for step in steps if step >= least), 10 * decade)


def _fits(ticks: Sequence[float], inches: float) -> bool:
    """Whether numbers at this distance are apart."""
    return _are_apart(words(ticks), inches)


def _are_apart(texts: Sequence[str], inches: float) -> bool:
    """Whether texts at this distance do not touch."""
    longest = max(len(text) for text in texts)
    return longest * LETTER + APART <= inches


def _logarithmic(ax: Axes, steps: Sequence[float], wide: float) -> None:
    first, last = steps[0], steps[-1]
    threshold = _threshold(steps)
    ax.set_xscale(
        "symlog", linthresh=threshold, linscale=START * 0.9
    )  # matplotlib divides by 1 - 1/10
    length = _decades(last, threshold) - _decades(first, threshold)
    margin = EDGE * length
    left = first - margin / START * threshold
    ax.set_xlim(left, last * 10.0**margin)
    low, high = math.ceil(math.log10(threshold)), math.floor(math.log10(last) + 1e-9)
    powers = [10.0**exponent for exponent in range(low, high + 1)]
    inches = wide / length
    every = 1
    while every < len(powers) and not _fits(powers[::every], every * inches):
        every += 1
    ticks = powers[::every]
    if first == 0:
        ticks = [0.0, *ticks]
        if not _are_apart(words(ticks)[:2], inches * _decades(ticks[1], threshold)):
            ticks.pop(1)
    ax.set_xticks(ticks, words(ticks))
    ax.minorticks_off()


def _threshold(steps: Sequence[float]) -> float:
    """The first step above 0."""
    return float(next(step for step in steps if step > 0))


def _decades(step: float, threshold: float) -> float:
    """The place of a step on a logarithmic axis, in decades from 0.

    >>> _decades(0.0, 10.0), _decades(10.0, 10.0), _decades(1000.0, 10.0)
    (0.0, 0.5, 2.5)
    """
    if step <= threshold:
        return START * step / threshold
    return START + math.log10(step / threshold)
