"""The page of an animation: axes fixed over all steps, the reference, the curve of the step."""

from dataclasses import replace

import numpy as np
import pytest

from tests.reports.pictures.filmed import laws, spectra
from tests.reports.pictures.placing import box_of, place
from weightscope.columns import Curve
from weightscope.reports.pictures import frames
from weightscope.reports.pictures.frames import film_of

HOSTILE = ("$x_{1$ \x1b\n<b>", "_", "model.layers.17." * 30, "\u202e" * 90, "")


def ends(ax):
    """What an axis shows: its ends, numbers and scales."""
    numbers = [axis.get_ticklocs().tolist() for axis in (ax.xaxis, ax.yaxis)]
    return ax.get_xlim(), ax.get_ylim(), *numbers, ax.get_xscale(), ax.get_yscale()


def still(film):
    """The lines and areas that are the same in every frame, by panel."""
    return [
        ([line for line in panel.ax.lines if line is not panel.line], list(panel.ax.collections))
        for panel in film.panels
    ]


@pytest.mark.parametrize(
    "panels",
    [
        [laws((1, 2, 4)), laws((1, 1.1, 1.2), "mlp.up")],
        [spectra((0, 2, 30)), spectra((0, 0, 1), "mlp.up", 16)],
    ],
    ids=("distribution", "singular values"),
)
def test_axes_are_the_same_in_every_frame_and_panel(panels):
    """Their ends contain the curves of all steps of all panels."""
    film = film_of(panels)
    seen = []
    for i in range(3):
        film.show(i)
        seen += [ends(panel.ax) for panel in film.panels]
    assert all(one == seen[0] for one in seen)
    (left, right), (bottom, top), *_, xscale, yscale = seen[0]
    assert yscale == "log"
    least = 0.9 if xscale == "log" else 1.0  # the least singular values are below the axis
    for panel in panels:
        for curve in panel.curves:
            assert left <= curve.x.min() < curve.x.max() <= right
            assert curve.y.max() <= top
            assert np.mean(curve.y >= bottom) >= least


def test_each_quantity_has_axes_of_its_own():
    """Singular values are logarithmic in both directions, weights in one."""
    law, spectrum = film_of([laws((1, 2, 3)), spectra((0, 1, 2))]).panels
    assert (law.ax.get_xscale(), law.ax.get_yscale()) == ("linear", "log")
    assert (spectrum.ax.get_xscale(), spectrum.ax.get_yscale()) == ("log", "log")
    assert spectrum.ax.get_ylabel() == "singular value / largest of the first step"


def test_the_line_is_the_curve_of_the_step_before_the_first():
    """The first curve is grey and stays as it is."""
    given = laws((1, 2, 4))
    film = film_of([given])
    (panel,) = film.panels
    before = still(film)
    for i, curve in enumerate(given.curves):
        film.show(i)
        assert film.title.get_text() == f"step {100 * i}"
        assert panel.line.get_xdata().tolist() == curve.x.tolist()
        assert panel.line.get_ydata().tolist() == curve.y.tolist()
        ((reference,), (area,)) = still(film)[0]
        assert reference.get_xdata().tolist() == given.curves[0].x.tolist()
        assert (reference.get_color(), panel.line.get_color()) == (frames.GREY, frames.BLUE)
        assert reference.get_zorder() < panel.line.get_zorder()
        assert area in before[0][1]


def test_a_panel_without_a_step_has_its_reference_alone():
    """In its place; steps of all panels are in one order."""
    full = laws((1, 2, 3, 4))
    lacking = laws((1, 3), "late", ["step 100", "step 300"])
    film = film_of([lacking, full])
    assert film.steps == ("step 0", "step 100", "step 200", "step 300")
    counts = []
    for i in range(4):
        film.show(i)
        counts.append([len(panel.line.get_xdata()) for panel in film.panels])
    assert counts == [[0, 61], [61, 61], [0, 61], [61, 61]]
    assert all(len(lines) == 1 for lines, _ in still(film))


def test_the_legend_names_the_first_step():
    """Unless it differs between panels."""

    def legend(*panels):
        (drawn,) = film_of(panels).figure.legends
        return [text.get_text() for text in drawn.get_texts()]

    assert legend(laws((1, 2, 3))) == ["step 0", "this step"]
    late = laws((1, 2), "late", ["step 100", "step 200"])
    assert legend(laws((1, 2, 3)), late) == ["first step", "this step"]
    assert legend(laws((1, 2), steps=["_", "b"])) == ["_", "this step"]


def test_words_of_a_curve_stand_in_their_frame():
    """What follows the colon of a label; the title has the rest."""
    first, *rest = laws((1, 2, 3)).curves
    worded = replace(laws((1, 2, 3)), curves=(first, *(worded_(curve) for curve in rest)))
    film = film_of([worded])
    shown = []
    for i in range(3):
        film.show(i)
        shown.append((film.title.get_text(), film.panels[0].words.get_text()))
    assert shown == [("step 0", ""), ("step 100", "std 2"), ("step 200", "std 2")]


def worded_(curve):
    return replace(curve, label=f"{curve.label}: std 2")


def test_the_track_ends_at_the_step():
    """From the left end of the panels to the right one."""
    film = film_of([laws((1, 2, 3), str(i)) for i in range(2)])
    ends = []
    for i in range(3):
        film.show(i)
        left, right = film.track.get_xdata()
        ends.append(right)
    assert left == ends[0] == pytest.approx(film.panels[0].ax.get_position().x0)
    assert ends[2] == pytest.approx(film.panels[1].ax.get_position().x1)
    assert ends[1] == pytest.approx((ends[0] + ends[2]) / 2)


def test_too_many_panels_are_cut_and_counted(monkeypatch):
    """A screen has room for 24."""
    assert frames.MOST == 24
    monkeypatch.setattr(frames, "MOST", 2)
    film = film_of([laws((1, 2, 3), str(i)) for i in range(5)])
    assert [panel.ax.get_title(loc="left") for panel in film.panels] == ["0", "1"]
    assert film.figure.get_suptitle() == "the first 2 of 5 panels"


@pytest.mark.parametrize("title", HOSTILE)
def test_words_are_on_the_page(title):
    """Titles and steps of unknown origin are drawn as they are, and cut."""
    film = film_of([laws((1, 2), title, [f"{title}a", f"{title}b"])] * 2)
    place(film.figure)
    page = film.figure.bbox
    legend = box_of(film.figure.legends[0])
    for text in (film.title, *(panel.ax._left_title for panel in film.panels)):
        box = box_of(text)
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
        assert not text.get_parse_math()
        assert not legend.overlaps(box)


def test_curves_without_points_are_drawn():
    """An unchanged or dead tensor has an empty curve, a constant a single point."""
    nothing = np.zeros(0)
    empty = replace(laws((1, 2)), curves=(Curve("a", nothing, nothing), Curve("b", X0, X0)))
    film = film_of([empty, replace(spectra((0, 1)), curves=empty.curves), laws((1, 2))])
    film.show(1)
    film.figure.draw_without_rendering()
    for panel in film.panels[:2]:
        assert not np.any(np.isnan(panel.ax.get_xlim()))


X0 = np.array([np.nan, 0.0, np.inf])
