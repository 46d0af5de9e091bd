"""Singular values with the Marchenko-Pastur law, and the tail of their squares with its power law.

A pair of plots per tensor, the same axes in every pair. The left axis is linear up to the noise
edge and logarithmic beyond, so that a bulk keeps its shape beside spikes at twenty times its edge.
Each spike is a tick below the bars, at the end of the axis if it lies beyond.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...lazy import numpy as np
from .curves import annotate, dashes, dots, legend, name
from .page import BLUE, GREEN, GREY, MOST, VERMILION, entitle, frame, head, label, surround
from .paper import pairs, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT = 0, 1
# inches
PLOT = (2.2, 1.5)
BETWEEN = 0.5  # the gap between two plots
PAIR = (5.35, 1.85)  # two plots with their title
NEAREST, FURTHEST = 3.0, 30.0  # noise edges that the left axis shows at least and at most
NUMBERS = (0, 0.5, 1, 2, 5, 10, 20)
DENSITY = (-0.15, 1.35)  # spikes are below 0, words above 1
SQUARES = ("its square", "share ≥ x")  # names of the right axes
SMALLEST, USUAL = 1e-4, 0.9  # the right axis begins with all but a tenth of the squares


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of pairs, one legend, the number of panels left out."""
    shown = panels[:MOST]
    across = pairs(len(shown))
    limits = _limits(shown)
    figure, put = paper(len(shown), across, PAIR, head(len(panels)))
    for i, panel in enumerate(shown):
        left = put(i, (0, 0, *PLOT))
        right = put(i, (PLOT[0] + BETWEEN, 0, *PLOT))
        _pair((left, right), panel, limits)
        lowest = i + across >= len(shown)
        first = i % across == 0
        label(left, panel.xlabel, panel.ylabel, lowest=lowest, first=first)
        label(right, *SQUARES, lowest=lowest, first=first)
    surround(figure, *legend(figure.axes, ROLES), len(panels))
    return figure


@dataclass(frozen=True)
class Limits:
    """The axes of all pairs."""

    far: float  # noise edges
    squares: tuple[float, float]  # squared noise edges
    least: float  # share


def _limits(panels: Sequence[Panel]) -> Limits:
    """Limits that contain the curves of every panel, within what is legible."""
    far = top = NEAREST
    low, least = 0.1, 0.05
    for panel in panels:
        for curve in panel.curves:
            if not len(curve.x):
                continue
            role = _role(curve)
            furthest = float(np.max(curve.x))
            if role.side == LEFT:
                far = max(far, furthest)
            if role.draw is dots:
                top = max(top, furthest)
                usual = curve.y - curve.y[0] < USUAL
                low = min(low, float(np.min(curve.x[usual])))
                least = min(least, float(np.min(curve.y)))
    squares = max(SMALLEST, low / 1.3), min(FURTHEST**2, top) * 1.3
    return Limits(min(FURTHEST, far) * 1.1, squares, least / 1.4)


def _pair(pair: tuple[Axes, Axes], panel: Panel, limits: Limits) -> None:
    _set(*pair, limits)
    entitle(pair[LEFT], panel.title, 76)
    lines = [0, 0]  # of words in the corner of either plot
    for curve in panel.curves:
        role = _role(curve)
        ax = pair[role.side]
        role.draw(ax, curve, role.colour)
        lines[role.side] = annotate(ax, curve, role.colour, lines[role.side])


def _set(left: Axes, right: Axes, limits: Limits) -> None:
    left.set_xscale("function", functions=(_stretched, _unstretched))
    left.set_xlim(0, limits.far)
    numbers = [x for x in NUMBERS if x <= limits.far]
    left.set_xticks(numbers, [f"{x:g}" for x in numbers])
    left.set_ylim(*DENSITY)
    left.set_yticks([0, 0.5, 1])
    right.set_xscale("log")
    right.set_xlim(*limits.squares)
    right.set_yscale("log")
    right.set_ylim(limits.least, limits.least**-0.2)  # words stand above 1
    decades = math.ceil(-math.log10(limits.least))
    right.set_yticks([10.0**-exponent for exponent in range(decades)])
    for ax in (left, right):
        frame(ax)
        ax.axvline(1, ymax=0.85, color="#999999", linewidth=0.8, zorder=1.5)


def _stretched(x: Any) -> Any:
    """Linear to 1, logarithmic beyond, with one slope where they meet."""
    beyond = 1 + np.log(np.maximum(x, 1))
    return np.where(x > 1, beyond, x)


def _unstretched(u: Any) -> Any:
    """The inverse of `_stretched`."""
    beyond = np.exp(np.maximum(u, 1) - 1)
    return np.where(u > 1, beyond, u)


def _bars(ax: Axes, curve: Curve, colour: str) -> None:
    """A histogram."""
    ax.fill_between(
        curve.x,
        curve.y,
        step="post",
        color=colour,
        alpha=0.3,
        linewidth=0,
        label=name(curve),
        zorder=1,
    )
    ax.step(curve.x, curve.y, where="post", color=colour, linewidth=0.8, zorder=2)


def _line(ax: Axes, curve: Curve, colour: str) -> None:
    """A fitted law."""
    ax.plot(curve.x, curve.y, color=colour, linewidth=1.7, label=name(curve), zorder=3)


def _ticks(ax: Axes, curve: Curve, colour: str) -> None:
    """Spikes, one tick each."""
    x = np.minimum(curve.x, ax.get_xlim()[1])
    ax.plot(
        x,
        np.full(len(x), DENSITY[0] / 2),
        linestyle="",
        marker="|",
        markersize=7,
        markeredgewidth=0.9,
        color=colour,
        label=name(curve),
        zorder=4,
        clip_on=False,
    )


@dataclass(frozen=True)
class Role:
    """In which plot of the pair a curve is drawn, and how."""

    side: int
    colour: str
    draw: Callable[[Axes, Curve, str], None]


ROLES: Mapping[str, Role] = {
    "singular values": Role(LEFT, BLUE, _bars),
    "Marchenko-Pastur law": Role(LEFT, GREY, dashes),
    "spikes": Role(LEFT, VERMILION, _ticks),
    "squares": Role(RIGHT, BLUE, dots),
    "power law": Role(RIGHT, GREEN, _line),
}


def _role(curve: Curve) -> Role:
    return ROLES[name(curve)]
