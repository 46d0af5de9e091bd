"""Statistics over the layers: a small panel for each, a line per role, one axis of layers.

A line breaks where layers are missing, at a gap larger than the usual distance of its layers.
Outlier layers are ringed. Where layers are close, a line has a mark at some of them only. Over the
steps of a series of checkpoints a line joins all steps, each with a mark where marks are legible.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...columns import STEP, Curve, Panel
from ...escape import escaped
from ...lazy import matplotlib_lines
from ...lazy import numpy as np
from . import headings, steps
from .bars import every
from .headings import Part
from .page import INK, MOST, entitle, entitle_page, frame, label
from .paper import LEAD, grid, paper
from .scales import bounded, number, scale
from .series import GROUPS, SIZE, Look, Looks, looks_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
PAGE = 180 / 25.4  # the print width of a journal
HIGH = (2.4, 1.55, 1.25, 1.05)  # plots, by their number in a row
TITLE = 0.34  # above a plot
GAP = 0.72  # left of a plot, for its numbers and its unit
RIGHT = 0.1  # right of the last plot
COUNT = 0.26  # above the plots: how many there are
CLOSEST, APART = 0.1, 0.3  # marks: all that are so far apart, else some at this distance
SERIES = 8  # of more the marks are further apart
SMALLEST, SHARE = 1.6, 0.6  # points: a mark at each step; of the distance of steps
ROOM = 2.0  # a plot that has room for quarters of the depth

EDGE = 0.04  # of the axis of layers, free at either end
FURTHER = 1.5  # usual distances: a gap
LETTERS = 12  # in an inch of a title or a note
NOTE = 5  # lines of a note in an inch of height
RING: Mapping[str, Any] = {
    "marker": "o",
    "markersize": 8.5,
    "markerfacecolor": "none",
    "markeredgewidth": 1.0,
}


@dataclass(frozen=True)
class Page:
    """What all panels share: looks, the axis of layers, and the size of a plot in inches."""

    looks: Looks
    first: float
    last: float
    whole: bool  # layers, not relative depths
    size: tuple[float, float]
    steps: tuple[float, ...] = ()  # of a series; no layers


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a grid of panels, one legend, the number of panels left out."""
    shown = panels[:MOST]
    across = min(len(HIGH), grid(len(shown)))
    high = HIGH[across - 1]
    cell = (PAGE - RIGHT) / across, high + TITLE
    page = _page(shown, (cell[0] - GAP, high))
    parts = _parts(shown, page.looks)
    top = headings.height(parts, PAGE)
    count = COUNT if len(panels) > MOST else 0.0
    figure, put = paper(len(shown), across, cell, top + count, LEAD - RIGHT)
    for i, panel in enumerate(shown):
        ax = put(i, (GAP - LEAD, 0, *page.size))
        x, y = _panel(ax, panel, page)
        label(ax, x, y, lowest=i + across >= len(shown), first=True)
    headings.headings(figure, parts, PAGE)
    if count:
        entitle_page(figure, len(panels), top)
    return figure


def _page(panels: Sequence[Panel], size: tuple[float, float]) -> Page:
    """The axis of layers extends over the series of all panels."""
    depths = [np.asarray(curve.x, np.float64) for panel in panels for curve in panel.curves]
    x = np.concatenate([*depths, np.zeros(0)])
    looks = looks_of(panels)
    if not len(x):
        return Page(looks, 0.0, 0.0, whole=False, size=size)
    if panels[0].xlabel == STEP:
        distinct = tuple(np.unique(x).tolist())
        return Page(looks, distinct[0], distinct[-1], whole=True, size=size, steps=distinct)
    whole = bool(np.all(x == np.round(x)))
    return Page(looks, float(x.min()), float(x.max()), whole, size)


def _parts(panels: Sequence[Panel], looks: Looks) -> list[Part]:
    """The legend: roles by group, models, marks."""
    parts = []
    for key, group in GROUPS.items():
        samples = {words: look.sample() for words, look in looks.roles.get(key, {}).items()}
        heading = group.heading
        if set(looks.roles) == {"other"}:
            heading = "roles"  # there is nothing that they differ from
        parts.append(Part(heading, group.ends[1], samples))
    lines = {words: Look(INK, dashes=dashes) for words, dashes in looks.models.items()}
    samples = {words: look.sample() for words, look in lines.items()}
    parts.append(Part("models", INK, samples))
    if any(_rings(panel) for panel in panels):
        ring = matplotlib_lines.Line2D([], [], linestyle="", color=INK, **RING)
        parts.append(Part("marks", INK, {"outlier layer": ring}))
    return [part for part in parts if part.entries]


def _rings(panel: Panel) -> Mapping[str, Curve]:
    """The outlier layers of a panel, by the label of their series."""
    points = [curve for curve in panel.curves if curve.style == "points" and len(curve.x)]
    return {curve.label: curve for curve in points}


