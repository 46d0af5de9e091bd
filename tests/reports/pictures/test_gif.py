"""The animation as a file: read back, its frames differ in the curves alone."""

import numpy as np
import pytest

from tests.reports.pictures.filmed import blocks, laws, plain, read, spectra
from weightscope.columns import Column, Panel
from weightscope.errors import UsageError
from weightscope.reports.pictures import animate, check_series, figure_of, frames
from weightscope.reports.pictures.frames import film_of
from weightscope.reports.pictures.gif import pixels
from weightscope.reports.pictures.page import BLUE, GREY
from weightscope.reports.report import Report
from weightscope.reports.view import View

COUNT = 4
PANELS = [laws((1, 1.5, 2.5, 4)), laws((1, 1.1, 1.2, 1.3), "mlp.up")]


@pytest.fixture(autouse=True, scope="module")
def small():
    """Axes of 1 pixel: fewer pixels are faster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "DPI", 90)
        patch.setattr(frames, "WIDTHS", {1: 4.2})
        yield


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    """The bytes of a GIF of PANELS, as a report writes it."""
    path = tmp_path_factory.mktemp("gif") / "x.gif"
    animate(PANELS, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def film():
    """What is drawn of PANELS."""
    return film_of(PANELS)


def boxes(film):
    """The plots of a film as slices of its pixels."""
    wide, high = film.figure.canvas.get_width_height()
    slices = []
    for panel in film.panels:
        box = panel.ax.get_position()
        # without the axes at the bottom and at the left, whole at the other edges
        rows = slice(round(high * (1 - box.y1)) - 1, round(high * (1 - box.y0)) - 1)
        columns = slice(round(wide * box.x0) + 1, round(wide * box.x1) + 1)
        slices.append((rows, columns))
    return slices


def test_frames_are_steps_of_one_size(movie):
    """As many as steps, the last one held longer, forever."""
    shown, durations = read(movie)
    assert len(shown) == COUNT
    assert len({frame.shape for frame in shown}) == 1
    assert durations == [1000, 1000, 1000, 2000]
    assert movie.startswith(b"GIF89a")
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in movie
    assert blocks(movie) == ["application", *["control", "image"] * COUNT]


def test_axes_and_words_are_equal_in_every_frame(movie, film):
    """Below the step and its track, only pixels inside the plots differ."""
    shown, _ = read(movie)
    inside = np.zeros(shown[0].shape[:2], bool)
    for rows, columns in boxes(film):
        inside[rows, columns] = True
    inside[: round(frames.HEAD * frames.DPI)] = True
    different = [np.any(frame != shown[0], axis=2) for frame in shown]
    for one in different[1:]:
        assert one.any()
        assert not (one & ~inside).any()
    # each plot has changed, and each has axes that have not
    for rows, columns in boxes(film):
        assert different[-1][rows, columns].any()
    assert (shown[0][~inside] < 200).any()


def test_the_reference_is_equal_in_every_frame(movie, film):
    """Its area is grey wherever no line covers it."""
    shown, _ = read(movie)
    rows, columns = boxes(film)[0]
    plots = [frame[rows, columns] for frame in shown]
    middle = plots[0].shape[1] // 2
    foot = plots[0][-3:, middle - 2]
    grey = np.round(255 - 0.22 * (255 - plain(GREY)))
    assert np.abs(foot - grey).max() <= 8
    for plot in plots[1:]:
        assert np.array_equal(plot[-3:, middle - 2], foot)


def test_each_frame_has_the_line_of_its_step(movie, film):
    """The pixels are those of the page at the step, within the shades of the palette."""
    shown, _ = read(movie)
    pages = list(pixels(film, range(COUNT)))
    rows, columns = boxes(film)[0]
    spans = []
    for frame, page in zip(shown, pages, strict=True):
        difference = np.abs(frame - page.astype(int))
        assert difference.max() <= 24
        assert difference.mean() < 1
        blue = np.abs(frame[rows, columns] - plain(BLUE)).max(axis=2) < 40
        places = np.flatnonzero(blue.any(axis=0))
        spans.append(places[-1] - places[0])
    assert spans == sorted(spans)
    assert spans[3] > 2 * spans[0]


def test_pages_are_those_that_are_drawn_in_one_go():
    """What is drawn once and what is drawn per step are one picture."""
    film = film_of([spectra((0, 1, 9))])
    (page,) = pixels(film, [2])
    film.figure.canvas.draw()
    whole = np.asarray(film.figure.canvas.buffer_rgba())[:, :, :3]
    assert np.array_equal(page, whole)


def test_equal_panels_give_equal_bytes(movie, tmp_path):
    """No date, no random order."""
    figure = animate(PANELS, tmp_path / "y.gif")
    assert (tmp_path / "y.gif").read_bytes() == movie
    assert [text.get_text() for text in figure.texts][-1] == "step 300"


def columns_and_rows():
    """A report's table: one row per tensor."""
    return (Column("tensor", "str", ""),), ({"tensor": "a"}, {"tensor": "b"})


def series(**changes):
    """A report with lines over steps, and frames of one of two tensors."""
    columns, rows = columns_and_rows()
    lines = Panel("std", "depth", "step", note="no value")
    lacking = Panel("b", "frames", of={"tensor": "b"}, note="one distinct value")
    film = laws((1, 2, 3), "a")
    film = Panel("a", film.kind, film.xlabel, film.ylabel, film.curves, of={"tensor": "a"})
    return Report("compare", rows, columns, panels=(lines, film, lacking), **changes)


def test_a_report_of_a_series_has_two_pictures(tmp_path):
    """Its frames as a GIF, its lines as any other; reasons are those of the picture drawn."""
    report = series()
    figure = report.plot(tmp_path / "x.gif")
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["a"]
    assert len(read((tmp_path / "x.gif").read_bytes())[0]) == 3
    assert report.missing_from("x.GIF") == ("no picture of b: one distinct value",)
    for drawn in (report.plot(), report.plot(tmp_path / "x.png")):
        assert [ax.get_title(loc="left") for ax in drawn.axes] == ["std"]
    assert report.without_picture == ("no picture of std: no value",)


def test_no_row_shown_is_a_picture_that_says_so(tmp_path):
    """The file is written, with one frame."""
    figure = series(view=View(limit=0)).plot(tmp_path / "x.gif")
    assert [text.get_text() for text in figure.texts] == ["nothing to draw"]
    assert len(read((tmp_path / "x.gif").read_bytes())[0]) == 1


def test_what_is_no_series_is_refused(tmp_path):
    """Before anything is written."""
    message = (
        r"expected a series of at least three checkpoints for a \.gif; found none for '.*x\.gif'"
    )
    with pytest.raises(UsageError, match=message):
        Report("fit", (), (), panels=(Panel("a", "density"),)).plot(tmp_path / "x.gif")
    assert not (tmp_path / "x.gif").exists()
    with pytest.raises(UsageError, match=r"another picture: \.png \.svg \.pdf$"):
        check_series("x.GIF", series=False)
    check_series("x.png", series=False)
    check_series("x.gif", series=True)
    with pytest.raises(UsageError, match="found frames; request them"):
        figure_of([laws((1, 2, 3))])
