"""The panels of depth hold the numbers of the rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from tests.analyses.depth.planted import transformer

STAT = ("std", "kurtosis")


@pytest.fixture
def model():
    """A reader with one wide layer, a writer with a gap, and norms."""
    sigmas = np.full(12, 0.02)
    sigmas[5] *= 3
    tensors = transformer({"attn.q": sigmas, "mlp.down": np.full(12, 0.02)}, seed=3)
    del tensors["model.layers.4.mlp.down_proj.weight"]
    norms = {f"model.layers.{i}.input_layernorm.weight": torch.rand(32) for i in range(12)}
    return tensors | norms


def test_a_line_per_series_and_rings_at_outliers(model):
    """In the order of the statistics; vectors are not drawn beside matrices."""
    report = ws.depth(model, stat=STAT)
    rows = ws.depth(model, stat=STAT, per_layer=True, panels=False).rows
    assert [panel.title for panel in report.panels] == list(STAT)
    for panel in report.panels:
        assert (panel.kind, panel.xlabel) == ("depth", "layer")
        assert panel.of == {"statistic": panel.title}
        assert panel.values == {
            "attn.q": {"source": "", "name": "attn.q", "group": "reader"},
            "mlp.down": {"source": "", "name": "mlp.down", "group": "writer"},
        }
        assert {curve.label for curve in panel.curves} == {"attn.q", "mlp.down"}
        for curve in panel.curves:
            points = [
                row for row in rows if (row["statistic"], row["role"]) == (panel.title, curve.label)
            ]
            if curve.style == "points":
                points = [row for row in points if row["outlier"]]
                assert points
            assert curve.x.tolist() == [row["layer"] for row in points]
            assert curve.y.tolist() == [row["value"] for row in points]
    std = report.panels[0]
    assert [curve.x.tolist() for curve in std.curves if curve.style == "points"] == [[5.0]]
    assert std.ylabel == "weight"


def test_several_models_share_the_relative_depth(model, tmp_path):
    """l/(L - 1) of each, so that networks of different depth lie over each other."""
    paths = [tmp_path / name for name in ("deep.safetensors", "shallow.safetensors")]
    save_file(model, paths[0])
    save_file(transformer({"attn.q": [0.02, 0.03, 0.04]}), paths[1])
    (panel,) = ws.depth(*paths, stat="std").panels
    assert panel.xlabel == "relative depth"
    lines = {curve.label: curve.x for curve in panel.curves if curve.style == "line"}
    assert lines[f"{paths[0]}: attn.q"] == pytest.approx(np.arange(12) / 11)
    assert lines[f"{paths[1]}: attn.q"].tolist() == [0, 0.5, 1]
    assert panel.values[f"{paths[1]}: attn.q"]["source"] == str(paths[1])


@pytest.mark.parametrize("chosen", [{"layers": "0-2"}, {"role": "mlp.down"}])
def test_a_selection_keeps_the_relative_depth(tmp_path, chosen):
    """L counts the layers of the model: the first three of twelve are its first quarter."""
    series = {"attn.q": np.full(12, 0.02), "mlp.down": np.full(3, 0.02)}
    paths = [tmp_path / name for name in ("a.safetensors", "b.safetensors")]
    for path in paths:
        save_file(transformer(series), path)
    (panel,) = ws.depth(*paths, stat="std", **chosen).panels
    lines = {curve.label: curve.x for curve in panel.curves}
    assert lines[f"{paths[0]}: mlp.down"] == pytest.approx(np.arange(3) / 11)


def test_vectors_are_drawn_where_nothing_else_is(model):
    """Chosen by their role."""
    (panel,) = ws.depth(model, stat="std", role="norm").panels
    assert list(panel.values.values()) == [{"source": "", "name": "norm[attn]", "group": "other"}]


def test_a_statistic_without_values_has_a_reason(model):
    """No gain of norms."""
    (panel,) = ws.depth(model, stat="gain", role="norm").panels
    assert (panel.curves, panel.note) == ((), "no layer has a value")


def test_panels_follow_the_rows_that_are_shown(model):
    """A view of kurtosis has one picture."""
    report = ws.depth(model, stat=STAT, where='statistic == "kurtosis"')
    assert [panel.title for panel in report.pictured] == ["kurtosis"]
