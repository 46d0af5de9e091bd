"""The picture of spectra.

Pairs of plots on the same axes, words that do not collide, names drawn as they are.
"""

from functools import cache

import numpy as np
import pytest

from tests.reports.pictures.pages import page_of
from tests.reports.pictures.placing import box_of
from weightscope.columns import Curve, Panel
from weightscope.reports.pictures import figure_of, save_picture
from weightscope.reports.pictures.spectrum import ROLES


def panel(title="attn.q", top=6.0, least=0.01):
    """Bars to the edge and one at `top`, a law, spikes, and a tail with its line."""
    edges, bars = (
        np.array([0, 0.25, 0.5, 0.75, 1, top, top * 1.2]),
        np.array([1, 0.9, 0.6, 0, 0, 0.1, 0]),
    )
    law = np.linspace(0, 1, 20)
    shares = np.geomspace(least, 1, 30)
    squares = top**2 * (shares / least) ** -1.5
    return Panel(
        title,
        "spectrum",
        "singular value / noise edge",
        "relative density",
        (
            Curve("singular values: 90 of 128 are not zero", edges, bars, "steps"),
            Curve("Marchenko-Pastur law: no clean bulk", law, np.sqrt(1 - law**2)),
            Curve(f"spikes: 350 spikes, to {top:.3g}", np.array([top, 1.5]), np.zeros(2), "points"),
            Curve("squares", squares, shares, "points"),
            Curve("power law: alpha 1.67, not a power law", squares[::-1][-9:], shares[::-1][-9:]),
        ),
    )


def plots(figure):
    """Left and right plots, in the order of the panels."""
    return figure.axes[::2], figure.axes[1::2]


def texts(figure):
    """The boxes of all words of a page that is laid out, in pixels, by what they say."""
    found = [
        t
        for ax in figure.axes
        for t in (
            *ax.texts,
            ax._left_title,
            ax.xaxis.label,
            ax.yaxis.label,
            *ax.get_xticklabels(),
            *ax.get_yticklabels(),
        )
    ]
    found += figure.legends[0].get_texts()
    return [(t.get_text(), box_of(t)) for t in found if t.get_text() and t.get_visible()]


@cache
def several(count):
    """Panels of different reach, and their figure: none of the tests changes it."""
    panels = [panel(f"r{i}", top=3.0 + i, least=0.1 / (1 + i)) for i in range(count)]
    return panels, figure_of(panels)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_pair_is_drawn_on_the_same_axes(count):
    """Left plots share their limits, right ones theirs, and all data are within."""
    panels, figure = several(count)
    left, right = plots(figure)
    assert [ax.get_title(loc="left") for ax in left] == [f"r{i}" for i in range(count)]
    for axes in (left, right):
        assert len({(*ax.get_xlim(), *ax.get_ylim()) for ax in axes}) == 1
    for found in panels:
        bars, _, spikes, squares, _ = found.curves
        assert (
            left[0].get_xlim()[0]
            <= bars.x.min()
            <= max(bars.x.max(), spikes.x.max())
            <= left[0].get_xlim()[1]
        )
        shown = squares.x[squares.y < 0.9]
        assert right[0].get_xlim()[0] < shown.min() <= shown.max() < right[0].get_xlim()[1]
        assert right[0].get_ylim()[0] < squares.y.min() <= squares.y.max() < right[0].get_ylim()[1]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_words_stand_on_the_page_and_not_on_each_other(count):
    """With long names and every word there can be."""
    figure, _ = page_of("spectrum", count)
    boxes, page = texts(figure), figure.bbox
    assert len(boxes) > 10 * count
    for words, box in boxes:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, words
        assert page.y0 <= box.y0 < box.y1 <= page.y1, words
    for at, (words, box) in enumerate(boxes):
        assert not [(words, other) for other, b in boxes[:at] if b.overlaps(box)]


