"""The picture of compare: bars of relative change over the laws of A, B and their difference."""

from dataclasses import replace

import numpy as np
import pytest

from tests.reports.pictures.placing import box_of, place
from weightscope.columns import Curve, Panel
from weightscope.reports.pictures import figure_of, save_picture
from weightscope.reports.pictures.relative import chart_of
from weightscope.reports.pictures.roles import colours

X = np.linspace(-4.0, 4.0, 41)
Y = np.exp(-X * X / 2) / 2.5066
NOTHING = np.zeros(0)


def panel(role="attn.q", layer=0, delta=0.5, norm_a=1.0, stack="", title="w", curves=True):
    """A pair at a place with its norms; the law of B - A has no points where nothing changed."""
    values = {
        "stack": stack,
        "layer": layer,
        "role": role,
        "norm_a": norm_a,
        "delta_fro": delta,
    }
    laws = (
        Curve("A", X, Y),
        Curve("B: std 2", X * 2, Y / 2),
        Curve("B - A: relative 0.5", X / 2, Y * 2) if delta else Curve("B - A", NOTHING, NOTHING),
    )
    return Panel(
        title, "change", "weight / sigma of A", "density", laws if curves else (), values=values
    )


def bars(panels):
    """The axes of the bars: drawn last."""
    return figure_of(panels).axes[-1]


def heights(ax):
    """The heights of the bars of each role."""
    return {
        patch.get_label(): [float(y) for y in patch.get_data().values if not np.isnan(y)]
        for patch in ax.patches
    }


def legend(figure, number=0):
    return [text.get_text() for text in figure.legends[number].get_texts()]


def test_a_bar_is_the_ratio_of_norms_over_its_tensors():
    """Squares add up, ratios do not; roles of other layers have bars of their own."""
    ax = bars(
        [
            panel("norm", 0, 3.0, 1.0),
            panel("norm", 0, 4.0, 7.0),
            panel("norm", 1, 1.0, 2.0),
            panel("attn.q", 1, 3.0, 2.0),
        ]
    )
    assert heights(ax) == {"attn.q": [1.5], "norm": [pytest.approx(5 / np.sqrt(50)), 0.5]}


def test_groups_are_the_layers_in_order_and_those_outside_last():
    """Whatever the order of the panels; roles have one order in every group."""
    panels = [panel("head", None), *(panel(role, 10) for role in ("norm", "mlp.up", "attn.q"))]
    ax = bars([*panels, panel("attn.q", 2)])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["outside", "2", "10"]
    assert ax.get_xticks().tolist() == sorted(ax.get_xticks())[2:] + sorted(ax.get_xticks())[:2]
    edges = {patch.get_label(): patch.get_data().edges.tolist() for patch in ax.patches}
    lefts = sorted((edge[-2], role) for role, edge in edges.items())
    assert [role for _, role in lefts] == ["attn.q", "mlp.up", "norm", "head"]


def test_stacks_have_layers_of_their_own():
    """Equal layers of two towers are two groups, each tower with its name."""
    ax = bars([panel(layer=i, stack=s) for s in ("encoder", "decoder") for i in (0, 1)])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "0", "1"]
    assert [text.get_text() for text in ax.texts] == ["decoder layer", "encoder layer"]
    assert len(heights(ax)["attn.q"]) == 4
    many = bars([panel(layer=0, stack=f"tower{i:02}", curves=False) for i in range(30)])
    names = [text.get_text() for text in many.texts]
    assert names[:2] == ["tower00 layer", "tower06 layer"]  # as many as fit


def test_zero_is_visible():
    """An unchanged tensor is a dot, one of |A| = 0 a cross, both at the foot and counted."""
    figure = figure_of(
        [
            panel(layer=0),
            panel(layer=1, delta=0.0),
            panel(layer=2, norm_a=0.0),
            panel(layer=3, delta=0.0, norm_a=0.0),
        ]
    )
    dots, crosses = figure.axes[-1].lines[:2]
    assert (dots.get_marker(), dots.get_xdata().tolist()) == ("o", [2, 6])
    assert (crosses.get_marker(), crosses.get_xdata().tolist()) == ("x", [4])
    assert not any((*dots.get_ydata(), *crosses.get_ydata()))
    assert legend(figure, 1) == ["attn.q", "2 unchanged", "1 with A = 0"]


def test_many_bars_are_pooled_by_their_first_word_then_altogether():
    """A bar never gets too thin, and colours never too many."""

    def roles(names, layers, wide):
        chart = chart_of([panel(name, i) for name in names for i in range(layers)], wide)
        assert len(chart) == layers
        return list(chart[0, 0] if (0, 0) in chart else chart["", 0])

    names = ("attn.q", "attn.k", "mlp.up")
    assert roles(names, 10, 6.0) == list(names)
    assert roles(names, 120, 6.0) == ["attn", "mlp"]
    assert roles(names, 400, 6.0) == ["all roles"]
    assert roles([f"ssm.{i}" for i in range(12)], 2, 6.0) == [f"ssm.{i}" for i in range(12)]
    assert roles([f"ssm.{i}" for i in range(13)], 2, 6.0) == ["ssm"]


