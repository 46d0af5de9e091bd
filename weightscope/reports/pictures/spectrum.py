"""Singular values beside the Marchenko-Pastur law, and to their right the tail of their squares with its power law.

A pair of plots per tensor, the same axes in every pair. The left axis is linear up to the noise edge and logarithmic
beyond, so that a bulk keeps its shape beside spikes at twenty times its edge; spikes stand one by one below the bars,
those beyond the axis at its end. A curve is known by its label up to a colon; words after it stand in its plot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...escape import escaped
from ...heavy import matplotlib_figure
from ...heavy import numpy as np
from .page import BLUE, GREEN, GREY, INK, MOST, VERMILION, entitle, frame, head, surround

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT = 0, 1
LEAD, BETWEEN, FOOT = 0.6, 0.5, 0.45            # inches: left of all, inside a pair, below all
PLOT, PAIR = (2.2, 1.5), (5.35, 1.85)           # inches: a plot, and what a pair takes with its title
NEAREST, FURTHEST = 3.0, 30.0                   # noise edges that the left axis shows at least and at most
NUMBERS = (0, 0.5, 1, 2, 5, 10, 20)
DENSITY = (-0.15, 1.35)                         # spikes below 0, words above 1
SQUARES = ("its square", "share ≥ x")           # names of the right axes
SMALLEST, USUAL = 1e-4, 0.9                     # the right axis begins with all but a tenth of the squares


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of pairs, one legend, a note where panels were left out."""
    shown = panels[:MOST]
    across = pairs(len(shown))
    figure, axes = _page(len(shown), across, head(len(panels)))
    limits = _limits(shown)
    for pair, panel in zip(axes, shown, strict=True):
        _pair(pair, panel, limits)
    _label(axes, across, ((shown[0].xlabel, shown[0].ylabel), SQUARES))
    surround(figure, *_legend(axes), len(panels))
    return figure


def pairs(count: int) -> int:
    """How many pairs stand side by side: the page becomes a little wider than high, 4 at most.

    >>> [pairs(n) for n in (1, 2, 5, 6, 12, 24, 40, 64)]
    [1, 1, 2, 2, 2, 3, 4, 4]
    """
    return min(4, max(1, round(math.sqrt(count / 2))))