def _panel(ax: Axes, panel: Panel, page: Page) -> tuple[str, str]:
    """Draws a panel, returns the names of its axes."""
    frame(ax)
    entitle(ax, panel.title, round(LETTERS * (page.size[0] + GAP / 2)))
    across = panel.xlabel
    if page.steps:
        across = steps.axis(ax, page.steps, page.size[0])
    else:
        _layers(ax, page)
    if not panel.curves:
        _note(ax, panel.note, page.size)
        return across, ""
    values = np.concatenate([bounded(curve.y) for curve in panel.curves])
    name = scale(ax, values, panel.ylabel)
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color="#999999", linewidth=0.8, zorder=1.5)
    rings = _rings(panel)
    lines = [curve for curve in panel.curves if curve.style == "line"]
    for i, curve in enumerate(lines):
        ringed = rings[curve.label].x if curve.label in rings else []
        _line(ax, curve, page, (i, len(lines), ringed))
    for ring in rings.values():
        ax.plot(
            ring.x,
            bounded(ring.y),
            linestyle="",
            color=INK,
            label=escaped(ring.label),
            zorder=4,
            clip_on=False,
            **RING,
        )
    return across, name


def _layers(ax: Axes, page: Page) -> None:
    """The axis of layers with whole numbers, or of relative depth."""
    span = page.last - page.first
    margin = EDGE * span or 0.5
    ax.set_xlim(page.first - margin, page.last + margin)
    if page.whole:
        step = every(round(span) + 1, page.size[0])
        start = math.ceil(page.first / step) * step
        numbers = [float(layer) for layer in range(start, round(page.last) + 1, step)]
    else:
        parts = 4 if page.size[0] > ROOM else 2
        numbers = [i / parts for i in range(parts + 1)]
    shown = [x for x in numbers if page.first <= x <= page.last]
    ax.set_xticks(shown, [number(x) for x in shown])


def _note(ax: Axes, note: str, size: tuple[float, float]) -> None:
    """The reason why a panel has no lines."""
    wide, high = size
    lines = textwrap.wrap(escaped(note), round(LETTERS * wide))
    most = round(NOTE * high)
    if len(lines) > most:
        lines = [*lines[: most - 1], "…"]
    ax.grid(False)
    ax.set_yticks([])
    ax.text(
        0.5,
        0.5,
        "\n".join(lines),
        ha="center",
        va="center",
        transform=ax.transAxes,
        fontsize=8,
        color=INK,
        parse_math=False,
    )


def _line(ax: Axes, curve: Curve, page: Page, among: tuple[int, int, Any]) -> None:
    """A series with its marks."""
    x, y = np.asarray(curve.x, np.float64), bounded(curve.y)
    look = page.looks.series[curve.label]
    style = dict(look.line())
    size = _size(page)
    if page.steps and size >= SMALLEST:
        marks = np.ones(len(x), bool)
        style["markersize"] = size
    else:
        if not page.steps:
            x, y = _broken(x, y)
        marks = _alone(x)
        if not look.pooled:
            marks = marks | _some(x, page, *among)
    ax.plot(
        x,
        y,
        markevery=[int(i) for i in np.flatnonzero(marks)],
        label=escaped(curve.label),
        zorder=3,
        clip_on=False,
        **style,
    )


def _size(page: Page) -> float:
    """Points of a mark at each step: smaller where steps are close."""
    distance = page.size[0] / max(1, len(page.steps) - 1)
    return min(SIZE, SHARE * distance * 72)


def _broken(x: Any, y: Any) -> tuple[Any, Any]:
    """A series with NaN in its gaps."""
    if len(x) < 3:
        return x, y
    distances = np.diff(x)
    gaps = np.flatnonzero(distances > FURTHER * np.median(distances)) + 1
    return np.insert(x, gaps, np.nan), np.insert(y, gaps, np.nan)


def _alone(x: Any) -> Any:
    """Which points have no neighbour to draw a line to."""
    there = np.concatenate(([False], np.isfinite(x), [False]))
    return there[1:-1] & ~there[:-2] & ~there[2:]


def _some(x: Any, page: Page, i: int, count: int, ringed: Any) -> Any:
    """Which points of series `i` of `count` have a mark: all, or some that are apart.

    Series begin with different layers, so that their marks do not cover each other.
    """
    marks = np.isin(x, ringed)
    points = np.flatnonzero(np.isfinite(x))
    span = page.last - page.first
    step = 1
    if span and len(points) > 1:
        inches = (x[points[-1]] - x[points[0]]) / span * page.size[0]
        distance = inches / (len(points) - 1)
        crowd = max(1.0, count / SERIES)
        if distance < CLOSEST * crowd:
            step = math.ceil(APART * crowd / distance)
    marks[points[i * step // count :: step]] = True
    return marks
