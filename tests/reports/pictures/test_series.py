"""How series over the layers are told apart, and what the legend explains."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.reports.pictures.layered import (
    READERS,
    WRITERS,
    joined,
    legend,
    lines,
    marked,
    numbers,
    roles,
)
from weightscope.reports.pictures import figure_of


def test_models_have_relative_depths_and_dashes():
    """One pattern of dashes for each model, in all panels; one look for each role."""
    two = []
    for source, layers in (("small", 6), ("large", 24)):
        two.append(roles(READERS[:2], layers, source=source, x=np.linspace(0, 1, layers)))
    figure = figure_of([joined(*two)] * 2)
    for ax in figure.axes:
        drawn = lines(ax)
        assert [line.get_linestyle() for line in drawn.values()] == ["-", "-", "--", "--"]
        assert drawn["small: attn.q"].get_color() == drawn["large: attn.q"].get_color()
        assert drawn["small: attn.q"].get_marker() == drawn["large: attn.q"].get_marker()
        assert numbers(ax.xaxis) == ["0", "0.25", "0.5", "0.75", "1"]
    assert legend(figure) == [["readers", "attn.q", "attn.k"], ["models", "small", "large"]]


def test_models_beyond_the_dashes_share_the_last():
    """The legend counts them."""

    def named(count):
        series = [roles(WRITERS[:1], source=f"m{i}") for i in range(count)]
        figure = figure_of([joined(*series)])
        patterns = {line._unscaled_dash_pattern for line in lines(figure.axes[0]).values()}
        words = [words for line in legend(figure)[1:] for words in line]
        return len(patterns), words[1:]

    def patterns_of(count):
        return [f"m{i}" for i in range(count)]

    assert named(6) == (6, patterns_of(6))
    assert named(9) == (6, [*patterns_of(5), "4 further models"])


def test_the_legend_groups_readers_writers_and_others():
    """Each sorted as roles are, then the mark of an outlier layer, if there is one."""
    given = roles(("norm", *WRITERS[::-1], *READERS[::-1]), outliers=(1,))
    figure = figure_of([given])
    assert legend(figure) == [
        ["readers", *READERS],
        ["writers", *WRITERS],
        ["others", "norm"],
        ["marks", "outlier layer"],
    ]
    (drawn,) = figure.legends
    headings = [text for text in drawn.get_texts() if text.get_fontweight() == "bold"]
    colours = ["#0072b2", "#d55e00", "#009e73", "#333333"]
    assert [text.get_color() for text in headings] == colours
    assert legend(figure_of([roles(("conv 1", "conv 2"))])) == [["roles", "conv 1", "conv 2"]]


def test_groups_have_hues_and_roles_shades_and_marks():
    """Readers are blue and filled, writers vermilion and hollow, others green strokes.

    In grey no two roles of a group are equally bright, and no two roles have the same mark.
    """
    names = (*READERS, *WRITERS, "conv", "conv 2", "norm")
    (ax,) = figure_of([roles(names)]).axes
    drawn = {label.removeprefix(": "): line for label, line in lines(ax).items()}
    for strongest, of_group in ((2, READERS), (0, WRITERS), (1, names[7:])):
        colours = [to_rgb(drawn[name].get_color()) for name in of_group]
        assert {int(np.argmax(colour)) for colour in colours} == {strongest}
        bright = sorted(float(np.dot(colour, (0.299, 0.587, 0.114))) for colour in colours)
        assert min(np.diff(bright)) > 0.05
    marks = [(line.get_marker(), line.get_markerfacecolor() == "white") for line in drawn.values()]
    assert len(set(marks)) == len(names)
    assert [name for name in names if drawn[name].get_markerfacecolor() == "white"] == [*WRITERS]
    assert {drawn[name].get_marker() for name in names[7:]} == {"x", "+", "1"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([f"ssm.{i}" for i in range(12)], [f"ssm.{i}" for i in range(10)]),
        ([f"ssm.{i}" for i in range(13)] + ["norm"], ["norm", "ssm: 13 series"]),
        ([f"conv[{i}]" for i in range(20)] + ["norm"], ["conv: 20 series", "norm"]),
        (
            [f"{stack} attn.{end}" for stack in "ab" for end in ("q[1]", "q[2]", "k", *"ghij")],
            ["a attn.q: 2 series", "b attn.q: 2 series"],
        ),
        (
            [f"{i} attn.{end}" for i in range(9) for end in "qk"],
            ["attn.q: 9 series", "attn.k: 9 series"],
        ),
        ([f"s{i}.a" for i in range(100)], ["100 series"]),
    ],
)
def test_many_roles_are_pooled(names, expected):
    """Without slots, then without stacks, then by their first word, then by their group."""
    figure = figure_of([roles(names)])
    words = {words for line in legend(figure) for words in line}
    assert set(expected) <= words
    drawn = lines(figure.axes[0]).values()
    assert len(drawn) == len(names)
    single = len(names) <= 12
    assert all(bool(marked(line)) == single for line in drawn)
    assert len({line.get_marker() for line in drawn}) == (8 if single else 1)
    assert len({line.get_color() for line in drawn}) == min(len(names), len(words) - 1)
    assert {line.get_linewidth() for line in drawn} == {1.2 if len(names) < 25 else 0.6}


def test_series_are_sorted_by_stack_role_and_slot():
    """As roles are, numbers of slots by size."""
    names = ["b attn.q", "conv[10]", "conv[2]", "a mlp.gate", "a attn.q[cross]", "a attn.q"]
    words = [words for line in legend(figure_of([roles(names)])) for words in line]
    assert words == [
        "roles",
        "conv[2]",
        "conv[10]",
        "a attn.q",
        "a attn.q[cross]",
        "a mlp.gate",
        "b attn.q",
    ]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("/m/a/x.pt", "/m/b/x.pt"), ["a/x", "b/x"]),
        (("/m/x.pt", "/m/x.gguf"), ["x.pt", "x.gguf"]),
        (("bge-v1.5", "bge-v2.5"), ["bge-v1.5", "bge-v2.5"]),
        (("hf://o/a", "hf://o/b"), ["a", "b"]),
        (("m", "m/n"), ["m", "m/n"]),
        ((".pt", "a.pt"), [".pt", "a.pt"]),
        (("/m/" + "a" * 60, "/m/b"), ["a" * 18 + "…" + "a" * 17, "b"]),
    ],
)
def test_the_legend_names_models_by_what_differs(sources, expected):
    """Without the folders and the ending of all; both ends of a long name."""
    series = [roles(WRITERS[:1], source=source) for source in sources]
    assert legend(figure_of([joined(*series)]))[1][1:] == expected


def test_equal_words_of_the_legend_are_numbered():
    """Names that differ in the letters that are cut."""
    names = [f"{'a' * 40}{i}{'b' * 40}" for i in range(3)]
    words = [words for line in legend(figure_of([roles(names)])) for words in line]
    assert len(set(words)) == 4
    assert [text[-4:] for text in words[2:]] == [" (2)", " (3)"]
