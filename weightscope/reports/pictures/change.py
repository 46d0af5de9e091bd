"""The laws of A, of B and of their difference, below a bar of relative change per layer and role.

All bars and all laws have the same axes. Of pairs that did not change only bars are drawn, unless
no pair did. Distances are in units of A's sigma, so that a law of B as wide as A's did not change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...lazy import numpy as np
from . import bars
from .curves import annotate, legend, name
from .page import BLUE, GREY, MOST, VERMILION, entitle, frame, head, label, surround
from .paper import LEAD, grid, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
CELL = (2.9, 2.2)  # a plot with its title
PLOT = (2.45, 1.85)
NARROWEST = 6.0  # a page: bars need room
NEAREST, FURTHEST = 5.0, 40.0  # sigma that the axis shows at least, and more only if half need it
FLOOR, TOP, HIGHEST = 1e-7, 1.0, 100.0  # density per sigma: a Gaussian's top is 0.4
SPIKE = 0.1  # of half the width of the axis: the width of narrow laws
A, B, D = "A", "B", "B - A"  # names of curves
COLOURS = {A: GREY, B: BLUE, D: VERMILION}


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: bars, a grid of panels, a legend of each, the number of panels left out."""
    laws = _of_laws(panels)
    shown = laws[:MOST]
    across = max(1, grid(len(shown)))
    cell = max(CELL[0], (NARROWEST - LEAD) / across), CELL[1]
    plot = cell[0] - CELL[0] + PLOT[0], PLOT[1]
    wide = LEAD + across * cell[0]
    below = bars.height(panels, wide)
    top = below + head(len(laws)) if shown else below
    figure, put = paper(len(shown), across, cell, top)
    limits = _limits(shown)
    for i, panel in enumerate(shown):
        ax = put(i, (0, 0, *plot))
        _set(ax, *limits)
        _panel(ax, panel, round(14 * plot[0]))
        lowest = i + across >= len(shown)
        label(ax, panel.xlabel, panel.ylabel, lowest=lowest, first=i % across == 0)
    if shown:
        surround(figure, *legend(figure.axes, COLOURS), len(laws), below)
    if below:
        bars.draw(figure, panels, (LEAD, wide - cell[0] + plot[0]))
    return figure


def _of_laws(panels: Sequence[Panel]) -> list[Panel]:
    """The panels with curves: of changed pairs, of all if none has changed."""
    laws = [panel for panel in panels if panel.curves]
    changed = [panel for panel in laws if not _is_unchanged(panel)]
    return changed or laws


def _is_unchanged(panel: Panel) -> bool:
    """Whether B - A is 0 everywhere: its curve has no points."""
    return any(name(curve) == D and not len(curve.x) for curve in panel.curves)


def _limits(panels: Sequence[Panel]) -> tuple[float, float, float]:
    """Half the width in sigma, the lowest and the highest density."""
    if not panels:
        return NEAREST, FLOOR, TOP
    reaches = [max(_reach(curve) for curve in panel.curves) for panel in panels]
    limit = max(FURTHEST, float(np.median(reaches)))
    wide = max(NEAREST, min(limit, max(reaches)))
    low, high = 0.01, TOP
    for panel in panels:
        for curve in panel.curves:
            _, y = _positive(curve)
            if len(y):
                low = min(low, float(y.min()))
                high = max(high, float(y.max()))
    low = max(FLOOR, 10.0 ** math.floor(math.log10(low)))
    high = min(HIGHEST, 10.0 ** math.ceil(math.log10(high)))
    return wide, low, high


def _reach(curve: Curve) -> float:
    x, _ = _positive(curve)
    return float(np.max(np.abs(x), initial=0.0))


def _positive(curve: Curve) -> tuple[Any, Any]:
    """The points that a log axis can show."""
    filled = curve.y > 0
    return curve.x[filled], curve.y[filled]


def _set(ax: Axes, wide: float, low: float, high: float) -> None:
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


def _panel(ax: Axes, panel: Panel, most: int) -> None:
    entitle(ax, panel.title, most)
    lines = 0
    for curve in panel.curves:
        _curve(ax, curve)
        lines = annotate(ax, curve, COLOURS[name(curve)], lines)


def _curve(ax: Axes, curve: Curve) -> None:
    """A an area, B a line, their difference dashes."""
    x, y = _positive(curve)
    colour = COLOURS[name(curve)]
    low, _ = ax.get_ylim()
    if len(x) and x[-1] - x[0] < SPIKE * ax.get_xlim()[1]:
        # without its foot a spike would float
        x = np.concatenate((x[:1], x, x[-1:]))
        y = np.concatenate(([low], y, [low]))
    if name(curve) == A:
        ax.fill_between(x, y, low, color=colour, alpha=0.25, linewidth=0, label=A, zorder=1)
        ax.plot(x, y, color=colour, linewidth=0.9, zorder=2)
    elif name(curve) == B:
        ax.plot(x, y, color=colour, linewidth=1.5, label=B, zorder=3)
    elif len(x):
        ax.plot(x, y, color=colour, linewidth=1.3, dashes=(3, 1.4), label=D, zorder=4)