def _page(count: int, across: int, top: float) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Axes set by inches: a pair stands closer together than to the next, and its title runs over both plots."""
    wide, high = LEAD + across * PAIR[0], top + math.ceil(count / across) * PAIR[1] + FOOT
    figure = matplotlib_figure.Figure(figsize=(wide, high), dpi=144, facecolor="white")

    def plot(at: int, side: int) -> Axes:
        x = LEAD + at % across * PAIR[0] + side * (PLOT[0] + BETWEEN)
        y = high - top - (at // across + 1) * PAIR[1]
        return figure.add_axes((x / wide, y / high, PLOT[0] / wide, PLOT[1] / high))

    return figure, [(plot(at, LEFT), plot(at, RIGHT)) for at in range(count)]


@dataclass(frozen=True)
class Limits:
    """The axes of all pairs."""

    far: float                                  # noise edges
    squares: tuple[float, float]                # squared noise edges
    least: float                                # share


def _limits(panels: Sequence[Panel]) -> Limits:
    """What holds every panel, within what is legible."""
    drawn = [curve for panel in panels for curve in panel.curves if len(curve.x)]
    dots = [curve for curve in drawn if _role(curve).draw is _dots]
    far = max([NEAREST, *(float(np.max(curve.x)) for curve in drawn if _role(curve).side == LEFT)])
    top = max([NEAREST, *(float(np.max(curve.x)) for curve in dots)])
    low = min([0.1, *(float(np.min(curve.x[curve.y - curve.y[0] < USUAL])) for curve in dots)])
    least = min([0.05, *(float(np.min(curve.y)) for curve in dots)])
    return Limits(min(FURTHEST, far) * 1.1, (max(SMALLEST, low / 1.3), min(FURTHEST**2, top) * 1.3), least / 1.4)


def _pair(pair: tuple[Axes, Axes], panel: Panel, limits: Limits) -> None:
    _set(*pair, limits)
    entitle(pair[LEFT], panel.title, 76)
    lines = [0, 0]
    for curve in panel.curves:
        role, words = _role(curve), curve.label.partition(": ")[2]
        role.draw(pair[role.side], curve, role.colour)
        if words:
            _say(pair[role.side], words, role.colour, lines[role.side])
            lines[role.side] += 1


def _set(left: Axes, right: Axes, limits: Limits) -> None:
    left.set_xscale("function", functions=(_stretched, _unstretched))
    left.set_xlim(0, limits.far)
    left.set_xticks([x for x in NUMBERS if x <= limits.far], [f"{x:g}" for x in NUMBERS if x <= limits.far])
    left.set_ylim(*DENSITY)
    left.set_yticks([0, 0.5, 1])
    right.set_xscale("log")
    right.set_xlim(*limits.squares)
    right.set_yscale("log")
    right.set_ylim(limits.least, limits.least**-0.2)           # words stand above 1
    right.set_yticks([10.0**-e for e in range(math.ceil(-math.log10(limits.least)))])
    for ax in (left, right):
        frame(ax)
        ax.axvline(1, ymax=0.85, color="#999999", linewidth=0.8, zorder=1.5)


def _say(ax: Axes, words: str, colour: str, line: int) -> None:
    ax.annotate(escaped(words), (1.0, 0.99), xytext=(0, -11 * line), xycoords="axes fraction",
                textcoords="offset points", ha="right", va="top", fontsize=8, color=colour, parse_math=False, zorder=5)


def _stretched(x: Any) -> Any:
    """Linear to 1, logarithmic beyond, with one slope where they meet."""
    return np.where(x > 1, 1 + np.log(np.maximum(x, 1)), x)


def _unstretched(u: Any) -> Any:
    return np.where(u > 1, np.exp(np.maximum(u, 1) - 1), u)


def _bars(ax: Axes, curve: Curve, colour: str) -> None:
    ax.fill_between(curve.x, curve.y, step="post", color=colour, alpha=0.3, linewidth=0, label=_name(curve), zorder=1)
    ax.step(curve.x, curve.y, where="post", color=colour, linewidth=0.8, zorder=2)


def _dashes(ax: Axes, curve: Curve, colour: str) -> None:
    ax.plot(curve.x, curve.y, color=colour, dashes=(4, 2), linewidth=1.3, label=_name(curve), zorder=3)


def _line(ax: Axes, curve: Curve, colour: str) -> None:
    ax.plot(curve.x, curve.y, color=colour, linewidth=1.7, label=_name(curve), zorder=3)


def _ticks(ax: Axes, curve: Curve, colour: str) -> None:
    x = np.minimum(curve.x, ax.get_xlim()[1])
    ax.plot(x, np.full(len(x), DENSITY[0] / 2), linestyle="", marker="|", markersize=7, markeredgewidth=0.9,
            color=colour, label=_name(curve), zorder=4, clip_on=False)


def _dots(ax: Axes, curve: Curve, colour: str) -> None:
    ax.plot(curve.x, curve.y, linestyle="", marker="o", markersize=2.4, markeredgewidth=0, color=colour, alpha=0.75,
            label=_name(curve), zorder=2)


@dataclass(frozen=True)
class Role:
    """Where a curve stands and how it is drawn."""

    side: int
    colour: str
    draw: Callable[[Axes, Curve, str], None]


ROLES: Mapping[str, Role] = {
    "singular values": Role(LEFT, BLUE, _bars),
    "Marchenko-Pastur law": Role(LEFT, GREY, _dashes),
    "spikes": Role(LEFT, VERMILION, _ticks),
    "squares": Role(RIGHT, BLUE, _dots),
    "power law": Role(RIGHT, GREEN, _line),
}


def _name(curve: Curve) -> str:
    return curve.label.partition(":")[0]


def _role(curve: Curve) -> Role:
    return ROLES[_name(curve)]


def _label(axes: Sequence[tuple[Axes, Axes]], across: int, names: Sequence[tuple[str, str]]) -> None:
    """Numbers below a pair with none below it, names of the axes there and at the first pair of a row."""
    for at, pair in enumerate(axes):
        lowest = at + across >= len(axes)
        for ax, (x, y) in zip(pair, names, strict=True):
            ax.tick_params(labelbottom=lowest)
            ax.set_xlabel(x if lowest else "", fontsize=8, color=INK, labelpad=2)
            ax.set_ylabel("" if at % across else y, fontsize=8, color=INK, labelpad=2)


def _legend(axes: Sequence[tuple[Axes, Axes]]) -> tuple[list[Any], list[str]]:
    """Each role that is somewhere, once."""
    found: dict[str, Any] = {}
    for ax in (ax for pair in axes for ax in pair):
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    names = [name for name in ROLES if name in found]
    return [found[name] for name in names], names
