"""Bars of relative change |D|/|A|: one per layer and role, those outside the layers apart.

No change is a dot, and a cross where A is 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...columns import Panel
from ...escape import escaped
from ...lazy import numpy as np
from .page import INK, frame, key, shortened
from .relative import OUTSIDE, Chart, Group, chart_of, roles_of
from .roles import colours, rank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
ENTRY, LINE = 0.5, 0.19  # an entry of the legend without its letters, and a line
LETTER = 0.066
NUMBER, WORD = 0.3, 0.5  # room for the number of a layer, and for `outside`
LOWEST, HIGHEST, SHARE = 1.4, 2.4, 0.12  # the height of the axes: a share of the width
BELOW = 0.42  # numbers and names
APART = 0.03  # of all places, free before those outside the layers
FEWEST = 8  # places: a single bar is no wall
FACTOR = 100.0  # between bars: more needs a logarithmic axis
DECADES = 8  # on it at most
MANY = 6  # decades with a number each
LONGEST = 24  # letters of a role or a stack


def height(panels: Sequence[Panel], wide: float) -> float:
    """Inches that the bars need on a page `wide` inches wide; 0 for one beside its laws."""
    chart = chart_of(panels, wide)
    bars = sum(len(bars) for bars in chart.values())
    if not bars or (bars == 1 and any(panel.curves for panel in panels)):
        return 0.0
    return _legend_height(_labels(panels, chart), wide) + _high(wide) + BELOW


def draw(figure: Figure, panels: Sequence[Panel], box: tuple[float, float]) -> None:
    """The bars with their legend on top of a page; `box` is their left and right end in inches."""
    left, right = box
    page_wide, page_high = figure.get_size_inches()
    chart = chart_of(panels, page_wide)
    high = _high(page_wide)
    bottom = page_high - _legend_height(_labels(panels, chart), page_wide) - high
    ax = figure.add_axes(
        (left / page_wide, bottom / page_high, (right - left) / page_wide, high / page_high)
    )
    frame(ax)
    ax.grid(False, axis="x")
    low = _scale(ax, chart)
    groups = _places(chart)
    _bars(ax, chart, groups, low)
    _marks(ax, chart, groups)
    _layers(ax, groups, right - left)
    ax.set_ylabel("relative change |D|/|A|", fontsize=8, color=INK, labelpad=2)
    _legend(figure, panels, chart)


def _high(wide: float) -> float:
    """Inches of the axes."""
    return min(HIGHEST, max(LOWEST, SHARE * wide))


def _scale(ax: Axes, chart: Chart) -> float:
    """Sets the axis of y, logarithmic only if bars differ by FACTOR; returns its lower end."""
    heights = [bar.height for bars in chart.values() for bar in bars.values()]
    positive = [height for height in heights if height]
    if not positive:
        ax.set_ylim(0, 1)
        ax.set_yticks([0, 1])
        return 0.0
    top = max(positive)
    least = max(min(positive), top * 10.0**-DECADES)
    if top < FACTOR * least:
        ax.set_ylim(0, top * 1.06)
        ax.locator_params(axis="y", nbins=4)
        return 0.0
    ax.set_yscale("log")
    low = 10.0 ** math.floor(math.log10(least / 1.5))
    ax.set_ylim(low, top * 1.3)
    first, last = round(math.log10(low)), math.floor(math.log10(top))
    step = 1 if last - first < MANY else 2
    ax.set_yticks([10.0**exponent for exponent in range(first, last + 1, step)])
    ax.minorticks_off()
    return low


def _places(chart: Chart) -> dict[Group, list[tuple[str, int]]]:
    """Roles of each group with the places of their bars; some are free between groups."""
    groups = {}
    place = 0
    for group, bars in chart.items():
        if group == OUTSIDE:
            place = math.ceil(place * (1 + APART))
        roles = sorted(bars, key=rank)
        groups[group] = [(role, place + i) for i, role in enumerate(roles)]
        place += len(roles) + 1
    return groups


def _bars(
    ax: Axes, chart: Chart, groups: Mapping[Group, Sequence[tuple[str, int]]], low: float
) -> None:
    """One patch per role: many bars are fast."""
    heights: dict[str, list[float]] = {}
    edges: dict[str, list[float]] = {}
    for group, places in groups.items():
        for role, place in places:
            height = chart[group][role].height or math.nan
            # NaN: the gap to the next bar of the role
            heights.setdefault(role, []).extend((height, math.nan))
            edges.setdefault(role, []).extend((place - 0.45, place + 0.45))
    by_role = colours(list(heights))
    for role in roles_of(chart):
        ax.stairs(
            heights[role][:-1],
            edges[role],
            baseline=low,
            fill=True,
            color=by_role[role],
            linewidth=0,
            label=role,
            zorder=2,
        )


def _marks(ax: Axes, chart: Chart, groups: Mapping[Group, Sequence[tuple[str, int]]]) -> None:
    """Dots and crosses at the foot of what has no bar."""
    unchanged, undefined = [], []
    for group, places in groups.items():
        for role, place in places:
            height = chart[group][role].height
            if height is None:
                undefined.append(place)
            elif not height:
                unchanged.append(place)
    for marked, marker in ((unchanged, "o"), (undefined, "x")):
        if not marked:
            continue  # an empty line that is not clipped would be a point at the corner of the page
        ax.plot(
            marked,
            np.zeros(len(marked)),
            linestyle="",
            marker=marker,
            markersize=2.6,
            color=INK,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            zorder=3,
        )


def _layers(ax: Axes, groups: Mapping[Group, Sequence[tuple[str, int]]], wide: float) -> None:
    """Numbers of layers as far as they fit, the names of stacks, and `outside`."""
    last = max(place for places in groups.values() for _, place in places)
    span = max(FEWEST, last + 2)
    ax.set_xlim((last - span) / 2, (last + span) / 2)
    inch = wide / span
    middles = {group: (places[0][1] + places[-1][1]) / 2 for group, places in groups.items()}
    layers = [group for group in groups if group != OUTSIDE]
    ticks = {}
    end = math.inf
    if OUTSIDE in groups:
        ticks[middles[OUTSIDE]] = "outside"
        end = middles[OUTSIDE] - WORD / inch
    for group in layers[:: every(len(layers), wide)]:
        ticks[middles[group]] = str(group[1])
    ticks = {middle: word for middle, word in ticks.items() if middle < end or word == "outside"}
    ax.set_xticks(list(ticks), list(ticks.values()))
    _stacks(ax, {group: middles[group] for group in layers}, inch)


def _stacks(ax: Axes, middles: Mapping[Group, float], inch: float) -> None:
    """Below the numbers, where there is room: the name of each stack."""
    free = -math.inf
    for stack in dict.fromkeys(stack for stack, _ in middles):
        of_stack = [middle for group, middle in middles.items() if group[0] == stack]
        words = f"{shortened(escaped(stack), LONGEST)} layer".strip()
        middle = (of_stack[0] + of_stack[-1]) / 2
        half = len(words) * LETTER / 2 / inch
        if middle - half < free:
            continue
        free = middle + half
        ax.annotate(
            words,
            (middle, 0),
            xytext=(0, -16),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=8,
            color=INK,
            parse_math=False,
        )


def every(count: int, wide: float) -> int:
    """Every how many layers have a number: 1, 2, 5, 10, ...

    >>> every(6, 5.0), every(32, 5.0), every(126, 5.0)
    (1, 2, 10)
    """
    least = count * NUMBER / wide
    decade = 10 ** max(0, math.floor(math.log10(max(least, 1))))
    steps = [digit * decade for digit in (1, 2, 5, 10)]
    return int(min(step for step in steps if step >= least))


def _labels(panels: Sequence[Panel], chart: Chart) -> list[str]:
    """The words of the legend: the roles, then the marks."""
    roles = [shortened(escaped(role), LONGEST) for role in roles_of(chart)]
    return [*roles, *_counts(panels).values()]


def _columns(labels: Sequence[str], wide: float) -> int:
    """Entries in a line of the legend."""
    longest = max(len(words) for words in labels)
    return max(1, int(wide / (ENTRY + LETTER * longest)))


def _legend_height(labels: Sequence[str], wide: float) -> float:
    return 0.12 + LINE * math.ceil(len(labels) / _columns(labels, wide))


def _counts(panels: Sequence[Panel]) -> dict[str, str]:
    """By their marks: the numbers of tensors that did not change, and of those whose A is 0."""
    values = [panel.values for panel in panels if panel.values]
    unchanged = sum(not of_tensor["delta_fro"] for of_tensor in values)
    undefined = sum(not of_tensor["norm_a"] for of_tensor in values if of_tensor["delta_fro"])
    counts = {}
    if unchanged:
        counts["o"] = f"{unchanged} unchanged"
    if undefined:
        counts["x"] = f"{undefined} with A = 0"
    return counts


def _legend(figure: Figure, panels: Sequence[Panel], chart: Chart) -> None:
    """The roles, then the marks."""
    ax = figure.axes[-1]
    handles, _ = ax.get_legend_handles_labels()
    for marker in _counts(panels):
        (handle,) = ax.plot([], [], linestyle="", marker=marker, markersize=2.6, color=INK)
        handles.append(handle)
    labels = _labels(panels, chart)
    key(figure, handles, labels, _columns(labels, figure.get_figwidth()))
