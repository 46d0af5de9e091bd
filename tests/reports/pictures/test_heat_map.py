"""The heat map of coupling: its numbers, its colours, its names."""

from dataclasses import replace

import numpy as np
import pytest

import weightscope as ws
from tests.analyses.depth.coupled import llama
from weightscope.columns import Panel
from weightscope.reports.pictures import figure_of


def panel(names, sets, rho, family, title="means"):
    """A panel of a symmetric matrix."""
    values = {"names": names, "sets": sets, "max_rho": rho, "family": family}
    return Panel(title, "coupling", values=values)


def test_colours_begin_at_the_family_point():
    """(rho - family) / (1 - family), at least 0; cells without a pair are empty."""
    rho = np.array([[np.nan, 0.7, np.nan], [0.7, np.nan, np.nan], [np.nan, np.nan, np.nan]])
    family = np.full((3, 3), 0.4)
    rho[1, 2] = rho[2, 1] = 0.2
    figure = figure_of([panel(("a.rows", "b.cols", "$x$\x1b"), ("heads",) * 3, rho, family)])
    ax = figure.axes[0]
    drawn = ax.collections[0].get_array()
    assert drawn[0, 1] == pytest.approx(0.5)
    assert drawn[1, 2] == 0
    assert drawn.mask[0, 2]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a.rows", "b.cols", r"$x$\x1b"]
    texts = [text.get_text() for text in ax.texts]
    assert sorted(texts) == [".20", ".20", ".70", ".70", "heads"]


def test_numbers_of_the_report_are_those_of_the_panels():
    """Every row is a cell, on both sides of the diagonal; means and scales are two maps."""
    report = ws.depth(llama(layers=2), coupling=True)
    assert sorted(one.title for one in report.panels) == ["means", "scales"]
    cells = 0
    for one in report.panels:
        values = one.values
        place = {
            name: i for i, name in enumerate(zip(values["sets"], values["names"], strict=True))
        }
        for row in report.rows:
            if row["of"] == one.of["of"]:
                i, j = (place[row["index_set"], row[side]] for side in "ab")
                assert values["max_rho"][i, j] == values["max_rho"][j, i] == row["max_rho"]
                assert values["family"][i, j] == row["max_rho_family_95"]
                cells += 2
        assert list(values["sets"]) == sorted(values["sets"], key="residual heads mlp_hidden".find)
    assert cells == sum(np.isfinite(one.values["max_rho"]).sum() for one in report.panels)


def test_many_vectors_and_many_maps():
    """The first 80 vectors and 8 maps are drawn, with the number of the others."""
    count = 90
    rho = np.full((count, count), 0.5)
    names = tuple(f"{i}.rows" for i in range(count))
    large = panel(names, ("residual",) * count, rho, rho)
    (ax, _) = figure_of([large]).axes
    assert ax.get_xlabel() == "10 more vectors"
    assert len(ax.get_xticklabels()) == 80
    small = panel(names[:2], ("residual",) * 2, rho[:2, :2], rho[:2, :2])
    figure = figure_of([small] * 9)
    assert len(figure.axes) == 9
    assert figure.get_suptitle() == "the first 8 of 9 panels"


def test_means_are_drawn_before_scales():
    """Of each model, in the order of the models, whatever the order of the rows."""
    rho = np.full((2, 2), 0.5)
    kinds = [("b", "scales"), ("a", "means"), ("b", "means"), ("a", "scales")]
    panels = [
        replace(
            panel(("x", "y"), ("heads",) * 2, rho, rho, f"{source}: {of}"),
            of={"source": source, "stack": None, "of": of},
        )
        for source, of in kinds
    ]
    titles = [ax.get_title(loc="left") for ax in figure_of(panels).axes[:4]]
    assert titles == ["b: means", "b: scales", "a: means", "a: scales"]
