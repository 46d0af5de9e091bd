"""The pictures of fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws


def drawn(values):
    return ws.fit({"w": torch.as_tensor(values)}).panels[0]


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (torch.full((4, 4), 0.5), "one distinct value"),
        (torch.zeros(4, 4), "one distinct value"),
        (torch.full((4, 4), float("nan")), "no finite value"),
        (torch.zeros(0, 4), "no finite value"),
        (torch.zeros(4, 4, dtype=torch.complex64), "not measured"),
    ],
    ids=str,
)
def test_what_has_no_density_says_why(values, note) -> None:
    """Whatever has no picture is reported."""
    panel = drawn(values)
    assert (panel.curves, panel.note, panel.of, panel.title) == ((), note, {"tensor": "w"}, "w")


def test_panels_are_tied_to_their_rows(tmp_path) -> None:
    """Identified by tensor name or group keys, and by the model if several; one for all laws."""
    rng = np.random.default_rng(0)
    model = {
        f"model.layers.{i}.mlp.up_proj.weight": torch.as_tensor(rng.normal(size=(40, 30)))
        for i in range(2)
    }
    model["model.norm.weight"] = torch.as_tensor(rng.normal(size=50))
    other = tmp_path / "other.safetensors"
    save_file(
        {"model.layers.7.mlp.up_proj.weight": torch.as_tensor(rng.normal(size=(8, 9)))}, other
    )
    for options in ({}, {"long": True}, {"by": "role"}, {"by": "layer"}, {"by": "model"}):
        for models in ((model,), (model, other)):
            report = ws.fit(*models, **options)
            matches = [
                {i for i, row in enumerate(report.rows) if p.of.items() <= row.items()}
                for p in report.panels
            ]
            assert all(matches)
            assert sorted(i for found in matches for i in found) == list(range(len(report.rows)))
    assert [p.title for p in ws.fit(model, by="role").panels] == ["mlp.up matrix", "norm"]
    assert [p.title for p in ws.fit(model, by="layer").panels] == [
        "layer 0 matrix",
        "layer 1 matrix",
        "norm",
    ]
    assert ws.fit(model, other).panels[2].title == "memory: model.norm.weight"


def test_the_best_law_lies_over_the_weights() -> None:
    """The third curve is the law that `best` names, evaluated where the weights are counted."""
    values = np.random.default_rng(0).laplace(size=40_000).astype(np.float32)
    panel = drawn(values)
    _, gauss, best = panel.curves
    assert (gauss.label, best.label) == (
        "Gaussian",
        ws.fit({"w": torch.as_tensor(values)}).rows[0]["best"],
    )
    assert best.label == "laplace"
    assert np.interp(0.5, best.x, best.y) == pytest.approx(
        np.exp(-0.5 * np.sqrt(2)) / np.sqrt(2), rel=0.03
    )


def test_the_weights_of_the_picture_are_those_of_the_laws() -> None:
    """Zeros excluded from the fits are not drawn, as the label states: weights share its sigma."""
    x = np.random.default_rng(0).laplace(size=40_000).astype(np.float32)
    sparse, dense = drawn(np.where(np.arange(40_000) % 2, x, 0)), drawn(x[1::2])
    assert [c.label for c in sparse.curves] == [
        "weights: 50.0% zeros left out",
        "Gaussian",
        "laplace",
    ]
    assert dense.curves[0].label == "weights"
    for seen, alone in zip(sparse.curves, dense.curves, strict=True):
        assert seen.x == pytest.approx(alone.x)
        assert seen.y == pytest.approx(alone.y, rel=1e-6)


def test_zeros_of_a_lattice_stay() -> None:
    """A zero is a value like any other."""
    weights, *_ = drawn(
        np.round(3 * np.random.default_rng(0).standard_normal(40_000)).astype(np.int8)
    ).curves
    assert weights.label == "weights"
    assert weights.y[len(weights.y) // 2] > 0


def test_densities_stand_at_the_middle_of_their_bins_and_sum_to_one() -> None:
    """The grid is symmetric about zero in units of sigma."""
    panel = drawn(np.random.default_rng(1).normal(3.0, 0.1, 40_000).astype(np.float32))
    weights = panel.curves[0]
    assert weights.x == pytest.approx(-weights.x[::-1], abs=1e-9)
    assert float(weights.y.sum() * (weights.x[1] - weights.x[0])) == pytest.approx(1, abs=1e-3)
    assert len(panel.curves) == 2
