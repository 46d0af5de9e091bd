"""The page of every picture.

All words on the figure, none on another's title, and numbers at every axis.
"""

from itertools import combinations, product

import pytest
from matplotlib.text import Text

from tests.reports.pictures.pages import (
    LONG,
    MAKERS,
    change,
    density,
    outliers,
    page_of,
    placed,
    spectrum,
)
from tests.reports.pictures.placing import box_of, box_of_all, place
from weightscope.reports.pictures import PICTURES, blank, figure_of

# Heat maps have a bar of colours in place of a legend, and a test of their own.
LEGENDS = {kind: make for kind, make in MAKERS.items() if kind != "coupling"}
EACH = pytest.mark.parametrize("make", LEGENDS.values(), ids=LEGENDS)


def on_the_page(figure, everything) -> None:
    """Everything that is drawn lies on the figure: titles, labels, numbers, legend, curves."""
    wide, high = figure.get_size_inches()
    assert everything.x0 >= 0
    assert everything.y0 >= 0
    assert everything.x1 <= wide
    assert everything.y1 <= high


def words(figure):
    """The boxes of the titles, the legend and the words at the edges of the figure.

    In pixels, by what they say.
    """
    found = [ax._left_title for ax in figure.axes if ax.axison]
    found += [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    return [(t.get_text(), box_of(t)) for t in found if t.get_text()]


def test_every_picture_is_looked_at() -> None:
    """A picture that joins the list joins these tests."""
    assert set(PICTURES) <= set(MAKERS)


@pytest.mark.parametrize(("kind", "count"), [*product(LEGENDS, (1, 5)), ("density", 7)])
def test_all_words_stand_on_the_page(kind, count) -> None:
    """With long names; no title, legend or label of the page lies on another.

    Two panels are on the pages of the next test.
    """
    figure, everything = page_of(kind, count)
    on_the_page(figure, everything)
    found = words(figure)
    assert len(found) >= count + 2
    assert not [(a[0], b[0]) for a, b in combinations(found, 2) if a[1].overlaps(b[1])]


@EACH
@pytest.mark.usefixtures("most_are_two")
def test_the_title_of_a_page_stands_on_it(make) -> None:
    """How many panels there are: between the legend and the panels."""
    figure, everything = placed([make(LONG.format(i)) for i in range(13)])
    on_the_page(figure, everything)
    found = words(figure)
    title = next(box for text, box in found if text == "the first 2 of 13 panels")
    legend = [box_of(t) for t in figure.legends[0].get_texts()]
    assert figure.bbox.y1 > max(box.y1 for box in legend)
    assert min(box.y0 for box in legend) > title.y1
    titles = [ax._left_title for ax in figure.axes if ax.get_title(loc="left")]
    assert title.y0 > max(box_of(text).y1 for text in titles)
    assert not [(a[0], b[0]) for a, b in combinations(found, 2) if a[1].overlaps(b[1])]


@pytest.mark.parametrize("kind", ["density", "depth", "maps"])
def test_everything_is_where_a_drawing_has_it(kind) -> None:
    """These tests look at pages that are not drawn."""
    figure, everything = page_of(kind, 1)
    texts = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]
    places = [box_of(text).extents.tolist() for text in texts]
    figure.draw_without_rendering()
    assert [box_of(text).extents.tolist() for text in texts] == places
    assert box_of_all(figure).extents.tolist() == everything.extents.tolist()


def test_a_page_without_panels_has_its_words() -> None:
    """`nothing to draw`, on the figure."""
    figure = blank()
    on_the_page(figure, place(figure))
    assert [text for text, _ in words(figure)] == ["nothing to draw"]


def ticks(axis):
    """Places and texts of the numbers at an axis that lie in its view."""
    low, high = sorted(axis.get_view_interval())
    shown = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
    texts = [t.label1.get_text() or t.label2.get_text() for t in shown]
    places = [float(f"{t.get_loc():.6g}") for t in shown]
    return places, [text.replace("$\\mathdefault{", "").rstrip("}$") for text in texts]


def powers(*exponents):
    """Powers of ten and how a logarithmic axis writes them."""
    return [float(f"1e{e}") for e in exponents], [f"10^{{{e}" for e in exponents]


def axes_of(*panels):
    """The axes of a figure with the numbers that drawing would make; nothing else has its place."""
    axes = figure_of(panels).axes
    for ax in axes:
        ax.get_xticklabels(), ax.get_yticklabels()
    return axes


@pytest.mark.parametrize(
    ("far", "expected"),
    [
        (3.0, [-8, -4, 0, 4, 8]),
        (12.5, [-10, -5, 0, 5, 10]),
        (22.0, [-20, -10, 0, 10, 20]),
        (60.0, [-40, -20, 0, 20, 40]),
    ],
)
def test_numbers_of_densities(far, expected) -> None:
    """Steps of 4, 5, 10 or 20 sigma, as far as the axis goes; every second power of ten upwards."""
    (ax,) = axes_of(density(far=far))
    assert ticks(ax.xaxis) == (expected, [str(x).replace("-", "−") for x in expected])
    assert ticks(ax.yaxis) == powers(-6, -4, -2, 0)


def test_numbers_of_a_high_density() -> None:
    """The axis goes as far as the peak."""
    (peak,) = axes_of(density(top=300.0))
    assert ticks(peak.yaxis) == powers(-6, -4, -2, 0, 2)


