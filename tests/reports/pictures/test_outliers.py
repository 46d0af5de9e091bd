"""The picture of outliers.

Tails on the same axes, a map beside one tensor, words that do not collide.
"""

from functools import cache

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from tests.reports.pictures.placing import box_of, place
from weightscope.columns import Curve, Panel
from weightscope.reports.pictures import figure_of, save_picture


def panel(title="attn.q", far=6.0, least=1e-5, places=()):
    """A tail from 0.5 to `far` std, its law, and a map where there are places."""
    share = np.geomspace(1, least, 40)
    z = 0.5 * (far / 0.5) ** np.linspace(0, 1, 40)
    law = np.linspace(0.5, 4.5, 20)
    return Panel(
        title,
        "outliers",
        "|w - mean| / std",
        "share ≥ x",
        (
            Curve(f"weights: to {far:.3g} std", z, share, "points"),
            Curve("Gaussian: to 4.5 expected", law, np.exp(-law * law / 2)),
            *places,
        ),
    )


def mapped(shape=(300, 1000), z=(175.0, 40.0, 6.0), rows=None, cols=None):
    """The curves of a map: places on the diagonal.

    97 and 9 far in rows 2 and 3, 32 and 5 in columns 7 and 8.
    """
    at = np.arange(len(z))
    by_row, by_column = np.zeros(shape[0], int), np.zeros(shape[1], int)
    by_row[2:4], by_column[7:9] = (97, 9)[: shape[0] - 2], (32, 5)
    return (
        Curve("matrix", np.array((0, shape[1] - 1)), np.array((0, shape[0] - 1))),
        Curve(
            "largest weights" + ("" if len(z) else ": 256 or more are equally large"),
            at,
            at,
            "points",
        ),
        Curve("their |z|", at, np.array(z), "points"),
        Curve(
            "beyond 4 robust std by column",
            np.arange(shape[1]),
            by_column if cols is None else cols,
            "steps",
        ),
        Curve(
            "beyond 4 robust std by row",
            by_row if rows is None else rows,
            np.arange(shape[0]),
            "steps",
        ),
    )


def texts(figure):
    """The boxes of all words that are drawn, in pixels, by what they say."""
    place(figure)
    found = [
        t
        for ax in figure.axes
        for t in (
            *ax.texts,
            ax.title,
            ax._left_title,
            ax.xaxis.label,
            ax.yaxis.label,
            *within(ax.xaxis),
            *within(ax.yaxis),
        )
    ]
    found += figure.legends[0].get_texts()
    return [(t.get_text(), box_of(t)) for t in found if t.get_text() and t.get_visible()]


def within(axis):
    """The numbers of an axis that are drawn: those within its view."""
    low, high = sorted(axis.get_view_interval())
    return [
        label
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high
        for label in (tick.label1, tick.label2)
    ]


def steps(ax):
    """Heights and edges of the bars of a margin."""
    (drawn,) = ax.patches
    return drawn.get_data()


@cache
def with_map():
    """The figure of a panel with a map: none of the tests changes it."""
    return figure_of([panel(places=mapped())])


def dots(ax):
    return next(c for c in ax.collections if isinstance(c, PathCollection))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_tail_is_drawn_on_the_same_axes(count):
    """In the order of the panels, all data within."""
    panels = [panel(f"r{i}", far=5.0 + i, least=1e-4 / (1 + i)) for i in range(count)]
    axes = figure_of(panels).axes
    assert [ax.get_title(loc="left") for ax in axes] == [f"r{i}" for i in range(count)]
    assert len({(*ax.get_xlim(), *ax.get_ylim()) for ax in axes}) == 1
    assert (axes[0].get_xscale(), axes[0].get_yscale()) == ("log", "log")
    for found in panels:
        tail = found.curves[0]
        assert axes[0].get_xlim()[0] <= tail.x.min() <= tail.x.max() < axes[0].get_xlim()[1]
        assert axes[0].get_ylim()[0] < tail.y.min() <= tail.y.max() < axes[0].get_ylim()[1]


def test_axes_show_six_std_and_a_thousandth_at_least():
    """A few near weights do not make a picture of their own scale."""
    (ax,) = figure_of([panel(far=1.2, least=0.2)]).axes
    assert ax.get_xlim() == pytest.approx((0.5, 6.9))
    assert ax.get_ylim() == pytest.approx((5e-4, 2))


LONGEST = 30_000.0


@pytest.mark.parametrize(
    ("case", "far"),
    [(case, LONGEST) for case in ("one", "two", "five", "map", "equal", "two maps")]
    + [(case, far) for case in ("two", "map") for far in (6.0, 175.0)],
)
def test_words_stand_on_the_page_and_not_on_each_other(case, far):
    """With long names and every word there can be."""
    long = "base_model.model.model.layers.{}.self_attn.q_proj.base_layer.weight of memory"
    count = {"one": 1, "two": 2, "five": 5, "two maps": 2}.get(case, 1)
    places = {
        "map": mapped((30_522, 384), (far, 0.6)),
        "equal": mapped(z=()),
        "two maps": mapped(),
    }.get(case, ())
    figure = figure_of(
        [panel(long.format(i), far, least=1e-9, places=places) for i in range(count)]
    )
    boxes, page = texts(figure), figure.bbox
    assert len(boxes) > 8 * count
    for words, box in boxes:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, words
        assert page.y0 <= box.y0 < box.y1 <= page.y1, words
    for at, (words, box) in enumerate(boxes):
        assert not [(words, other) for other, b in boxes[:at] if b.overlaps(box)]


