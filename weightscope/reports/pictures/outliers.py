"""How far out how many weights are, beside the Gaussian; to the right, where it is known, where the furthest stand.

The same axes in every tail. A map has rows downwards, as a matrix is written, and the larger and darker a dot, the
further out its weight. Its margins count the far weights of each row and column; where there are more lines than bars,
a bar is as high as the highest of its lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...lazy import numpy as np
from .curves import dashes, dots, legend, name, say
from .page import BLUE, GREEN, GREY, INK, MOST, entitle, frame, head, label, surround
from .paper import Box, grid, pairs, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TAIL, CELL, PAIR = (
    (2.4, 1.9),
    (2.9, 2.2),
    (6.1, 2.2),
)  # inches: a tail, alone and beside a map with their title
WIDE, HIGH, STRIP, SLIT = (
    2.0,
    1.46,
    0.32,
    0.06,
)  # inches: a map, how high its margins are, what is between them
MAP = TAIL[0] + 0.6  # inches: where maps begin
BARS = 128  # of a margin: as many as can be told apart
NEAREST, LEAST_FAR = 0.5, 6.0  # std: where the axis begins, and how far it goes at least
FEWEST = 1e-3  # share that is shown at least
SMALL, LARGE = 4.0, 60.0  # points squared: the dots of a map
FAR = "beyond 4 robust std"
LINES = f"{FAR}, by row and column"
ROLES = ("weights", "Gaussian", "largest weights", LINES)


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of tails, with maps where there are any, one legend, a note where panels were left out."""
    shown = panels[:MOST]
    mapped = any("matrix" in _named(panel) for panel in shown)
    across, cell = (pairs(len(shown)), PAIR) if mapped else (grid(len(shown)), CELL)
    figure, put = paper(len(shown), across, cell, head(len(panels)))
    far, least = _limits(shown)
    for at, panel in enumerate(shown):
        tail = put(at, (0, 0, *TAIL))
        _set(tail, far, least)
        _tail(
            tail, panel, 84 if mapped and len(shown) == 1 else 36
        )  # a map above has numbers there
        lowest = at + across >= len(shown)
        label(tail, panel.xlabel, panel.ylabel, lowest=lowest, first=at % across == 0)
        if "matrix" in _named(panel):
            _map(partial(put, at), _named(panel), "column" if lowest else "")
    surround(figure, *legend(figure.axes, ROLES), len(panels))
    return figure


def _named(panel: Panel) -> Mapping[str, Curve]:
    return {name(curve): curve for curve in panel.curves}


def _limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """The furthest distance and the least share that hold every panel."""
    drawn = [_named(panel)["weights"] for panel in panels]
    far = max([LEAST_FAR, *(float(np.max(curve.x)) for curve in drawn)])
    return far * 1.15, min([FEWEST, *(float(np.min(curve.y)) for curve in drawn)]) / 2


def _set(ax: Axes, far: float, least: float) -> None:
    ax.set_xscale("log")
    ax.set_xlim(NEAREST, far)
    marks = _round(NEAREST, far)
    ax.set_xticks(marks, [f"{x:g}" for x in marks])
    ax.set_yscale("log")
    decades = math.ceil(-math.log10(least))
    ax.set_ylim(least, 2)
    ax.set_yticks([10.0**-e for e in range(0, decades, 1 if decades < 7 else 2)])
    frame(ax)


def _round(low: float, high: float) -> list[float]:
    """1, 2, 5 of each decade, 1 alone of three and more.

    >>> _round(2.5, 30), _round(0.5, 1500)
    ([5.0, 10.0, 20.0], [1.0, 10.0, 100.0, 1000.0])
    """
    first = (1, 2, 5) if high < 1000 * low else (1,)
    return [m * 10.0**e for e in range(6) for m in first if low <= m * 10**e <= high]


def _tail(ax: Axes, panel: Panel, most: int) -> None:
    entitle(ax, panel.title, most)
    curves, line = _named(panel), 0
    for known, plot, colour in (("weights", dots, BLUE), ("Gaussian", dashes, GREY)):
        plot(ax, curves[known], colour)
        line = say(ax, curves[known], colour, line)


def _map(put: Callable[[Box], Axes], curves: Mapping[str, Curve], below: str) -> None:
    """The matrix, its margins above and to the right, and what the colours mean."""
    ax = put((MAP, 0, WIDE, HIGH))
    _matrix(ax, curves["matrix"], below)
    places, z = curves["largest weights"], curves["their |z|"].y
    say(ax, places, INK, 0)
    if len(z):
        _places(ax, put((MAP + WIDE + STRIP + 3 * SLIT, 0, SLIT, HIGH)), places, z)
    columns, rows = curves.get(f"{FAR} by column"), curves.get(f"{FAR} by row")
    if columns and rows and columns.y.any():
        _margin(put((MAP, HIGH + SLIT, WIDE, STRIP)), "x", columns.y, ax)
        _margin(put((MAP + WIDE + SLIT, 0, STRIP, HIGH)), "y", rows.x, ax)


def _matrix(ax: Axes, corners: Curve, below: str) -> None:
    ax.set_xlim(corners.x[0] - 0.5, corners.x[1] + 0.5)
    ax.set_ylim(corners.y[1] + 0.5, corners.y[0] - 0.5)
    ax.locator_params(integer=True, nbins=5)
    frame(ax)
    label(ax, below, "row", lowest=True, first=True)
    for spine in ax.spines.values():
        spine.set_visible(True)


def _places(ax: Axes, beside: Axes, places: Curve, z: Any) -> None:
    """Dots, and their distances beside the colours; the palest quarter of these is hard to see on white."""
    low, high = float(z.min()), float(z.max()) * (1 + 1e-9)
    share = np.log(z / low) / math.log(high / low)
    palest = low * (low / high) ** 0.33
    seen = ax.scatter(
        places.x,
        places.y,
        s=SMALL + (LARGE - SMALL) * share,
        c=z,
        cmap="viridis_r",
        norm="log",
        vmin=palest,
        vmax=high,
        linewidths=0,
        alpha=0.85,
        label=name(places),
        zorder=3,
    )
    bar = ax.figure.colorbar(seen, cax=beside)
    inner = _round(low, high)
    marks = inner if len(inner) > 1 else [low, high] if high > 1.1 * low else [high]
    bar.set_ticks(marks, labels=[f"{float(f'{x:.3g}'):g}" for x in marks])
    bar.outline.set_visible(False)
    frame(beside)
    beside.set_ylim(low, high)
    beside.set_title("|z|", fontsize=8, color=INK, pad=4)


def _margin(ax: Axes, along: str, counts: Any, beside: Axes) -> None:
    """Counts of lines along an axis of the map, with the highest in numbers."""
    edges = np.unique(np.linspace(0, len(counts), BARS + 1).astype(int))
    heights = np.maximum.reduceat(counts, edges[:-1])
    top = int(heights.max())
    frame(ax)
    ax.grid(False)
    if along == "x":
        ax.stairs(heights, edges - 0.5, fill=True, color=GREEN, label=LINES)
        ax.set(xlim=beside.get_xlim(), ylim=(0, top), xticks=[], yticks=[top])
    else:
        ax.stairs(heights, edges - 0.5, orientation="horizontal", fill=True, color=GREEN)
        ax.set(ylim=beside.get_ylim(), xlim=(0, top), yticks=[])
        ax.set_xticks([top], [str(top)], ha="right")
        ax.xaxis.tick_top()
