"""The tail of the weights with the Gaussian tail, and a map of the largest weights of a matrix.

Every tail has the same axes. A map has rows downwards, as a matrix is written; larger and darker
dots are larger weights. Its margins count the weights beyond 4 robust std of each row and column;
where there are more rows or columns than bars, a bar has the largest count among its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...lazy import numpy as np
from .curves import annotate, dashes, dots, legend, name
from .page import BLUE, GREEN, GREY, INK, MOST, entitle, frame, head, label, surround
from .paper import Box, grid, pairs, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
TAIL = (2.4, 1.9)
CELL = (2.9, 2.2)  # a tail with its title
PAIR = (6.1, 2.2)  # a tail beside a map with their title
WIDE, HIGH = 2.0, 1.46  # a map
STRIP = 0.32  # the height of its margins
SLIT = 0.06  # the gap between a map and its margins
MAP = TAIL[0] + 0.6  # where maps begin

BARS = 128  # of a margin: more could not be distinguished
NEAREST, LEAST_FAR = 0.5, 6.0  # std: where the axis begins, and how far it goes at least
FEWEST = 1e-3  # share that is shown at least
SMALL, LARGE = 4.0, 60.0  # points squared: the dots of a map
FAR = "beyond 4 robust std"
LINES = f"{FAR}, by row and column"
ROLES = ("weights", "Gaussian", "largest weights", LINES)


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of tails, with maps if any, one legend, the number of panels left out."""
    shown = panels[:MOST]
    mapped = any("matrix" in _curves(panel) for panel in shown)
    if mapped:
        across, cell = pairs(len(shown)), PAIR
    else:
        across, cell = grid(len(shown)), CELL
    figure, put = paper(len(shown), across, cell, head(len(panels)))
    far, least = _limits(shown)
    # a title spans the whole pair, unless the map above has numbers there
    most = 36
    if mapped and len(shown) == 1:
        most = 84
    for i, panel in enumerate(shown):
        curves = _curves(panel)
        tail = put(i, (0, 0, *TAIL))
        _set(tail, far, least)
        _tail(tail, panel, most)
        lowest = i + across >= len(shown)
        label(tail, panel.xlabel, panel.ylabel, lowest=lowest, first=i % across == 0)
        if "matrix" in curves:
            _map(partial(put, i), curves, "column" if lowest else "")
    surround(figure, *legend(figure.axes, ROLES), len(panels))
    return figure


def _curves(panel: Panel) -> Mapping[str, Curve]:
    """The curves of a panel by name."""
    return {name(curve): curve for curve in panel.curves}


def _limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """The largest distance and the smallest share on the axes, with room for every panel."""
    far, least = LEAST_FAR, FEWEST
    for panel in panels:
        curve = _curves(panel)["weights"]
        far = max(far, float(np.max(curve.x)))
        least = min(least, float(np.min(curve.y)))
    return far * 1.15, least / 2


def _set(ax: Axes, far: float, least: float) -> None:
    ax.set_xscale("log")
    ax.set_xlim(NEAREST, far)
    marks = _round(NEAREST, far)
    ax.set_xticks(marks, [f"{x:g}" for x in marks])
    ax.set_yscale("log")
    ax.set_ylim(least, 2)
    decades = math.ceil(-math.log10(least))
    step = 1 if decades < 7 else 2
    ax.set_yticks([10.0**-exponent for exponent in range(0, decades, step)])
    frame(ax)


def _round(low: float, high: float) -> list[float]:
    """1, 2, 5 of each decade; only 1 where there are three decades or more.

    >>> _round(2.5, 30), _round(0.5, 1500)
    ([5.0, 10.0, 20.0], [1.0, 10.0, 100.0, 1000.0])
    """
    digits = [1]
    if high < 1000 * low:
        digits = [1, 2, 5]
    numbers = []
    for exponent in range(6):
        numbers += [digit * 10.0**exponent for digit in digits]
    return [number for number in numbers if low <= number <= high]


def _tail(ax: Axes, panel: Panel, most: int) -> None:
    entitle(ax, panel.title, most)
    curves = _curves(panel)
    weights, gaussian = curves["weights"], curves["Gaussian"]
    dots(ax, weights, BLUE)
    lines = annotate(ax, weights, BLUE, 0)
    dashes(ax, gaussian, GREY)
    annotate(ax, gaussian, GREY, lines)


def _map(put: Callable[[Box], Axes], curves: Mapping[str, Curve], below: str) -> None:
    """The matrix, its margins above and to the right, and the scale of the colours."""
    ax = put((MAP, 0, WIDE, HIGH))
    _matrix(ax, curves["matrix"], below)
    largest, z = curves["largest weights"], curves["their |z|"].y
    annotate(ax, largest, INK, 0)
    right = MAP + WIDE + SLIT
    if len(z):
        scale = put((right + STRIP + 2 * SLIT, 0, SLIT, HIGH))
        _largest(ax, scale, largest, z)
    columns, rows = curves.get(f"{FAR} by column"), curves.get(f"{FAR} by row")
    if columns and rows and columns.y.any():
        above = put((MAP, HIGH + SLIT, WIDE, STRIP))
        _margin(above, "x", columns.y, ax)
        beside = put((right, 0, STRIP, HIGH))
        _margin(beside, "y", rows.x, ax)


def _matrix(ax: Axes, corners: Curve, below: str) -> None:
    ax.set_xlim(corners.x[0] - 0.5, corners.x[1] + 0.5)
    ax.set_ylim(corners.y[1] + 0.5, corners.y[0] - 0.5)
    ax.locator_params(integer=True, nbins=5)
    frame(ax)
    label(ax, below, "row", lowest=True, first=True)
    for spine in ax.spines.values():
        spine.set_visible(True)


def _largest(ax: Axes, scale: Axes, largest: Curve, z: Any) -> None:
    """Dots by size and colour, and the scale of the colours."""
    low, high = float(z.min()), float(z.max()) * (1 + 1e-9)
    share = np.log(z / low) / math.log(high / low)
    # the palest quarter of the colours is hard to see on white
    palest = low * (low / high) ** 0.33
    points = ax.scatter(
        largest.x,
        largest.y,
        s=SMALL + (LARGE - SMALL) * share,
        c=z,
        cmap="viridis_r",
        norm="log",
        vmin=palest,
        vmax=high,
        linewidths=0,
        alpha=0.85,
        label=name(largest),
        zorder=3,
    )
    bar = ax.figure.colorbar(points, cax=scale)
    marks = _marks(low, high)
    labels = [f"{float(f'{x:.3g}'):g}" for x in marks]
    bar.set_ticks(marks, labels=labels)
    bar.outline.set_visible(False)
    frame(scale)
    scale.set_ylim(low, high)
    scale.set_title("|z|", fontsize=8, color=INK, pad=4)


def _marks(low: float, high: float) -> list[float]:
    """Round numbers on the scale of colours, or its ends where it has none."""
    inner = _round(low, high)
    if len(inner) > 1:
        return inner
    if high > 1.1 * low:
        return [low, high]
    return [high]  # two numbers would overlap


def _margin(ax: Axes, along: str, counts: Any, beside: Axes) -> None:
    """Counts by row or column along an axis of the map, with the largest as a number."""
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
