"""Singular values beside the Marchenko-Pastur law, and to their right the tail of their squares with its power law.

A pair of plots per tensor, the same axes in every pair. The left axis is linear up to the noise edge and logarithmic
beyond, so that a bulk keeps its shape beside spikes at twenty times its edge; spikes stand one by one below the bars,
those beyond the axis at its end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel
from ...lazy import numpy as np
from .curves import dashes, dots, legend, name, say
from .page import BLUE, GREEN, GREY, MOST, VERMILION, entitle, frame, head, label, surround
from .paper import pairs, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT, RIGHT = 0, 1
PLOT, BETWEEN, PAIR = (
    (2.2, 1.5),
    0.5,
    (5.35, 1.85),
)  # inches: a plot, what is between two, a pair with its title
NEAREST, FURTHEST = 3.0, 30.0  # noise edges that the left axis shows at least and at most
NUMBERS = (0, 0.5, 1, 2, 5, 10, 20)
DENSITY = (-0.15, 1.35)  # spikes below 0, words above 1
SQUARES = ("its square", "share ≥ x")  # names of the right axes
SMALLEST, USUAL = 1e-4, 0.9  # the right axis begins with all but a tenth of the squares


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of pairs, one legend, a note where panels were left out."""
    shown = panels[:MOST]
    across, limits = pairs(len(shown)), _limits(shown)
    figure, put = paper(len(shown), across, PAIR, head(len(panels)))
    for at, panel in enumerate(shown):
        pair = put(at, (0, 0, *PLOT)), put(at, (PLOT[0] + BETWEEN, 0, *PLOT))
        _pair(pair, panel, limits)
        for ax, names in zip(pair, ((panel.xlabel, panel.ylabel), SQUARES), strict=True):
            label(ax, *names, lowest=at + across >= len(shown), first=at % across == 0)
    surround(figure, *legend(figure.axes, ROLES), len(panels))
    return figure


@dataclass(frozen=True)
class Limits:
    """The axes of all pairs."""

    far: float  # noise edges
    squares: tuple[float, float]  # squared noise edges
    least: float  # share


def _limits(panels: Sequence[Panel]) -> Limits:
    """What holds every panel, within what is legible."""
    drawn = [curve for panel in panels for curve in panel.curves if len(curve.x)]
    single = [curve for curve in drawn if _role(curve).draw is dots]
    far = max([NEAREST, *(float(np.max(curve.x)) for curve in drawn if _role(curve).side == LEFT)])
    top = max([NEAREST, *(float(np.max(curve.x)) for curve in single)])
    low = min([0.1, *(float(np.min(curve.x[curve.y - curve.y[0] < USUAL])) for curve in single)])
    least = min([0.05, *(float(np.min(curve.y)) for curve in single)])
    return Limits(
        min(FURTHEST, far) * 1.1,
        (max(SMALLEST, low / 1.3), min(FURTHEST**2, top) * 1.3),
        least / 1.4,
    )


def _pair(pair: tuple[Axes, Axes], panel: Panel, limits: Limits) -> None:
    _set(*pair, limits)
    entitle(pair[LEFT], panel.title, 76)
    lines = [0, 0]
    for curve in panel.curves:
        role = _role(curve)
        role.draw(pair[role.side], curve, role.colour)
        lines[role.side] = say(pair[role.side], curve, role.colour, lines[role.side])


def _set(left: Axes, right: Axes, limits: Limits) -> None:
    left.set_xscale("function", functions=(_stretched, _unstretched))
    left.set_xlim(0, limits.far)
    left.set_xticks(
        [x for x in NUMBERS if x <= limits.far], [f"{x:g}" for x in NUMBERS if x <= limits.far]
    )
    left.set_ylim(*DENSITY)
    left.set_yticks([0, 0.5, 1])
    right.set_xscale("log")
    right.set_xlim(*limits.squares)
    right.set_yscale("log")
    right.set_ylim(limits.least, limits.least**-0.2)  # words stand above 1
    right.set_yticks([10.0**-e for e in range(math.ceil(-math.log10(limits.least)))])
    for ax in (left, right):
        frame(ax)
        ax.axvline(1, ymax=0.85, color="#999999", linewidth=0.8, zorder=1.5)


def _stretched(x: Any) -> Any:
    """Linear to 1, logarithmic beyond, with one slope where they meet."""
    return np.where(x > 1, 1 + np.log(np.maximum(x, 1)), x)


def _unstretched(u: Any) -> Any:
    return np.where(u > 1, np.exp(np.maximum(u, 1) - 1), u)


def _bars(ax: Axes, curve: Curve, colour: str) -> None:
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
    ax.plot(curve.x, curve.y, color=colour, linewidth=1.7, label=name(curve), zorder=3)


def _ticks(ax: Axes, curve: Curve, colour: str) -> None:
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
    """Where a curve stands and how it is drawn."""

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
