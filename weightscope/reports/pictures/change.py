"""The laws of A, of B and of their difference, below a bar of relative change per layer and role.

All bars and all laws have the same axes. Of pairs that did not change only bars are drawn, unless
no pair did. Distances are in units of A's sigma, so that a law of B as wide as A's did not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...columns import Curve, Panel
from . import bars
from .curves import annotate, legend, name
from .laws import limits, points, span
from .page import BLUE, GREY, MOST, VERMILION, entitle, head, label, surround
from .paper import LEAD, grid, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
CELL = (2.9, 2.2)  # a plot with its title
PLOT = (2.45, 1.85)
NARROWEST = 6.0  # a page: bars need room
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
    ends = limits(shown)
    for i, panel in enumerate(shown):
        ax = put(i, (0, 0, *plot))
        span(ax, *ends)
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


def _panel(ax: Axes, panel: Panel, most: int) -> None:
    entitle(ax, panel.title, most)
    lines = 0
    for curve in panel.curves:
        _curve(ax, curve)
        lines = annotate(ax, curve, COLOURS[name(curve)], lines)


def _curve(ax: Axes, curve: Curve) -> None:
    """A an area, B a line, their difference dashes."""
    x, y = points(ax, curve)
    colour = COLOURS[name(curve)]
    low, _ = ax.get_ylim()
    if name(curve) == A:
        ax.fill_between(x, y, low, color=colour, alpha=0.25, linewidth=0, label=A, zorder=1)
        ax.plot(x, y, color=colour, linewidth=0.9, zorder=2)
    elif name(curve) == B:
        ax.plot(x, y, color=colour, linewidth=1.5, label=B, zorder=3)
    elif len(x):
        ax.plot(x, y, color=colour, linewidth=1.3, dashes=(3, 1.4), label=D, zorder=4)
