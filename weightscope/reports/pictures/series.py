"""How the series of a picture over depth are told apart, also in a grey print.

The hue is the group: readers of the residual stream blue, writers vermilion, others green. In a
group each role has a shade and a mark: filled marks for readers, hollow ones for writers, strokes
for others. Models differ by their dashes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...columns import Panel
from ...escape import escaped
from ...lazy import matplotlib_lines
from ...sources import distinct
from .page import BLUE, GREEN, VERMILION, shortened
from .pooling import Name, Series, exact, order, pooling_of
from .roles import shades

MOST_SERIES = 24  # lines of full width
LONGEST, PATH = 24, 36  # letters of a series and of a model in the legend
SHAPES = ("o", "s", "^", "D", "v", "P", "<", "X", ">", "p", "*", "h")
STROKES = ("x", "+", "1", "2", "3", "4", "|", "_")
DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4, 1.6),
    (1.2, 1.2),
    (6, 1.4, 1.2, 1.4),
    (9, 2.5),
    (3, 1.2, 1.2, 1.2, 1.2, 1.2),
)
SIZE = 3.6  # points: a mark
WIDE, THIN = 1.2, 0.6  # points: a line, and one of many
PALE = 0.5  # the opacity of a line of a pool


@dataclass(frozen=True)
class Group:
    """A part of the roles: its heading, the ends of its hue, its marks."""

    heading: str
    ends: tuple[str, str, str]
    marks: Sequence[str]
    hollow: bool = False


GROUPS: Mapping[str, Group] = {
    "reader": Group("readers", ("#08306b", BLUE, "#62b5e5"), SHAPES),
    "writer": Group("writers", ("#7f2704", VERMILION, "#f5a25d"), SHAPES, hollow=True),
    "other": Group("others", ("#005a40", GREEN, "#6cc7a8"), STROKES),
}


@dataclass(frozen=True)
class Look:
    """How a series is drawn."""

    colour: Any
    mark: str = ""
    hollow: bool = False
    dashes: tuple[float, ...] = ()
    width: float = WIDE
    pooled: bool = False

    def line(self) -> Mapping[str, Any]:
        """The arguments of matplotlib."""
        face = self.colour
        if self.hollow:
            face = "white"
        return {
            "color": self.colour,
            "linewidth": self.width,
            "linestyle": (0, self.dashes) if self.dashes else "-",
            "marker": self.mark,
            "markersize": SIZE,
            "markerfacecolor": face,
            "markeredgewidth": 0.9,
            "alpha": PALE if self.pooled else None,
        }

    def sample(self) -> Any:
        """The line of the legend."""
        return matplotlib_lines.Line2D([], [], **self.line())


@dataclass(frozen=True)
class Looks:
    """The looks of all series by label; of roles and models by the words of the legend."""

    series: Mapping[str, Look]
    roles: Mapping[str, Mapping[str, Look]]  # by group
    models: Mapping[str, tuple[float, ...]]


def looks_of(panels: Sequence[Panel]) -> Looks:
    """A look for each series of the panels."""
    series: dict[str, Series] = {}
    for panel in panels:
        series |= {curve.label: panel.values[curve.label] for curve in panel.curves}
    pooling = pooling_of(series.values())
    names = {label: pooling(of_series) for label, of_series in series.items()}
    width = WIDE
    if len(series) > MOST_SERIES:
        width = THIN
    by_name = _by_name(dict.fromkeys(names.values()), width)
    if pooling is not exact:
        by_name = {name: _as_pooled(look) for name, look in by_name.items()}
    sources = list(dict.fromkeys(of_series["source"] for of_series in series.values()))
    dashes = {source: DASHES[min(i, len(DASHES) - 1)] for i, source in enumerate(sources)}
    looks = {}
    for label, name in names.items():
        of_source = dashes[series[label]["source"]]
        looks[label] = replace(by_name[name], dashes=of_source)
    return Looks(looks, _legend_of_roles(series, names, by_name), _models(sources))


def _by_name(names: Iterable[Name], width: float) -> dict[Name, Look]:
    """A shade and a mark for each name of a group, sorted as roles are."""
    ordered = sorted(names, key=order)
    looks = {}
    for key, group in GROUPS.items():
        members = [name for name in ordered if name[0] == key]
        for i, colour in enumerate(shades(group.ends, len(members))):
            mark = group.marks[i % len(group.marks)]
            looks[members[i]] = Look(colour, mark, group.hollow, width=width)
    return looks


def _as_pooled(look: Look) -> Look:
    """The look of a line that is one of several, with a dot where it has a single layer."""
    return replace(look, mark=".", hollow=False, pooled=True)


def _legend_of_roles(
    series: Mapping[str, Series], names: Mapping[str, Name], by_name: Mapping[Name, Look]
) -> dict[str, dict[str, Look]]:
    """By group and words: what the legend has of each name."""
    members: dict[Name, set[str]] = {name: set() for name in by_name}
    for label, name in names.items():
        members[name].add(series[label]["name"])
    legend: dict[str, dict[str, Look]] = {}
    for name, roles in members.items():
        group, word = name
        words = f"{word}: {len(roles)} series".removeprefix(": ")
        if len(roles) == 1:
            words = min(roles)
        of_group = legend.setdefault(group, {})
        of_group[_fresh(words, of_group)] = by_name[name]
    return legend


def _models(sources: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Dashes by the words of the legend; none for one model. The last dashes may be of several."""
    models: dict[str, tuple[float, ...]] = {}
    if len(sources) < 2:
        return models
    single = len(DASHES)
    if len(sources) > len(DASHES):
        single -= 1
    for source, dashes in zip(distinct(sources)[:single], DASHES, strict=False):
        models[_fresh(source, models, PATH)] = dashes
    if len(sources) > single:
        models[f"{len(sources) - single} further models"] = DASHES[-1]
    return models


def _fresh(text: str, used: Container[str], longest: int = LONGEST) -> str:
    """Words of the legend for a text of unknown origin: no two are equal."""
    words = shortened(escaped(text), longest)
    number = 2
    fresh = words
    while fresh in used:
        fresh = f"{words} ({number})"
        number += 1
    return fresh