def test_words_of_a_panel_stand_in_their_plot_in_the_colour_of_their_curve():
    """How far the weights go, and how far a Gaussian would."""
    (ax,) = figure_of([panel(far=175)]).axes
    assert [t.get_text() for t in ax.texts] == ["to 175 std", "to 4.5 expected"]
    assert [t.get_color() for t in ax.texts] == ["#0072b2", "#555555"]


def test_a_map_has_its_rows_downwards():
    """The whole matrix, half a line around it, each weight at its place.

    Tail, map, colours and two margins.
    """
    _, ax, colours, above, beside = with_map().axes
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 999.5), (299.5, -0.5))
    assert np.asarray(dots(ax).get_offsets()).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert (above.get_xlim(), beside.get_ylim()) == (ax.get_xlim(), ax.get_ylim())
    assert colours.get_ylim() == pytest.approx((6, 175))
    assert (ax.get_xlabel(), ax.get_ylabel(), colours.get_title()) == ("column", "row", "|z|")


def test_further_weights_are_larger_and_darker():
    """By the logarithm of their distance."""
    figure = figure_of([panel(places=mapped(z=(160.0, 40.0, 10.0)))])
    seen = dots(figure.axes[1])
    seen.update_scalarmappable()  # as a drawing does
    sizes = seen.get_sizes()
    assert sizes[0] - sizes[1] == pytest.approx(sizes[1] - sizes[2])
    assert np.all(np.diff(sizes) < 0)
    light = np.asarray(seen.get_facecolor())[:, :3].sum(1)
    assert np.all(np.diff(light) > 0)


def test_margins_keep_their_highest_line():
    """More lines than bars: a bar shows the most of any.

    Every line of a small matrix has its own.
    """
    *_, above, beside = with_map().axes
    bars = [steps(ax) for ax in (above, beside)]
    assert [len(each.values) for each in bars] == [128, 128]
    assert bars[0].values.max() == above.get_yticks()[0] == 32
    assert bars[1].values.max() == beside.get_xticks()[0] == 97
    *_, above, beside = figure_of([panel(places=mapped((3, 10)))]).axes
    assert steps(above).values.tolist() == [0] * 7 + [32, 5, 0]
    assert (steps(beside).values.tolist(), steps(beside).edges.tolist()) == (
        [0, 0, 97],
        [-0.5, 0.5, 1.5, 2.5],
    )
    assert [ax.patches[0].orientation for ax in (above, beside)] == ["vertical", "horizontal"]


def test_what_a_map_lacks_is_not_drawn():
    """No line beyond: no margins. No place: words instead. No core: places alone."""
    none = mapped(rows=np.zeros(300, int), cols=np.zeros(1000, int))
    assert len(figure_of([panel(places=none)]).axes) == 3
    assert len(figure_of([panel(places=mapped()[:3])]).axes) == 3
    figure = figure_of([panel(places=mapped(z=())[:3])])
    assert [t.get_text() for t in figure.axes[1].texts] == ["256 or more are equally large"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["weights", "Gaussian"]


@pytest.mark.parametrize(
    ("z", "numbers"),
    [
        ((175.0, 4.0), ["5", "10", "20", "50", "100"]),
        ((2.85, 2.26), ["2.26", "2.85"]),
        ((3.0, 3.0), ["3"]),
    ],
)
def test_colours_have_numbers(z, numbers):
    """Round ones where there are two, else both ends, and one of equal weights."""
    colours = figure_of([panel(places=mapped(z=z))]).axes[2]
    assert [t.get_text() for t in colours.get_yticklabels()] == numbers


def test_one_legend_names_what_is_somewhere():
    """In one order, whichever panel has it."""

    def legend(*panels):
        return [text.get_text() for text in figure_of(panels).legends[0].get_texts()]

    assert legend(panel(), panel(places=mapped())) == [
        "weights",
        "Gaussian",
        "largest weights",
        "beyond 4 robust std, by row and column",
    ]
    assert legend(panel()) == ["weights", "Gaussian"]


@pytest.mark.usefixtures("most_are_two")
def test_too_many_panels_are_cut_and_said():
    """Beyond so many nothing is legible; the figure says how many there were."""
    figure = figure_of([panel(str(i)) for i in range(3)])
    assert len(figure.axes) == 2
    assert figure.get_suptitle() == "the first 2 of 3 panels"


@pytest.fixture(scope="module")
def twice():
    """Two figures of equal panels, by the names of their files."""
    return {
        name: figure_of([panel("$x_{1$ \x1b\n<b>", places=mapped((6, 10)))]) for name in ("a", "b")
    }


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_same_bytes_twice_and_names_are_text(tmp_path, twice, suffix):
    """No date, no random id; a title with $ or control characters is drawn as it is."""
    for name, figure in twice.items():
        save_picture(figure, tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