def test_roles_of_a_block_have_shades_of_its_hue():
    """All of a page differ; a role alone has the middle of its hue."""
    roles = ["embed", "attn.q", "attn.k", "attn.o", "mlp.up", "mlp.down", "moe.router", "ssm.a"]
    shades = colours(roles)
    assert len(set(shades.values())) == len(roles)
    assert all(shades[role][2] > shades[role][0] for role in ("attn.q", "attn.k", "attn.o"))
    assert all(shades[role][2] < shades[role][0] for role in ("mlp.up", "mlp.down", "moe.router"))
    assert colours(["attn.q"])["attn.q"] == pytest.approx((0, 0x72 / 255, 0xB2 / 255))


def test_laws_are_drawn_of_what_changed():
    """Beside changed pairs the others are bars alone; where nothing changed all laws are drawn."""
    changed, unchanged = panel(title="changed"), panel(layer=1, delta=0.0, title="unchanged")
    titles = [ax.get_title(loc="left") for ax in figure_of([unchanged, changed]).axes]
    assert titles == ["changed", ""]
    figure = figure_of([unchanged, unchanged])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["unchanged", "unchanged"]
    assert legend(figure) == ["A", "B"]


def test_three_laws_differ_in_colour_and_form():
    """An area, a line and dashes, with their words in their colours and one legend."""
    figure = figure_of([panel()])
    (ax,) = figure.axes
    outline, b, d = ax.lines
    (area,) = ax.collections
    assert (area.get_label(), b.get_label(), d.get_label()) == ("A", "B", "B - A")
    assert (b.get_linestyle(), d.get_linestyle()) == ("-", "--")
    assert len({line.get_color() for line in (outline, b, d)}) == 3
    words = [(text.get_text(), text.get_color()) for text in ax.texts]
    assert words == [("std 2", b.get_color()), ("relative 0.5", d.get_color())]
    assert legend(figure) == ["A", "B", "B - A"]


def test_every_law_is_drawn_on_the_same_axes():
    """In units of A's sigma; a narrow law stands on the axis."""
    spike = Curve("B - A: relative 0.001", X / 1000, Y * 1000)
    narrow = Panel("n", "change", curves=(*panel().curves[:2], spike))
    axes = figure_of([panel(), narrow]).axes
    assert {(*ax.get_xlim(), ax.get_ylim()) for ax in axes} == {(-8, 8, axes[0].get_ylim())}
    drawn = axes[1].lines[-1]
    assert drawn.get_ydata()[[0, -1]] == pytest.approx([axes[0].get_ylim()[0]] * 2)


def test_a_pair_alone_has_no_bar_unless_it_has_no_law():
    """Its relative change is a word in its panel; a page always shows something."""
    assert len(figure_of([panel()]).axes) == 1
    lone = figure_of([replace(panel(curves=False), note="A is constant")])
    assert heights(lone.axes[0]) == {"attn.q": [0.5]}


@pytest.mark.usefixtures("most_are_two")
def test_too_many_laws_are_counted_and_all_bars_drawn():
    """The figure names how many laws there are; bars have room for all."""
    figure = figure_of([panel(layer=i) for i in range(5)])
    assert len(figure.axes) == 3
    assert figure.get_suptitle() == "the first 2 of 5 panels"
    assert len(heights(figure.axes[-1])["attn.q"]) == 5


@pytest.mark.parametrize("layers", [1, 33, 200])
def test_numbers_of_layers_do_not_touch(layers):
    """Each second, fifth or tenth where there are many, none on `outside`, all on the page."""
    names = ("embed", "norm", "ssm.$x_{1$\x1b\n<b>" * 9)
    figure = figure_of(
        [
            *(panel("attn.q", i, stack="s" * 400, curves=False) for i in range(layers)),
            *(panel(name, None, curves=False) for name in names),
        ][-230:]
    )
    everything = place(figure)
    assert min(everything.x0, everything.y0) >= 0
    assert everything.x1 <= figure.get_figwidth()
    ax = figure.axes[-1]
    boxes = [box_of(text) for text in (*ax.get_xticklabels(), *ax.texts)]
    assert len(boxes) > 2
    assert not [a for i, a in enumerate(boxes) if any(a.overlaps(b) for b in boxes[:i])]


@pytest.fixture(scope="module")
def twice():
    """Two figures of equal panels, by the names of their files."""
    name = "$x_{1$ \x1b\n<b>"
    panels = [panel(name, i, stack=name, title=name, curves=not i) for i in (0, 1)]
    return {file: figure_of(panels) for file in ("a", "b")}


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_same_bytes_twice_and_names_are_text(tmp_path, twice, suffix):
    """No date, no random id; names with $ or control characters are drawn as they are."""
    for file, figure in twice.items():
        save_picture(figure, tmp_path / f"{file}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
