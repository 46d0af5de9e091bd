"""The picture over depth: its numbers, its axis of layers, and its words."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tests.reports.pictures.layered import (
    MINILM,
    READERS,
    WRITERS,
    joined,
    lines,
    marked,
    numbers,
    panel,
    points,
    rings,
    roles,
)
from tests.reports.pictures.placing import box_of, place
from weightscope.columns import Panel
from weightscope.reports.pictures import figure_of, save_picture

HOSTILE = ("$x_{1$ \x1b\n<b>", "_", "W" * 400, "\u202e" * 90, "")


def test_numbers_of_series_are_drawn_in_their_panels():
    """A line per series at its layers, in the order of the panels."""
    panels = [roles(READERS, title="std"), roles(WRITERS, 4, title="beta", unit="")]
    axes = figure_of(panels).axes
    assert [ax.get_title(loc="left") for ax in axes] == ["std", "beta"]
    assert [ax.get_ylabel() for ax in axes] == ["weight", ""]
    for ax, given in zip(axes, panels, strict=True):
        assert len(lines(ax)) == len(given.curves)
        for curve in given.curves:
            assert points(lines(ax)[curve.label]) == list(zip(curve.x, curve.y, strict=True))


def test_outlier_layers_have_a_ring_and_a_mark():
    """Also where layers are so close that few have a mark."""
    (ax,) = figure_of([roles(READERS[:2], 200, outliers=(17, 101))]).axes
    assert len(rings(ax)) == 2
    for label, ring in rings(ax).items():
        line = lines(ax)[label]
        assert points(ring) == [points(line)[17], points(line)[101]]
        assert ring.get_markerfacecolor() == "none"
        assert {17.0, 101.0} <= set(marked(line))
        assert 5 < len(marked(line)) < 40


def test_every_layer_has_a_mark_where_there_is_room():
    """Of several series that have some marks only, no two begin with the same layer."""
    (ax,) = figure_of([roles(READERS, 24)]).axes
    assert [len(marked(line)) for line in lines(ax).values()] == [24] * 5
    (ax,) = figure_of([roles(READERS, 200)]).axes
    assert len({marked(line)[0] for line in lines(ax).values()}) == 5


@pytest.mark.parametrize(
    ("x", "breaks", "alone"),
    [
        ((0, 1, 2, 3), 0, 0),
        ((0, 1, 2, 5, 6), 1, 0),
        ((3, 7, 11, 15), 0, 0),
        ((0, 1, 2, 9, 20, 21), 2, 1),
        ((0, 10), 0, 0),
        ((4,), 0, 1),
    ],
)
def test_a_line_breaks_where_layers_are_missing(x, breaks, alone):
    """At gaps larger than the usual distance; a layer between two gaps is a mark."""
    given = panel({"attn.q": np.arange(len(x)) + 1.0}, x=x)
    (line,) = lines(figure_of([given, given, given]).axes[0]).values()
    assert int(np.sum(np.isnan(line.get_xdata()))) == breaks
    assert [layer for layer, _ in points(line)] == list(x)
    there = np.isfinite(np.concatenate(([np.nan], line.get_xdata(), [np.nan])))
    lonely = line.get_xdata()[there[1:-1] & ~there[:-2] & ~there[2:]]
    assert len(lonely) == alone
    assert set(lonely.tolist()) <= set(marked(line))


@pytest.mark.parametrize(("count", "layers"), [(1, 1), (1, 6), (1, 200), (2, 6), (5, 200), (13, 6)])
def test_layers_are_whole_numbers_on_one_axis(count, layers):
    """The same in all panels, written below the lowest of each column."""
    given = [roles(WRITERS, 1, title=str(i)) for i in range(count - 1)]
    axes = figure_of([*given, roles(WRITERS, layers)]).axes
    assert len({ax.get_xlim() for ax in axes}) == 1
    low, high = axes[0].get_xlim()
    assert low < 0 <= layers - 1 < high
    assert {tuple(ax.get_xticks()) for ax in axes} == {tuple(axes[0].get_xticks())}
    assert all(text.isdigit() for text in numbers(axes[0].xaxis))
    below = [ax for ax in axes if ax.get_xlabel() == "layer"]
    shown = [ax for ax in axes if ax.xaxis.get_tick_params()["labelbottom"]]
    assert below == shown
    assert len(shown) == len({ax.get_position().x0 for ax in axes})
    for column in {ax.get_position().x0 for ax in axes}:
        lowest = min(
            (ax for ax in axes if ax.get_position().x0 == column),
            key=lambda ax: ax.get_position().y0,
        )
        assert lowest in shown


def test_a_single_layer_is_a_point():
    """Also of a series that is one of many."""
    for count in (1, 20):
        (ax,) = figure_of([roles([f"conv {i}" for i in range(count)], 1)]).axes
        assert [marked(line) for line in lines(ax).values()] == [[0.0]] * count
        assert numbers(ax.xaxis) == ["0"]


def test_a_panel_without_series_has_its_note():
    """Beside others and alone; long notes are cut."""
    empty = Panel("beta", "depth", "layer", note="each layer has \x1b $x_{1$ " * 50)
    figure = figure_of([roles(READERS), empty])
    (note,) = figure.axes[1].texts
    assert note.get_text().startswith("each layer has \\x1b $x_{1$")
    assert note.get_text().endswith("…")
    assert figure.axes[1].get_xticks().tolist() == figure.axes[0].get_xticks().tolist()
    assert inside(note, figure.axes[1])
    alone = figure_of([replace(empty, note="no layers")])
    assert [text.get_text() for text in alone.axes[0].texts] == ["no layers"]
    assert not alone.legends


def inside(text, ax):
    """Whether a text lies on its axes."""
    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    box, plot = text.get_window_extent(renderer), ax.get_window_extent(renderer)
    return plot.x0 <= box.x0 and box.x1 <= plot.x1 and plot.y0 <= box.y0 and box.y1 <= plot.y1


def texts(figure):
    """The texts that are drawn, with their boxes in pixels."""
    place(figure)
    found = [*figure.texts, *(text for key in figure.legends for text in key.get_texts())]
    for ax in figure.axes:
        found += [ax._left_title, ax.xaxis.label, ax.yaxis.label]
        found += [tick.label1 for axis in (ax.xaxis, ax.yaxis) for tick in axis.get_major_ticks()]
    drawn = [text for text in found if text.get_visible() and text.get_text()]
    return [(text, box_of(text)) for text in drawn]


def of_models(count, *names):
    """A panel of models with hostile names."""
    panels = [roles(names, source=HOSTILE[i % 5] + str(i)) for i in range(count)]
    return joined(*panels)


CASES = {
    "layers": [roles(READERS[:3], 80, title=f"statistic_{i}") for i in range(3)],
    "scales": [
        panel({"attn.q": (*MINILM, -1e4)}, "kurtosis", "std"),
        panel({"attn.q": (*MINILM, -1e4)}, "kurtosis", "std"),
        panel({"attn.q": (-1e-7, 1.234e-7)}),
        panel({"attn.q": (99_990.0, 99_999.0)}),
        panel({"attn.q": (-0.0101, -0.0102)}),
        panel({"attn.q": (1e-300, 1e300)}),
    ],
    "small": [roles(WRITERS[:1], 80, title="effective_depth")] * 13,
    "names": [roles((*READERS, *HOSTILE), outliers=(1,))],
    "models": [of_models(9, "attn.q", "mlp.down", *HOSTILE)] * 2,
    "pooled": [roles([f"{name}{i}" for name in HOSTILE for i in range(4)])] * 3,
}


@pytest.mark.parametrize("case", CASES)
def test_words_are_legible_at_print_width_and_apart(case):
    """A page is 180 mm wide; all words are on it, of 7 points at least, none on another."""
    figure = figure_of(CASES[case])
    assert figure.get_figwidth() * 25.4 == pytest.approx(180)
    found = texts(figure)
    page = figure.bbox
    for text, box in found:
        assert text.get_fontsize() >= 7
        assert "$" not in text.get_text() or not text.get_parse_math()
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text.get_text()
    key = figure.legends[0].get_window_extent()
    assert key.y0 >= max(ax._left_title.get_window_extent().y1 for ax in figure.axes)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [each.title for each in CASES[case]]
    words = [(text.get_text(), box) for text, box in found]
    assert not [(a[0], b[0]) for a, b in combinations(words, 2) if a[1].overlaps(b[1])]


@pytest.mark.usefixtures("most_are_two")
def test_too_many_panels_are_cut_and_counted():
    """The figure names how many there are."""
    panels = [roles(WRITERS, title=str(i)) for i in range(3)]
    figure = figure_of(panels)
    assert len(figure.axes) == 2
    assert figure.get_suptitle() == "the first 2 of 3 panels"
    room = figure.get_figheight() - figure_of(panels[:2]).get_figheight()
    assert room == pytest.approx(0.26)


@pytest.fixture(scope="module")
def twice():
    """Two figures of equal panels, by the names of their files."""
    return {name: figure_of([of_models(2, *HOSTILE)]) for name in ("a", "b")}


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_same_bytes_twice_and_names_are_text(tmp_path, twice, suffix):
    """No date, no random id; names with $ or control characters are drawn as they are."""
    for name, figure in twice.items():
        save_picture(figure, tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