def test_one_legend_names_what_is_somewhere():
    """In one order, whichever panel has it.

    A product of thin factors has neither law nor spikes.
    """

    def legend(*panels):
        return [text.get_text() for text in figure_of(panels).legends[0].get_texts()]

    full = panel()
    thin = Panel("thin", "spectrum", curves=(full.curves[0], *full.curves[3:]))
    assert legend(thin, full) == list(ROLES)
    assert legend(thin) == ["singular values", "squares", "power law"]


def test_words_of_a_panel_stand_in_their_plot_in_the_colour_of_their_curve():
    """What follows the colon of a label."""
    (left, right) = figure_of([panel()]).axes
    assert [t.get_text() for t in left.texts] == [
        "90 of 128 are not zero",
        "no clean bulk",
        "350 spikes, to 6",
    ]
    assert [t.get_text() for t in right.texts] == ["alpha 1.67, not a power law"]
    assert [t.get_color() for t in left.texts] == [role.colour for role in ROLES.values()][:3]


def test_the_left_axis_is_linear_to_the_edge_and_logarithmic_beyond():
    """The bulk keeps its shape; a factor of e beyond is as wide as the bulk."""
    (left, _) = figure_of([panel()]).axes
    at = left.transData.transform([(x, 0) for x in (0, 0.5, 1, np.e)])[:, 0]
    assert np.diff(at)[:2] == pytest.approx([(at[2] - at[0]) / 2] * 2)
    assert at[3] - at[2] == pytest.approx(at[2] - at[0])
    assert left.transData.inverted().transform((at[3], 0))[0] == pytest.approx(np.e)


def test_far_spikes_stand_at_the_end_of_the_axis():
    """One value at 400 times the edge does not squeeze the bulk of every panel into a line."""
    left, right = plots(figure_of([panel(), panel(top=400.0)]))
    assert left[0].get_xlim() == (0, 33)
    assert right[0].get_xlim()[1] == pytest.approx(30**2 * 1.3)
    spikes = next(line for line in left[1].lines if line.get_label() == "spikes")
    assert spikes.get_xdata().tolist() == [33, 1.5]


def test_a_panel_of_small_values_keeps_every_one():
    """The right axis starts with nine tenths of many values, and with all of a few."""

    def begins(squares):
        curve = Curve("squares", squares, np.arange(1, len(squares) + 1) / len(squares))
        return figure_of([Panel("w", "spectrum", curves=(curve,))]).axes[1].get_xlim()[0]

    assert begins(np.array([9.0, 1.0, 0.02])) < 0.02
    assert begins(np.geomspace(9, 0.009, 1000)) == pytest.approx(9 * 1e-3**0.9 / 1.3, rel=0.01)
    assert begins(np.geomspace(9, 1e-9, 1000)) == 1e-4


@pytest.mark.usefixtures("most_are_two")
def test_too_many_panels_are_cut_and_said():
    """Beyond so many nothing is legible; the figure says how many there were."""
    figure = figure_of(
        [
            Panel(str(i), "spectrum", curves=(Curve("squares", np.ones(1), np.ones(1)),))
            for i in range(3)
        ]
    )
    assert len(figure.axes) == 4
    assert figure.get_suptitle() == "the first 2 of 3 panels"


def test_axes_are_named_at_the_ends_of_the_grid():
    """Below what has none below it, and at the first pair of a row."""
    left, right = plots(several(7)[1])
    assert (
        [bool(ax.get_xlabel()) for ax in left]
        == [bool(ax.get_xlabel()) for ax in right]
        == [False] * 5 + [True] * 2
    )
    assert [ax.get_ylabel() for ax in left[:2]] == ["relative density", ""]
    assert [ax.get_ylabel() for ax in right[:2]] == ["share ≥ x", ""]
    assert (left[6].get_xlabel(), right[6].get_xlabel()) == (
        "singular value / noise edge",
        "its square",
    )


@pytest.fixture(scope="module")
def twice():
    """Two figures of equal panels, by the names of their files."""
    return {name: figure_of([panel("$x_{1$ \x1b\n<b>")]) for name in ("a", "b")}


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_same_bytes_twice_and_names_are_text(tmp_path, twice, suffix):
    """No date, no random id; a title with $ or control characters is drawn as it is."""
    for name, figure in twice.items():
        save_picture(figure, tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