def test_numbers_of_spectra() -> None:
    """Left: halves in the bulk and round numbers beyond its edge; right: powers of ten."""
    left, right = axes_of(spectrum())
    assert ticks(left.xaxis) == ([0, 0.5, 1, 2, 5], ["0", "0.5", "1", "2", "5"])
    assert ticks(left.yaxis) == ([0, 0.5, 1], ["0.0", "0.5", "1.0"])
    assert ticks(right.xaxis) == powers(-1, 0, 1)
    assert ticks(right.yaxis) == powers(0, -1, -2)
    left, right = axes_of(spectrum(far=400.0, least=1e-5))
    assert ticks(left.xaxis)[1] == ["0", "0.5", "1", "2", "5", "10", "20"]
    assert ticks(right.yaxis) == powers(0, -1, -2, -3, -4, -5)


@pytest.mark.parametrize(
    ("far", "expected"),
    [
        (6.0, [1, 2, 5]),
        (175.0, [1, 2, 5, 10, 20, 50, 100, 200]),
        (30_000.0, [1, 10, 100, 1000, 10_000]),
    ],
)
def test_numbers_of_tails(far, expected) -> None:
    """1, 2 and 5 of every decade, 1 alone where there are many.

    Powers of ten below 1, every second of many.
    """
    (ax,) = axes_of(outliers(far=far))
    assert ticks(ax.xaxis) == (expected, [f"{x:g}" for x in expected])
    assert ticks(ax.yaxis) == powers(0, -1, -2, -3, -4, -5)


def test_numbers_of_small_shares() -> None:
    """Every second power of ten."""
    (ax,) = axes_of(outliers(least=1e-9))
    assert ticks(ax.yaxis) == powers(0, -2, -4, -6, -8)


def test_numbers_of_maps() -> None:
    """Whole rows and columns; round distances beside the colours.

    The highest count of each margin.
    """
    _, ax, colours, above, beside = axes_of(outliers(shape=(300, 1000)))
    assert ticks(ax.xaxis) == ([0, 200, 400, 600, 800], ["0", "200", "400", "600", "800"])
    assert ticks(ax.yaxis)[1] == ["0", "100", "200"]
    assert ticks(colours.yaxis) == ([10, 20, 50, 100], ["10", "20", "50", "100"])
    assert (ticks(above.xaxis), ticks(above.yaxis)) == (([], []), ([999], ["999"]))
    assert (ticks(beside.yaxis), ticks(beside.xaxis)) == (([], []), ([299], ["299"]))
    for z, expected in (((6.7, 6.2, 6.0), ["6", "6.7"]), ((6.7, 6.2, 6.1), ["6.7"])):
        _, _, colours, *_ = axes_of(outliers(shape=(300, 1000), z=z))
        assert ticks(colours.yaxis)[1] == expected


@pytest.mark.parametrize(
    ("std", "expected"),
    [
        (1.0, [-4, -2, 0, 2, 4]),
        (3.0, [-10, -5, 0, 5, 10]),
        (9.9, [-20, 0, 20]),
        (30.0, [-100, -50, 0, 50, 100]),
    ],
)
def test_numbers_of_changes(std, expected) -> None:
    """Round numbers of sigma to both sides, as far as half of the panels go, or 40.

    Every second power of ten.
    """
    (ax,) = axes_of(change(std=std))
    assert ticks(ax.xaxis)[0] == expected
    assert ticks(ax.yaxis) == powers(0, -2, -4) if std < 3 else powers(0, -2, -4, -6)


def test_one_wide_change_is_cut() -> None:
    """The axes go on for half of the panels at most."""
    several = axes_of(*[change(std=1.0)] * 2, change(std=30.0))
    assert several[0].get_xlim() == (-40, 40)


@pytest.mark.parametrize(
    ("deltas", "scale", "expected"),
    [
        ((0.5, 1.0), "linear", [0, 0.5, 1]),
        ((0.5, 0.0), "linear", [0, 0.2, 0.4]),
        ((0.0, 0.0), "linear", [0, 1]),
        ((0.5, 2e-3), "log", [1e-3, 1e-2, 1e-1]),
        ((0.5, 1e-12), "log", [1e-9, 1e-7, 1e-5, 1e-3, 1e-1]),
    ],
)
def test_numbers_of_bars(deltas, scale, expected) -> None:
    """Logarithmic only where bars differ a hundredfold, then eight decades at most."""
    *_, ax = axes_of(*(change(layer=i, delta=delta) for i, delta in enumerate(deltas)))
    assert ax.get_yscale() == scale
    assert ticks(ax.yaxis)[0] == pytest.approx(expected)
    assert ticks(ax.xaxis)[1] == ["0", "1"]


@pytest.mark.parametrize(("kind", "count"), [*product(MAKERS, (1, 5))])
def test_every_axis_has_two_numbers(kind, count) -> None:
    """Whatever the panels; margins of a map have their highest count alone."""
    for ax in page_of(kind, count)[0].axes:
        margin = not ax.get_ylabel() and any(
            len(axis.get_major_ticks()) == 0 for axis in (ax.xaxis, ax.yaxis)
        )
        for axis in (ax.xaxis, ax.yaxis) if ax.axison and not margin else ():
            places, texts = ticks(axis)
            assert len(places) >= 2, (axis, ax.get_title(loc="left"))
            assert len(set(texts)) == len(texts) or not any(texts)
