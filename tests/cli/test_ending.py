"""The shared ending.

The picture shows the rows that the report shows, and what it lacks is said.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from weightscope.reports import report
from weightscope.reports.pictures import blank, settings


@pytest.fixture
def mixed(tmp_path):
    """Three matrices, one of them constant, and a type that cannot be measured."""
    rng = np.random.default_rng(0)
    name = "layers.{}.mlp.up_proj.weight".format
    values = {name(i): rng.normal(0, 0.01 * (i + 1), (40, 30)).astype(np.float32) for i in range(2)}
    values |= {name(2): np.ones((40, 30), np.float32), "z.phase": np.ones((2, 2), np.complex64)}
    path = tmp_path / "mixed.safetensors"
    save_file(values, path)
    return str(path)


NAMED = r"<!-- (layers\.\d|mlp|z|nothing)[^>]* -->"


def drawn(picture):
    """The titles of an SVG's panels, in order; matplotlib names in a comment the text it draws."""
    return re.findall(NAMED, picture.read_text())


def named(figure, path):
    """Saves the titles of a figure's panels, as an SVG has them."""
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.axison]
    Path(path).write_text("".join(f"<!-- {title} -->" for title in titles))


@pytest.mark.parametrize(
    ("view", "titles"),
    [
        ([], ["layers.0", "layers.1"]),
        (["--sort=-std"], ["layers.1", "layers.0"]),
        (["--sort=-std", "--limit", "1"], ["layers.1"]),
        (["--where", "std < 0.015 or std == 0"], ["layers.0"]),
        (["--long", "--where", "law == 'laplace'", "--sort=-tensor"], ["layers.1", "layers.0"]),
        (["--by", "role", "--sort=-role"], ["mlp"]),
        (["--where", "std > 100"], ["nothing"]),
        (["--limit", "0"], ["nothing"]),
    ],
    ids=lambda x: " ".join(x) if x and x[0].startswith("-") else "",
)
def test_the_picture_has_the_rows_of_the_report(
    weightscope, mixed, tmp_path, monkeypatch, view, titles
):
    """The same rows in the same order.

    One page with panels is a true SVG, and so are those with nothing to draw.
    """
    if view and titles != ["nothing"]:
        monkeypatch.setattr(report, "save_picture", named)
    done = weightscope("fit", mixed, "--plot", tmp_path / "p.svg", *view)
    assert done.code == 0
    assert drawn(tmp_path / "p.svg") == titles


def test_what_is_not_in_the_picture_is_said(weightscope, mixed, tmp_path, monkeypatch):
    """A constant and what could not be measured, where they are shown.

    Never with --quiet, or without --plot. Pictures are blank: it follows from the rows.
    """
    monkeypatch.setattr(report, "figure_of", lambda panels: blank())
    plot = ("fit", mixed, "--columns", "tensor", "--plot", tmp_path / "p.png")
    constant = "no picture of layers.2.mlp.up_proj.weight: one distinct value\n"
    assert weightscope(*plot).err == f"{constant}no picture of z.phase: not measured\n"
    assert weightscope(*plot, "--where", "layer == 2").err == constant
    assert weightscope(*plot, "--where", "layer == 1").err == ""
    assert weightscope(*plot, "--limit", "0").err == "nothing to draw: no row is shown\n"
    assert weightscope(*plot, "--quiet").err == ""
    assert weightscope("fit", mixed, "--columns", "tensor").err == ""


def test_settings_are_loaded_before_the_work(weightscope, tmp_path, monkeypatch):
    """matplotlib is loaded, without the files of the folder, before the source is opened."""
    loads = []
    monkeypatch.setattr(settings, "load", lambda: loads.append(True))
    assert weightscope("fit", "none.pt", "--plot", tmp_path / "p.png").code == 3
    assert weightscope("fit", "none.pt").code == 3
    assert loads == [True]
