"""Log-density of the weights in units of sigma, with the Gaussian and the best law over it.

One small panel per role or tensor, the same axes in every panel, so that panels compare at a glance. The first line of
a panel is the reference (the Gaussian), a second one the best law, whose name differs and stands in its panel.
The laws differ by colour and by dash. What a label of the weights says after a colon stands in its panel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...escape import escaped
from ...lazy import matplotlib_figure
from ...lazy import numpy as np
from .curves import name, say
from .page import BLUE, GREEN, GREY, INK, MOST, VERMILION, entitle, frame, head, surround
from .paper import grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 8.0  # sigma to either side, more where the data go further
FURTHEST = 40.0  # beyond it one outlier would squeeze the bulk into a line
FLOOR, TOP = 1e-6, 1.0  # density per sigma: a Gaussian's top is 0.4
LAWS: tuple[dict[str, Any], ...] = (  # reference first, then the best law
    {"color": GREY, "dashes": (4, 2), "linewidth": 1.2},
    {"color": VERMILION, "dashes": (), "linewidth": 1.7},
    {"color": GREEN, "dashes": (1, 1), "linewidth": 1.7},
)


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of panels, one legend, a note where panels were left out."""
    shown = panels[:MOST]
    across = grid(len(shown))
    down = math.ceil(len(shown) / across)
    figure = matplotlib_figure.Figure(
        figsize=(max(5.0, 3.1 * across), 2.35 * down + 1.15), dpi=144, facecolor="white"
    )
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    _frame(axes[0], shown)
    for ax, panel in zip(axes, shown, strict=False):
        _panel(ax, panel, 44 if len(shown) == 1 else 36)  # characters that fit above it
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    _label(figure, axes, shown, across)
    _surround(figure, axes[max(range(len(shown)), key=lambda at: len(shown[at].curves))], panels)
    return figure


def reach(panels: Sequence[Panel]) -> float:
    """The half width of the x axis in sigma: 8, or as far as the data go, 40 at most."""
    ends = [
        float(np.max(np.abs(seen)))
        for curve in _curves(panels)
        if curve.style != "line"
        for seen in [_seen(curve)[0]]
        if len(seen)
    ]
    return min(FURTHEST, max([REACH, *(math.ceil(end) for end in ends)]))


def _curves(panels: Sequence[Panel]) -> Iterator[Curve]:
    return (curve for panel in panels for curve in panel.curves)


def _seen(curve: Curve) -> tuple[Any, Any]:
    """The points that a log axis can show."""
    x, y = np.asarray(curve.x, dtype=np.float64), np.asarray(curve.y, dtype=np.float64)
    kept = np.isfinite(x) & np.isfinite(y) & (y > 0)
    return x[kept], y[kept]


def _frame(ax: Axes, panels: Sequence[Panel]) -> None:
    """Axes are shared, so one panel sets them for all."""
    tops = [float(np.max(y)) for curve in _curves(panels) for y in [_seen(curve)[1]] if len(y)]
    wide = reach(panels)
    ax.set_yscale("log")
    ax.set_xlim(-wide, wide)
    ax.set_yticks([10.0**e for e in range(-6, 7, 2)])
    ax.set_ylim(FLOOR, max([TOP, *(10 ** math.ceil(math.log10(top)) for top in tops)]))
    step = next(s for s in (4, 5, 10, 20) if wide / s <= 3 or s == 20)
    ax.set_xticks(np.arange(-(wide // step) * step, wide + 1e-9, step))


def _panel(ax: Axes, panel: Panel, most: int) -> None:
    frame(ax)
    entitle(ax, panel.title, most)
    laws = _laws(panel)
    for curve in panel.curves:
        if curve.style != "line":
            _weights(ax, curve)
            say(ax, curve, BLUE, 0)
    for style, curve in zip(LAWS, laws, strict=False):
        ax.plot(*_seen(curve), label=escaped(curve.label), zorder=3, **style)
    for at, (mark, x) in enumerate(sorted(panel.marks.items())):
        ax.axvline(x, color="#999999", linewidth=0.8)
        ax.annotate(
            escaped(mark),
            (x, 0.02 + 0.09 * (at % 3)),
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
    x, y = _seen(curve)
    if curve.style == "steps":  # an empty bin is a gap, not bridged
        x, y = np.asarray(curve.x, dtype=np.float64), np.asarray(curve.y, dtype=np.float64)
        filled = y > 0
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
            x,
            y,
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
    """A panel with none below it shows its own numbers on the x axis."""
    for at in range(len(panels)):
        if at + across >= len(panels):
            axes[at].tick_params(labelbottom=True)
    figure.supxlabel(
        panels[0].xlabel if panels and panels[0].xlabel else "weight / sigma",
        fontsize=9,
        color=INK,
        y=0.05 / figure.get_figheight(),
        va="bottom",
    )
    figure.supylabel(
        panels[0].ylabel if panels and panels[0].ylabel else "density",
        fontsize=9,
        color=INK,
        x=0.05 / figure.get_figwidth(),
        ha="left",
    )


def _surround(figure: Figure, ax: Axes, panels: Sequence[Panel]) -> None:
    """The legend, in which laws that differ are one; then everything is moved apart."""
    handles, labels = ax.get_legend_handles_labels()
    best = {laws[1].label for panel in panels for laws in [_laws(panel)] if len(laws) > 1}
    labels = [
        "best law" if len(best) > 1 and label in map(escaped, best) else label for label in labels
    ]
    surround(figure, handles, labels, len(panels))
    figure.tight_layout(rect=(0, 0, 1, 1 - head(len(panels)) / figure.get_figheight()), pad=0.6)
