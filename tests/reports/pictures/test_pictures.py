"""Pictures: what they show, and that the same numbers are the same bytes."""

import dataclasses
import os

import numpy as np
import pytest

import weightscope.reports.pictures as pictures
from weightscope.columns import Column, Curve, Panel
from weightscope.errors import CheckpointError, UsageError
from weightscope.reports.pictures import check_plot, figure_of, save_picture
from weightscope.reports.pictures.density import reach
from weightscope.reports.report import Report
from weightscope.reports.view import View


def panel(title="attn.q", best="gennorm β = 1.30", wide=5.0, style="steps"):
    x = np.linspace(-wide, wide, 41)
    y = np.exp(-x * x / 2) / 2.5066
    return Panel(
        title,
        "density",
        "weight / σ",
        "density",
        (
            Curve("weights", x, np.where(y > 1e-5, y, 0), style),
            Curve("Gaussian", x, y),
            Curve(best, x, y * 1.1),
        ),
    )


def visible(figure):
    return [ax for ax in figure.axes if ax.axison]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_panel_is_drawn_on_the_same_axes(count):
    """As many axes as panels, all with one range, -8..8 sigma and 1e-6..1."""
    axes = visible(figure_of([panel(f"r{i}") for i in range(count)]))
    assert [ax.get_title(loc="left") for ax in axes] == [f"r{i}" for i in range(count)]
    assert {(*ax.get_xlim(), *ax.get_ylim()) for ax in axes} == {(-8, 8, 1e-6, 1)}
    assert axes[0].get_yscale() == "log"


@pytest.mark.usefixtures("most_are_two")
def test_too_many_panels_are_cut_and_said():
    """Beyond so many nothing is legible; the figure says how many there were."""
    figure = figure_of([panel(str(i)) for i in range(3)])
    assert len(visible(figure)) == 2
    assert figure.get_suptitle() == "the first 2 of 3 panels"


def test_axes_follow_far_data_up_to_a_limit():
    """Heavy tails widen every panel; one outlier at 900 sigma does not flatten it."""

    def far(end):
        return Panel(
            "t", "density", curves=(Curve("weights", [-end, 0, 1e9], [1e-5, 0.4, 0], "points"),)
        )

    assert [reach([panel(), far(end)]) for end in (3, 12.5, 900)] == [8, 13, 40]
    assert figure_of([panel(), far(12.5)]).axes[0].get_xlim() == (-13, 13)


def test_one_legend_names_what_differs_best_law():
    """Laws that differ between panels are named in their panel and `best law` in the legend."""

    def legend(*panels):
        return [text.get_text() for text in figure_of(panels).legends[0].get_texts()]

    assert legend(panel(), panel(best="student_t ν = 4")) == ["weights", "Gaussian", "best law"]
    assert legend(panel(), panel()) == ["weights", "Gaussian", "gennorm β = 1.30"]


def test_words_of_the_weights_stand_in_their_panel():
    """What follows the colon; the legend has the name."""
    first, *rest = panel().curves
    left_out = dataclasses.replace(first, label="weights: 50.0% zeros left out")
    figure = figure_of([dataclasses.replace(panel(), curves=(left_out, *rest)), panel()])
    assert [t.get_text() for t in figure.axes[0].texts] == [
        "50.0% zeros left out",
        "gennorm β = 1.30",
    ]
    assert [t.get_text() for t in figure.axes[1].texts] == ["gennorm β = 1.30"]
    assert figure.legends[0].get_texts()[0].get_text() == "weights"


@pytest.fixture(scope="module")
def twice():
    """Two figures of equal panels, by the names of their files."""
    return {name: figure_of([panel("$x_{1$ \x1b\n<b>", style="points")]) for name in ("a", "b")}


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_same_bytes_twice_and_names_are_text(tmp_path, twice, suffix):
    """No date, no random id; a title with $ or control characters is drawn as it is."""
    for name, figure in twice.items():
        save_picture(figure, tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert sorted(os.listdir(tmp_path)) == [f"a.{suffix}", f"b.{suffix}"]


def test_marks_and_empty_panels_draw():
    """A tensor without a finite weight is an empty panel, a mark a line with its name."""
    empty = Panel("dead", "density", curves=(Curve("weights", [0.0], [0.0], "points"),))
    marked = Panel("m", "density", curves=panel().curves, marks={"3 σ": 3.0})
    figure = figure_of([empty, marked])
    assert len(figure.axes[0].lines) == 1
    assert [t.get_text() for t in figure.axes[1].texts] == ["3 σ", "gennorm β = 1.30"]


def test_report_plots(tmp_path):
    """`.plot(path)` draws, saves and returns the figure."""
    report = Report("fit", ({},), (), panels=(panel(),))
    assert len(report.plot().axes) == len(report.plot(tmp_path / "x.svg").axes) == 1
    assert (tmp_path / "x.svg").read_bytes().startswith(b"<?xml")


def test_the_picture_shows_the_rows_of_the_report():
    """Filtered, sorted and cut as the table is; a column that is not shown still sorts."""
    columns = (Column("tensor", "str", ""), Column("beta", "float", ""))
    rows = tuple(
        {"tensor": name, "beta": beta}
        for name, beta in (("a", 1.0), ("b", 3.0), ("c", 2.0), ("d", 0.5))
    )
    panels = tuple(
        dataclasses.replace(panel(row["tensor"]), of={"tensor": row["tensor"]}) for row in rows
    )
    report = Report("fit", rows, columns, View(("tensor",), "beta < 3", "-beta", 2), panels=panels)
    assert [ax.get_title(loc="left") for ax in visible(report.plot())] == ["c", "a"]
    assert list(report.table["tensor"]) == ["c", "a"]


def test_nothing_to_draw_is_a_picture_that_says_so(tmp_path):
    """No row shown, or none with something to draw.

    The file is written, as a table of no rows has its header.
    """
    lacking = Panel("a", "density", of={"x": 1}, note="one distinct value")
    report = Report("fit", ({"x": 1},), (Column("x", "int", ""),), panels=(lacking, panel("b")))
    assert [ax.get_title(loc="left") for ax in visible(report.plot())] == ["b"]
    assert report.without_picture == ("no picture of a: one distinct value",)
    for bare in (
        dataclasses.replace(report, view=View(limit=0)),
        dataclasses.replace(report, panels=(lacking,)),
    ):
        assert [text.get_text() for text in bare.plot(tmp_path / "x.png").texts] == [
            "nothing to draw"
        ]
        assert (tmp_path / "x.png").stat().st_size
        assert bare.without_picture


def test_what_cannot_be_drawn_is_refused(tmp_path, monkeypatch):
    """No panels, an unknown suffix, no matplotlib: each says what to do."""
    with pytest.raises(
        UsageError,
        match=r"can be drawn: change, coupling, density, depth, .*; found none; request them",
    ):
        Report("ls", (), ()).plot()
    with pytest.raises(
        UsageError, match=r"expected a picture ending in one of .png .svg .pdf .gif; found 'x.bmp'"
    ):
        check_plot("x.bmp")
    with pytest.raises(UsageError, match="expected a folder for"):
        check_plot(tmp_path / "no" / "x.png")
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(
        CheckpointError, match=r"found it is not installed; pip install matplotlib$"
    ):
        check_plot(tmp_path / "x.png")
