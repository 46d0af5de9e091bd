"""Log-density of the weights in units of sigma, with the Gaussian and the best law over it.

One small panel per role or tensor, with the same axes. The first line of a panel is the reference
(the Gaussian), the second the best law, whose name is written in the panel. Laws differ in colour
and dash. The words after the colon of a label are written in the panel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...escape import escaped
from ...lazy import matplotlib_figure
from ...lazy import numpy as np
from .curves import annotate, name
from .page import BLUE, GREEN, GREY, INK, MOST, VERMILION, entitle, frame, head, surround
from .paper import grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 8.0  # sigma to either side, more where the data extend further
FURTHEST = 40.0  # beyond it one outlier would squeeze the bulk into a line
FLOOR, TOP = 1e-6, 1.0  # density per sigma: a Gaussian's top is 0.4
LAWS: tuple[dict[str, Any], ...] = (  # reference first, then the best law
    {"color": GREY, "dashes": (4, 2), "linewidth": 1.2},
    {"color": VERMILION, "dashes": (), "linewidth": 1.7},
    {"color": GREEN, "dashes": (1, 1), "linewidth": 1.7},
)


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of panels, one legend, the number of panels left out."""
    shown = panels[:MOST]
    across = grid(len(shown))
    down = math.ceil(len(shown) / across)
    size = max(5.0, 3.1 * across), 2.35 * down + 1.15  # inches
    figure = matplotlib_figure.Figure(figsize=size, dpi=144, facecolor="white")
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    _frame(axes[0], shown)
    most = 44 if len(shown) == 1 else 36  # characters that fit above a panel
    for ax, panel in zip(axes, shown, strict=False):
        _panel(ax, panel, most)
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    _label(figure, axes, shown, across)
    # the first panel with the most curves has all entries of the legend
    counts = [len(panel.curves) for panel in shown]
    fullest = counts.index(max(counts))
    _surround(figure, axes[fullest], panels)
    return figure


def reach(panels: Sequence[Panel]) -> float:
    """The half width of the x axis in sigma: the largest weight, between 8 and 40."""
    wide = REACH
    for curve in _curves(panels):
        x, _ = _positive(curve)
        if curve.style != "line" and len(x):
            wide = max(wide, math.ceil(float(np.max(np.abs(x)))))
    return min(FURTHEST, wide)


def _curves(panels: Sequence[Panel]) -> Iterator[Curve]:
    return (curve for panel in panels for curve in panel.curves)


def _points(curve: Curve) -> tuple[Any, Any]:
    """All points of a curve, float64."""
    x = np.asarray(curve.x, dtype=np.float64)
    y = np.asarray(curve.y, dtype=np.float64)
    return x, y


def _positive(curve: Curve) -> tuple[Any, Any]:
    """The points that a log axis can show."""
    x, y = _points(curve)
    visible = np.isfinite(x) & np.isfinite(y) & (y > 0)
    return x[visible], y[visible]


def _frame(ax: Axes, panels: Sequence[Panel]) -> None:
    """Axes are shared, so one panel sets them for all."""
    top = TOP
    for curve in _curves(panels):
        _, y = _positive(curve)
        if len(y):
            decade = math.ceil(math.log10(float(np.max(y))))
            top = max(top, 10**decade)
    wide = reach(panels)
    ax.set_yscale("log")
    ax.set_xlim(-wide, wide)
    ax.set_yticks([10.0**exponent for exponent in range(-6, 7, 2)])
    ax.set_ylim(FLOOR, top)
    fitting = [step for step in (4, 5, 10) if wide / step <= 3]  # at most 3 numbers a side
    step = fitting[0] if fitting else 20
    lowest = -(wide // step) * step
    ax.set_xticks(np.arange(lowest, wide + 1e-9, step))


def _panel(ax: Axes, panel: Panel, most: int) -> None:
    frame(ax)
    entitle(ax, panel.title, most)
    laws = _laws(panel)
    for curve in panel.curves:
        if curve.style != "line":
            _weights(ax, curve)
            annotate(ax, curve, BLUE, 0)
    for style, curve in zip(LAWS, laws, strict=False):
        ax.plot(*_positive(curve), label=escaped(curve.label), zorder=3, **style)
    for i, (mark, x) in enumerate(sorted(panel.marks.items())):
        ax.axvline(x, color="#999999", linewidth=0.8)
        height = 0.02 + 0.09 * (i % 3)  # three heights: words of close marks do not overlap
        ax.annotate(
            escaped(mark),
            (x, height),
            xycoords=("data", "axes fraction"),
            fontsize=7,
            color=INK,
            parse_math=False,
        )
    if len(laws) > 1:
        ax.annotate(
            escaped(laws[1].label),
            (0.03, 0.93),
            xycoords="axes fraction",
            va="top",
            fontsize=8,
            color=LAWS[1]["color"],
            parse_math=False,
            zorder=4,
        )


def _weights(ax: Axes, curve: Curve) -> None:
    """The density of the weights: steps of a histogram, or dots of single values."""
    if curve.style == "steps":
        x, y = _points(curve)
        filled = y > 0  # an empty bin is a gap
        ax.fill_between(
            x,
            np.where(filled, y, FLOOR / 10),
            FLOOR / 10,
            step="mid",
            color=BLUE,
            alpha=0.22,
            linewidth=0,
            zorder=1,
        )
        ax.plot(
            x,
            np.where(filled, y, np.nan),
            drawstyle="steps-mid",
            color=BLUE,
            linewidth=0.9,
            label=escaped(name(curve)),
            zorder=2,
        )
    else:
        ax.plot(
            *_positive(curve),
            linestyle="",
            marker="o",
            markersize=2.4,
            markeredgewidth=0,
            color=BLUE,
            alpha=0.75,
            label=escaped(name(curve)),
            zorder=2,
        )


def _laws(panel: Panel) -> list[Curve]:
    return [curve for curve in panel.curves if curve.style == "line"]


def _label(figure: Figure, axes: Any, panels: Sequence[Panel], across: int) -> None:
    """The names of the axes; the lowest panel of each column shows numbers of x."""
    for i in range(max(0, len(panels) - across), len(panels)):
        axes[i].tick_params(labelbottom=True)
    first = panels[0]
    figure.supxlabel(
        first.xlabel or "weight / sigma",
        fontsize=9,
        color=INK,
        y=0.05 / figure.get_figheight(),
        va="bottom",
    )
    figure.supylabel(
        first.ylabel or "density",
        fontsize=9,
        color=INK,
        x=0.05 / figure.get_figwidth(),
        ha="left",
    )


def _surround(figure: Figure, ax: Axes, panels: Sequence[Panel]) -> None:
    """The legend, with "best law" in place of several laws; then the final layout."""
    handles, labels = ax.get_legend_handles_labels()
    best = set()
    for panel in panels:
        laws = _laws(panel)
        if len(laws) > 1:
            best.add(escaped(laws[1].label))
    if len(best) > 1:
        labels = ["best law" if label in best else label for label in labels]
    surround(figure, handles, labels, len(panels))
    top = 1 - head(len(panels)) / figure.get_figheight()
    with _measured_once(figure.axes):
        figure.tight_layout(rect=(0, 0, 1, top), pad=0.6)


@contextmanager
def _measured_once(axes: Sequence[Axes]) -> Iterator[None]:
    """A layout asks for the box of each plot twice, and moves none of them in between."""
    for ax in axes:
        vars(ax)["get_tightbbox"] = cache(ax.get_tightbbox)
    try:
        yield
    finally:
        for ax in axes:
            del vars(ax)["get_tightbbox"]
