"""The cosine of every two layers: a square per role, blue below zero, white at it, red above.

One scale for all panels, from the largest cosine of two layers that are not equal: these are black.
The diagonal and pairs without a cosine are grey. Four times the null is the least end, so that
noise is pale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...columns import Panel
from ...lazy import matplotlib_colors as colors
from ...lazy import matplotlib_lines
from ...lazy import numpy as np
from .bars import every
from .page import GREY, INK, MOST, entitle, head, label, surround
from .paper import grid, paper
from .scales import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
SIZES = {1: 3.4, 2: 2.8, 3: 2.3}  # a square, by their number in a row
SMALL = 1.7
GAP, TITLE = 0.45, 0.5
BAR = 0.9  # right of the last square, for the colours
LETTERS = 12  # of a title in an inch
NULLS = 4  # nulls of the least end of the colours
COLOURS = ("#0b4a8f", "#ffffff", "#a32a0e")
NOTHING, EQUAL = "#d0d0d0", "#000000"
LEGEND = {
    "cosine below 0": COLOURS[0],
    "above 0": COLOURS[-1],
    "equal layers": EQUAL,
    "none": NOTHING,
}


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of squares and one scale of colours."""
    shown = panels[:MOST]
    across = grid(len(shown))
    size = SIZES.get(across, SMALL)
    top = head(len(panels))
    figure, put = paper(len(shown), across, (size + GAP, size + TITLE), top, GAP - BAR)
    end = limit(shown)
    image = None
    for i, panel in enumerate(shown):
        ax = put(i, (0, 0, size, size))
        image = _square(ax, panel, end, size)
        entitle(ax, panel.title, round(LETTERS * size))
        lowest = i + across >= len(shown)
        label(ax, panel.xlabel, panel.ylabel, lowest=lowest, first=i % across == 0)
        ax.tick_params(labelbottom=True)
    bar = put(across - 1, (size + 0.18, 0, 0.12, size))
    _scale(figure, bar, image, end)
    handles = [_sample(colour) for colour in LEGEND.values()]
    surround(figure, handles, list(LEGEND), len(panels))
    return figure


def _sample(colour: str) -> Any:
    """The square of a colour in the legend."""
    return matplotlib_lines.Line2D(
        [], [], linestyle="", marker="s", markersize=6, color=colour, markeredgecolor="#bbbbbb"
    )


def matrix_of(panel: Panel) -> tuple[Any, Any, Any]:
    """(layers, cosines, which pairs are equal) of a panel, as a square with NaN on its diagonal."""
    lines = [curve for curve in panel.curves if curve.style == "line"]
    layers = np.array([int(curve.label) for curve in lines])
    cosines = np.array([curve.y for curve in lines], np.float64).reshape(len(lines), len(lines))
    equal = np.zeros(cosines.shape, bool)
    for curve in panel.curves:
        if curve.style == "points":
            equal[layers == int(curve.label)] |= np.isin(layers, curve.x)
    return layers, cosines, equal


def limit(panels: Sequence[Panel]) -> float:
    """The end of the colours: the largest |cosine| of layers that are not equal."""
    end = 0.0
    for panel in panels:
        _, cosines, equal = matrix_of(panel)
        sizes = np.abs(cosines[~equal & np.isfinite(cosines)])
        null = panel.marks.get("null", 0.0)
        least = NULLS * null if np.isfinite(null) else 0.0
        end = max(end, float(sizes.max(initial=0.0)), least)
    return min(end, 1.0) or 1.0


def _square(ax: Axes, panel: Panel, end: float, size: float) -> Any:
    """One role; layers are numbered by their index."""
    layers, cosines, equal = matrix_of(panel)
    palette = colors.LinearSegmentedColormap.from_list("cosine", COLOURS)
    ax.set_facecolor(NOTHING)  # where there is no cosine
    image = ax.imshow(cosines, cmap=palette, vmin=-end, vmax=end, interpolation="nearest")
    marked = np.where(equal, 0.0, np.nan)
    ax.imshow(marked, cmap=colors.ListedColormap([EQUAL]), interpolation="nearest")
    step = every(len(layers), size)
    places = range(0, len(layers), step)
    ax.set_xticks(places, [number(float(layers[i])) for i in places])
    ax.set_yticks(places, [number(float(layers[i])) for i in places])
    ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=2)
    for spine in ax.spines.values():
        spine.set_color("#bbbbbb")
    return image


def _scale(figure: Figure, bar: Axes, image: Any, end: float) -> None:
    """The colours with their cosines."""
    scale = figure.colorbar(image, cax=bar)
    ends = (-end, -end / 2, 0.0, end / 2, end)
    scale.set_ticks(ends, labels=[f"{value:.2g}" for value in ends])
    scale.ax.tick_params(labelsize=8, labelcolor=INK, length=2)
    scale.outline.set_edgecolor("#bbbbbb")
