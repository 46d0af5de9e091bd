"""The pictures of a series: lines over the steps, and the laws of each step as frames.

Lines are the change of each role: of all its tensors together. Frames are the law of its weights
at each step in units of the first step's sigma, with --spectrum their singular values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, sqrt
from statistics import median
from typing import TYPE_CHECKING, Any

from ....columns import FRAMES, INDEX, STEP, Curve, Panel
from ....lazy import numpy as np
from ....naming import Place
from ....sketches import Count
from ....statistics.pairs.labels import A, B
from ....statistics.statistic import At
from ...measuring import Answer
from ...residual import drawn_group
from ..comparison import Comparison
from ..facts import MATRICES, Facts
from ..many.bundle import Member, Sides
from ..options import CompareOptions
from ..picture import law_curve
from ..spectra import OPTIONS
from ..verdict import summed
from .coarse import coarse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....sketches import ValueCounts

DRAWN = (*MATRICES, "embedding")  # kinds with lines and frames, where there are any
POINTS = 200  # of a curve of singular values
Comparisons = Mapping[Sides, Comparison]


def _relative(facts: Sequence[Facts]) -> float | None:
    """|D|/|A| of all tensors together."""
    moments = summed(facts)
    if not moments.n or not moments.aa > 0 or not isfinite(moments.dd):
        return None
    return sqrt(moments.dd / moments.aa)


def _rotation(facts: Sequence[Facts]) -> float | None:
    """1 - cosine of all tensors together."""
    return summed(facts).rotation


def _rank(facts: Sequence[Facts]) -> float | None:
    """The median rank that holds 90% of the energy of the change."""
    ranks = [of_pair.rank_90 for of_pair in facts if of_pair.rank_90 is not None]
    return float(median(ranks)) if ranks else None


@dataclass(frozen=True)
class Line:
    """A panel of lines: its title, its unit, what it compares with, and the value of a role."""

    title: str
    unit: str
    of: Callable[[Sequence[Facts]], float | None]
    is_previous: bool = False  # against the previous step, else the first


LINES = (
    Line("change from first", "|D|/|A|", _relative),
    Line("rotation from first", "1 - cosine", _rotation),
    Line("rotation from previous", "1 - cosine", _rotation, is_previous=True),
)
OF_SPECTRUM = Line("rank of 90% of the change", "median", _rank)


@dataclass(eq=False)
class Drawing:
    """The laws of each role at each step, added up over its tensors while they are measured."""

    options: CompareOptions
    laws: dict[str, dict[int, ValueCounts]] = field(default_factory=dict)
    spectra: dict[str, dict[int, list[NDArray[np.float64]]]] = field(default_factory=dict)
    of_first: set[str | None] = field(default_factory=set)  # tensors of the first step, once added

    def take(self, answer: Answer) -> None:
        """Adds the sides of a pair that no earlier pair has added."""
        pair = answer.piece
        assert isinstance(pair, Member)
        if not self.options.panels or pair.place.kind not in DRAWN or pair.sides[0] != 0:
            return
        role = pair.place.role
        self._add(role, pair.sides[1], B, answer.sketches)
        # of the first step once, from the first pair that has it: a step may lack the tensor
        name = pair.a.name if pair.a else None
        is_new = name is not None and name not in self.of_first
        if is_new and self._add(role, 0, A, answer.sketches):
            self.of_first.add(name)

    def _add(self, role: str, step: int, label: str, sketches: Mapping[Any, Any]) -> bool:
        """Adds what was measured of one side; False where nothing was."""
        counts: ValueCounts | None = sketches.get(At(label, Count()))
        if counts is not None and counts.n:
            of_role = self.laws.setdefault(role, {})
            few = coarse(counts.forget())  # a step may have hundreds of roles and megabytes each
            of_role[step] = of_role[step] + few if step in of_role else few
        values = sketches.get(At(label, OPTIONS.measure))
        if values is not None and len(values.values):
            self.spectra.setdefault(role, {}).setdefault(step, []).append(values.values)
        return counts is not None or values is not None

    def panels(self, numbers: Sequence[int], comparisons: Comparisons) -> Iterator[Panel]:
        """Lines, then frames: of the singular values where these were computed."""
        lines = (*LINES, OF_SPECTRUM) if self.options.spectrum else LINES
        for line in lines:
            yield _panel(line, _points(line, numbers, comparisons))
        if self.options.spectrum:
            yield from _frames_of_spectra(self.spectra, numbers)
        else:
            yield from _frames_of_laws(self.laws, numbers)


Points = dict[str, tuple[Place, list[tuple[int, float]]]]  # by role


def _points(line: Line, numbers: Sequence[int], comparisons: Comparisons) -> Points:
    """The values of each role by step."""
    points: Points = {}
    for (a, b), comparison in comparisons.items():
        if a != (b - 1 if line.is_previous else 0):
            continue
        for role, facts in _by_role(comparison.facts).items():
            value = line.of(facts)
            if value is not None:
                _, of_role = points.setdefault(role, (facts[0].pair.place, []))
                of_role.append((numbers[b], value))
    return points


def _by_role(facts: Sequence[Facts]) -> dict[str, list[Facts]]:
    """Matrices, convolutions and tables by role; all tensors where there is none of these."""
    drawn = [of_pair for of_pair in facts if of_pair.pair.place.kind in DRAWN]
    by_role: dict[str, list[Facts]] = {}
    for of_pair in drawn or facts:
        by_role.setdefault(of_pair.pair.place.role, []).append(of_pair)
    return by_role


def _panel(line: Line, points: Points) -> Panel:
    """A line a role."""
    curves = []
    values = {}
    for role, (place, of_role) in sorted(points.items()):
        steps, heights = zip(*sorted(of_role), strict=True)
        curves.append(Curve(role, np.array(steps, float), np.array(heights, float)))
        values[role] = {"source": "", "name": role, "group": drawn_group(place)}
    note = "" if curves else "no step has a value"
    return Panel(line.title, "depth", STEP, line.unit, tuple(curves), note=note, values=values)


def _frames_of_laws(
    laws: Mapping[str, Mapping[int, ValueCounts]], numbers: Sequence[int]
) -> Iterator[Panel]:
    """The density of each role at each step, in units of its first sigma."""
    for role, by_step in sorted(laws.items()):
        first = by_step[min(by_step)]
        if not first.std > 0:
            continue
        curves = []
        for step, counts in sorted(by_step.items()):
            curves.append(law_curve(f"step {numbers[step]}", counts, first.mean, first.std))
        yield Panel(role, FRAMES, "weight / sigma of the first step", "density", tuple(curves))


def _frames_of_spectra(
    spectra: Mapping[str, Mapping[int, Sequence[NDArray[np.float64]]]], numbers: Sequence[int]
) -> Iterator[Panel]:
    """The sorted singular values of all matrices of a role, in units of the first largest."""
    for role, by_step in sorted(spectra.items()):
        first = np.sort(np.concatenate(by_step[min(by_step)]))[::-1]
        if not first[0] > 0:
            continue
        curves = []
        for step, matrices in sorted(by_step.items()):
            values = np.sort(np.concatenate(matrices))[::-1] / first[0]
            chosen = _spread(len(values))
            curves.append(Curve(f"step {numbers[step]}", chosen + 1.0, values[chosen]))
        yield Panel(
            role, FRAMES, INDEX, "singular value / largest of the first step", tuple(curves)
        )


def _spread(count: int) -> NDArray[np.int64]:
    """At most POINTS indices, evenly spaced in their logarithm, the first and the last with them.

    >>> _spread(5).tolist()
    [0, 1, 2, 3, 4]
    """
    places = np.geomspace(1, count, min(count, POINTS)).round().astype(np.int64)
    if count <= POINTS:
        return np.arange(count)
    return np.unique(places) - 1
