"""A series of checkpoints as an animation: a panel per role or tensor, a frame per step.

The axes are the same in all frames, and in all panels of one quantity: their ends follow from the
curves of all steps. The first curve of a panel is grey behind the curve of every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...columns import INDEX, Curve, Panel
from ...escape import escaped
from ...lazy import matplotlib_lines
from . import laws, ranked
from .curves import name
from .page import BLUE, GREY, GRID, INK, entitle, entitle_page, key, label, shortened
from .paper import FOOT, LEAD, grid, paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 24  # panels that are legible on a screen
DPI = 110
# inches
GAP, RIGHT = 0.45, 0.2  # between two plots of a row, right of the last one
HEAD, COUNT = 0.62, 0.26  # above the panels: step and track; how many panels there are
STEP, TRACK = 0.12, 0.5  # under the top of the page
TITLE = 0.35  # above a plot
WIDTHS = {1: 5.4, 2: 3.6}  # a plot, by their number in a row
WIDE, ASPECT = 2.45, 0.755  # a plot of more; its height
LETTERS = 13  # of a title in an inch
LONGEST, BRIEF = 16, 12  # letters of a step, in the legend
SIDES = ("left", "bottom")  # of a plot: its axes, above the lines
FIRST, CURRENT = "first step", "this step"  # the legend


@dataclass(frozen=True, eq=False)
class Moving:
    """What changes from frame to frame in a panel."""

    ax: Axes
    line: Any
    words: Any
    curves: Mapping[str, Curve]  # by step

    def show(self, step: str) -> None:
        """The curve of a step with its words, or nothing where the panel lacks it."""
        curve = self.curves.get(step)
        if curve is None:
            self.line.set_data([], [])
            self.words.set_text("")
            return
        self.line.set_data(*_points(self.ax, curve))
        self.words.set_text(escaped(curve.label.partition(": ")[2]))


@dataclass(frozen=True, eq=False)
class Film:
    """A page at one of its steps; only `artists` change. By default it is one frame."""

    figure: Figure
    steps: tuple[str, ...] = ("",)
    panels: tuple[Moving, ...] = ()
    title: Any = None
    track: Any = None

    @property
    def artists(self) -> list[Any]:
        """What is drawn in each frame, in order: lines and words, then axes, which stay whole."""
        if not self.panels:
            return []
        artists = [self.title, self.track]
        for panel in self.panels:
            artists += (panel.line, panel.words)
            artists += [panel.ax.spines[side] for side in SIDES]
        return artists

    def show(self, number: int) -> None:
        """Draws step `number` of the steps, counted from 0."""
        if not self.panels:
            return
        step = self.steps[number]
        self.title.set_text(shortened(escaped(step), LONGEST))
        left, right = _track(self.figure)
        share = number / max(1, len(self.steps) - 1)
        self.track.set_data([left, left + share * (right - left)], [_high(self.figure, TRACK)] * 2)
        self.track.set_markevery([1])
        for panel in self.panels:
            panel.show(step)


def film_of(panels: Sequence[Panel]) -> Film:
    """The page of panels with curves, at its first step."""
    shown = panels[:MOST]
    across = grid(len(shown))
    wide = WIDTHS.get(across, WIDE)
    plot = wide, ASPECT * wide
    cell = wide + GAP, plot[1] + TITLE
    top = HEAD
    if len(panels) > MOST:
        top += COUNT
    figure, put = paper(len(shown), across, cell, top, GAP - RIGHT)
    figure.set_dpi(DPI)
    quantities = {panel.ylabel for panel in shown}
    moving = []
    for i, panel in enumerate(shown):
        ax = put(i, (0, 0, *plot))
        _set(ax, panel, [other for other in shown if other.xlabel == panel.xlabel])
        entitle(ax, panel.title, round(LETTERS * wide))
        below = shown[i + across : i + across + 1]
        lowest = not below or below[0].xlabel != panel.xlabel
        label(
            ax,
            panel.xlabel,
            panel.ylabel,
            lowest=lowest,
            first=len(quantities) > 1 and (i % across == 0 or shown[i - 1].ylabel != panel.ylabel),
        )
        moving.append(_moving(ax, panel))
    if len(quantities) == 1:
        _quantity(figure, shown[0].ylabel, (FOOT, top + TITLE))
    if len(panels) > MOST:
        entitle_page(figure, len(panels), HEAD, MOST)
    _legend(figure, shown)
    film = Film(figure, steps_of(shown), tuple(moving), _title(figure), _progress(figure))
    film.show(0)
    return film


def steps_of(panels: Sequence[Panel]) -> tuple[str, ...]:
    """The steps of all panels in their order; a panel may lack some.

    >>> def panel(*labels): return Panel("", "frames", curves=tuple(Curve(l, 0, 0) for l in labels))
    >>> steps_of([panel("a", "c"), panel("a", "b", "c", "d"), panel("d", "e")])
    ('a', 'b', 'c', 'd', 'e')
    """
    steps: list[str] = []
    for panel in panels:
        place = 0
        for curve in panel.curves:
            step = name(curve)
            if step in steps:
                place = steps.index(step) + 1
            else:
                steps.insert(place, step)
                place += 1
    return tuple(steps)


def _set(ax: Axes, panel: Panel, alike: Sequence[Panel]) -> None:
    """The axes of a panel, whose ends follow from all panels of its quantity."""
    if panel.xlabel == INDEX:
        ranked.span(ax, *ranked.limits(alike))
    else:
        laws.span(ax, *laws.limits(alike))


def _points(ax: Axes, curve: Curve) -> tuple[Any, Any]:
    """The points of a curve that its axes can show."""
    if ax.get_xscale() == "log":
        return ranked.positive(curve)
    return laws.points(ax, curve)


def _moving(ax: Axes, panel: Panel) -> Moving:
    """The reference, and the artists of the steps."""
    reference = panel.curves[0]
    x, y = _points(ax, reference)
    low, _ = ax.get_ylim()
    ax.fill_between(x, y, low, color=GREY, alpha=0.22, linewidth=0, zorder=1)
    ax.plot(x, y, color=GREY, linewidth=0.9, zorder=2)
    (line,) = ax.plot([], [], color=BLUE, linewidth=1.6, zorder=3)
    for side in SIDES:
        ax.spines[side].set_zorder(4)
    words = ax.text(
        1.0,
        0.99,
        "",
        transform=ax.transAxes,
        ha="right",
        va="top",
        fontsize=8,
        color=BLUE,
        parse_math=False,
        zorder=5,
    )
    return Moving(ax, line, words, {name(curve): curve for curve in panel.curves})


def _quantity(figure: Figure, words: str, ends: tuple[float, float]) -> None:
    """The name of the axes of y, once in the middle: it may be longer than an axis.

    `ends` are the inches below and above all plots.
    """
    bottom, top = ends
    middle = (bottom + figure.get_figheight() - top) / 2
    figure.text(
        0.06 / figure.get_figwidth(),
        middle / figure.get_figheight(),
        words,
        ha="left",
        va="center",
        rotation="vertical",
        fontsize=8,
        color=INK,
        parse_math=False,
    )


def _title(figure: Figure) -> Any:
    """The step, at the left end of the page."""
    left, _ = _track(figure)
    return figure.text(
        left,
        _high(figure, STEP),
        "",
        ha="left",
        va="top",
        fontsize=13,
        fontweight="bold",
        color=INK,
        parse_math=False,
    )


def _progress(figure: Figure) -> Any:
    """A track below the step, and the line on it that ends at the step."""
    high = [_high(figure, TRACK)] * 2
    still = matplotlib_lines.Line2D(_track(figure), high, color=GRID, linewidth=2)
    line = matplotlib_lines.Line2D(
        [], [], color=BLUE, linewidth=2, marker="o", markersize=5, markeredgewidth=0
    )
    figure.add_artist(still)
    figure.add_artist(line)
    return line


def _legend(figure: Figure, panels: Sequence[Panel]) -> None:
    """The reference and the step, at the right end of the page."""
    firsts = {name(panel.curves[0]) for panel in panels}
    first = FIRST
    if len(firsts) == 1:
        first = shortened(escaped(min(firsts)), BRIEF)
    reference = matplotlib_lines.Line2D([], [], color=GREY, linewidth=0.9)
    current = matplotlib_lines.Line2D([], [], color=BLUE, linewidth=1.6)
    _, right = _track(figure)
    key(figure, [reference, current], [".", CURRENT], 2, place=("right", right))
    figure.legends[-1].get_texts()[0].set_text(first)  # one that begins with _ would be left out


def _track(figure: Figure) -> tuple[float, float]:
    """The left and the right end of the panels, as shares of the page."""
    wide = figure.get_figwidth()
    return LEAD / wide, 1 - RIGHT / wide


def _high(figure: Figure, below: float) -> float:
    """The place `below` inches under the top of the page, as a share of its height."""
    return 1 - below / figure.get_figheight()
