"""The axis of steps of a series, and its lines."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.reports.pictures.layered import joined, legend, lines, marked, numbers, panel, points
from tests.reports.pictures.placing import box_of
from weightscope.reports.pictures import figure_of
from weightscope.reports.pictures.steps import is_logarithmic

POWERS = [0, *(2**i for i in range(17)), 143_000]
PYTHIA = [0, *(2**i for i in range(10)), *range(1000, 144_000, 1000)]


def series(steps, count=1, title="std"):
    """A panel over steps of so many roles."""
    y = {f"attn.{i}": np.arange(len(steps)) + i + 1.0 for i in range(count)}
    return replace(panel(y, title, x=steps), xlabel="step")


@pytest.mark.parametrize("steps", [[0, 400, 1600], [0, 1000, 143_000], POWERS, [7, 8, 900, 901]])
def test_lines_join_all_steps_and_mark_each(steps):
    """However far apart: gaps are no missing steps."""
    (ax,) = figure_of([series(steps, 2)]).axes
    for line in lines(ax).values():
        assert [step for step, _ in points(line)] == steps
        assert not np.any(np.isnan(line.get_xdata()))
        assert marked(line) == steps


def test_marks_of_many_steps_are_some():
    """Where they would cover each other; the line joins all steps still."""
    steps = [*range(200), 1000, 2000]
    (ax,) = figure_of([series(steps)]).axes
    (line,) = lines(ax).values()
    assert len(points(line)) == len(steps)
    assert not np.any(np.isnan(line.get_xdata()))
    assert 5 < len(marked(line)) < 40
    (ax,) = figure_of([series(range(100))]).axes
    (line,) = lines(ax).values()
    assert len(marked(line)) == 100


@pytest.mark.parametrize(
    ("steps", "name", "words"),
    [
        ([0, 400, 1600], "step", ["0", "200", "400", "600", "800", "1000", "1200", "1400", "1600"]),
        ([0, 1, 2], "step", ["0", "1", "2"]),
        ([1000, 1001, 1002], "step", ["1000", "1001", "1002"]),
        (
            range(0, 144_000, 1000),
            "step",
            ["0", "20k", "40k", "60k", "80k", "100k", "120k", "140k"],
        ),
        ([0, 500_000, 1_000_000], "step", [*"0", *(f"{i}00k" for i in range(1, 10)), "1M"]),
        (POWERS, "step, log scale", ["0", "1", "10", "100", "1k", "10k", "100k"]),
        ([0, 1000, 143_000], "step, log scale", ["0", "1k", "10k", "100k"]),
        ([1, 8, 64, 512, 4096], "step, log scale", ["1", "10", "100", "1000"]),
        ([5, 5, 5], "step", ["5"]),
    ],
)
def test_numbers_are_round_and_few(steps, name, words):
    """Thousands are short where numbers are large."""
    (ax,) = figure_of([series(list(steps))]).axes
    assert ax.get_xlabel() == name
    assert numbers(ax.xaxis) == words


def test_half_of_the_steps_in_a_tenth_of_the_axis_need_a_logarithm():
    """A few early ones among many do not, and neither do steps far from 0."""
    assert [is_logarithmic(s) for s in (POWERS, [0, 9, 100], [0, 10, 100], PYTHIA)] == [
        True,
        True,
        False,
        False,
    ]
    assert not is_logarithmic([100_000, 100_010, 143_000])
    assert not is_logarithmic([-9, 0, 1, 1000])


@pytest.mark.parametrize(
    ("steps", "count"),
    [
        ([0, 400, 1600], 1),
        ([0, 400, 1600], 2),
        (POWERS, 1),
        (POWERS, 2),
        (PYTHIA, 12),
        ([0, 1e15, 1e16], 2),
        ([99_990, 99_995], 2),
    ],
)
def test_numbers_are_apart_on_one_axis(steps, count):
    """Of few panels and of many; every panel has the same."""
    figure = figure_of([series(steps, title=str(i)) for i in range(count)])
    assert len({(ax.get_xlim(), *ax.get_xticks()) for ax in figure.axes}) == 1
    texts = [text for text in figure.axes[-1].get_xticklabels() if text.get_text()]
    boxes = sorted(box_of(text).extents.tolist() for text in texts)
    assert boxes
    for left, right in pairwise(boxes):
        assert left[2] < right[0]


def test_a_panel_lacks_steps_of_others():
    """The axis extends over all; the legend is that of roles, without layers."""
    late = series([1600, 3200], title="late")
    figure = figure_of([joined(series([0, 400, 1600]), late), late])
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim()
    assert second.get_xlim()[0] < 0 < 3200 < second.get_xlim()[1]
    assert legend(figure) == [["roles", "attn.0"]]
    without = figure_of([series([0, 1, 2]), replace(late, curves=(), note="no value")])
    assert without.axes[1].texts[0].get_text() == "no value"
