"""What outliers draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

import weightscope as ws
from weightscope.analyses.outliers.request import PLACES
from weightscope.reports.pictures import figure_of
from weightscope.statistics.elements.moments import BEYOND

RNG = np.random.default_rng(0)


def heavy(m=60, n=90):
    return RNG.standard_t(3, size=(m, n)).astype(np.float32)


def drawn(values):
    return ws.outliers({"w": torch.as_tensor(values)}).panels[0]


def curves(values):
    """The curves of a panel by the part of their label that names them."""
    return {curve.label.partition(":")[0]: curve for curve in drawn(values).curves}


def far(w):
    """|z| as numpy has it."""
    w = np.asarray(w, dtype=np.float64)
    return np.abs(w - w.mean()) / w.std()


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (torch.full((4, 4), 0.5), "one distinct value"),
        (torch.zeros(4, 4), "one distinct value"),
        (torch.full((4, 4), float("nan")), "no finite value"),
        (torch.zeros(0, 4), "no finite value"),
        (
            torch.tensor([1e200, -1e200, 1.0, 0.0], dtype=torch.float64),
            BEYOND.text,
        ),
        (
            torch.tensor([1e-200, 2e-200, 0.0, 0.0], dtype=torch.float64),
            BEYOND.text,
        ),
        (
            torch.randn(600, 600, generator=torch.Generator().manual_seed(0)) + 1000,
            "std too small relative to the mean: distances are not resolved",
        ),
        (torch.zeros(4, 4, dtype=torch.complex64), "not measured"),
    ],
    ids=["constant", "zero", "NaN", "empty", "too large", "too small", "one bin", "complex"],
)
def test_what_has_no_tail_says_why(values, note):
    """Nothing vanishes from a picture without a word."""
    found = drawn(values)
    assert (found.kind, found.title, found.of, found.curves) == (
        "outliers",
        "w",
        {"tensor": "w"},
        (),
    )
    assert found.note == note


@pytest.mark.parametrize(
    "kind", [torch.float32, torch.bfloat16, torch.float64, torch.int8], ids=str
)
def test_the_tail_is_the_share_at_least_as_far(kind):
    """Counted directly at each distance, with ties; the furthest weight is at `max_z`."""
    w = (torch.as_tensor(heavy()) * 3).to(kind)
    z = far(w.double().numpy())
    tail = curves(w)["weights"]
    assert tail.y == pytest.approx([(z >= x * (1 - 1e-9)).mean() for x in tail.x])
    assert tail.x[-1] == pytest.approx(z.max())
    assert np.all(np.diff(tail.x) > 0)
    assert tail.y[0] == pytest.approx(1)
    assert tail.label == f"weights: to {z.max():.3g} std"
    if kind is not torch.int8:
        assert tail.y[-10:] * z.size == pytest.approx(np.arange(10, 0, -1))


def test_weights_that_mirror_each_other_count_as_one_distance():
    """Of -1, -1, 0, 0, 0, 1, 1 four are as far as sqrt(7/4)."""
    tail = curves(torch.tensor([[-1.0, -1, 0, 0, 0, 1, 1]]))["weights"]
    assert tail.x == pytest.approx([0, np.sqrt(7 / 4)])
    assert tail.y == pytest.approx([1, 4 / 7])


def test_bins_end_at_the_furthest_weight():
    """Where cells are bins, distances are within 1/128, the furthest exact, and points stay few."""
    w = heavy(1100, 500)  # two tiles
    assert not ws.outliers({"w": torch.as_tensor(w)}).rows[0]["distinct"]
    z, tail = far(w), curves(w)["weights"]
    assert tail.x[-1] == pytest.approx(z.max(), rel=1e-6)
    assert len(tail.x) <= 200
    near = np.sort(z.ravel())[-np.maximum(1, np.round(tail.y * z.size).astype(int))]
    assert tail.x[tail.x > 1] == pytest.approx(near[tail.x > 1], rel=1 / 128)


def test_the_gaussian_beside_it_has_no_parameter():
    """2 (1 - Phi(z)), as far as the largest of so many goes on average."""
    law = curves(heavy())["Gaussian"]
    row = ws.outliers({"w": torch.as_tensor(heavy())}).rows[0]
    assert law.y == pytest.approx(2 * norm.sf(law.x))
    assert law.x[[0, -1]] == pytest.approx([0.5, row["max_z_null"]])
    assert law.label == f"Gaussian: to {row['max_z_null']:.3g} expected"


def test_no_scale_is_left():
    """Scaled and shifted weights give the same picture."""
    w = heavy().astype(np.float64)
    tail = curves(w)["weights"]
    for other in (w * 1e-30, w * -1e30, w + 7):
        found = curves(other)["weights"]
        assert (found.x, found.y) == (pytest.approx(tail.x), pytest.approx(tail.y))


def test_a_map_has_the_places_of_the_furthest_weights():
    """Rows and columns as numpy finds them, the furthest first, with their distances."""
    w = heavy()
    found, z = curves(w), far(w)
    order = np.argsort(-z.ravel())[: PLACES - 1]
    rows, cols = np.divmod(order, w.shape[1])
    places = found["largest weights"]
    assert (places.y.tolist(), places.x.tolist()) == (rows.tolist(), cols.tolist())
    assert found["their |z|"].y == pytest.approx(z[rows, cols])
    assert (found["matrix"].x.tolist(), found["matrix"].y.tolist()) == ([0, 89], [0, 59])


def test_margins_count_what_is_outside_the_core():
    """Weights further than 4 (iqr/1.349) from the median, by column and by row."""
    w = heavy()
    low, middle, high = np.percentile(w.astype(np.float64), [25, 50, 75])
    outside = np.abs(w - middle) > 4 * (high - low) / 1.349
    found = curves(w)
    assert found["beyond 4 robust std by column"].y.tolist() == outside.sum(0).tolist()
    assert found["beyond 4 robust std by row"].x.tolist() == outside.sum(1).tolist()
    assert outside.any()


def test_weights_of_which_some_would_be_left_out_are_all_left_out():
    """Clipped weights of equal size would show the first rows only; larger ones are drawn."""
    w = heavy().clip(-1, 1)
    places = curves(w)["largest weights"]
    assert places.label == "largest weights: 256 or more are equally large"
    assert len(places.x) == 0
    w[50, 80], w[3, 4] = 9, -8
    found = curves(w)
    assert found["largest weights"].y.tolist() == [50, 3]
    assert found["largest weights"].label == "largest weights"


def test_small_matrices_show_what_is_not_near_the_mean():
    """All of a small tensor except those within half a std, which a log scale cannot show."""
    found = curves(torch.tensor([[1.0, 2.0], [3.0, 2.0]]))
    assert sorted(
        zip(found["largest weights"].y.tolist(), found["largest weights"].x.tolist(), strict=True)
    ) == [(0, 0), (1, 0)]


def test_half_of_equal_weights_have_no_margins():
    """There is no robust scale; places need none."""
    w = torch.zeros(20, 20)
    w[3, 5], w[4, 6] = 2, -1
    found = curves(w)
    assert list(found) == ["weights", "Gaussian", "matrix", "largest weights", "their |z|"]
    assert found["largest weights"].y.tolist() == [3, 4]


def test_maps_are_of_single_matrices():
    """Neither several tensors nor a vector have one; a single tensor chosen of many has."""
    model = {
        "a.weight": torch.as_tensor(heavy()),
        "b.weight": torch.as_tensor(heavy()),
        "v": torch.arange(9.0),
    }
    report = ws.outliers(model)
    assert [[c.label.partition(":")[0] for c in p.curves] for p in report.panels] == [
        ["weights", "Gaussian"]
    ] * 3
    assert len(report.plot().axes) == 3
    assert "matrix" in {c.label for c in ws.outliers(model, include=["a*"]).panels[0].curves}
    assert "matrix" not in {c.label for c in ws.outliers(model, include=["v"]).panels[0].curves}


@pytest.mark.parametrize(
    "values",
    [
        torch.tensor([[1.0, -1.0], [-1.0, 1.0]]),
        torch.tensor([[0.0, 5e-320], [1.0, 0.0]], dtype=torch.float64),
        torch.tensor([[1.0, float("inf")], [float("nan"), 2.0]]),
        torch.eye(30),
        torch.tensor([[True, False], [False, False]]),
        torch.tensor([3.0, 4.0]),
    ],
    ids=["signs", "subnormal", "two finite", "identity", "BOOL", "vector"],
)
def test_odd_tensors_draw(values):
    """Finite curves and no warning."""
    found = drawn(values)
    assert found.note == ""
    assert all(np.isfinite(curve.x).all() and np.isfinite(curve.y).all() for curve in found.curves)
    figure_of([found]).canvas.draw()


def test_a_group_shows_the_tails_of_its_tensors():
    """Each in its own std, in the order of the groups shown; pooled they would share one."""
    model = {
        f"h.{i}.mlp.{name}.weight": torch.as_tensor(heavy())
        for i in (0, 1)
        for name in ("c_proj", "c_fc")
    }
    report = ws.outliers(model, by="role", sort="-role")
    titles = [f"h.{i}.mlp.{name}.weight" for name in ("c_fc", "c_proj") for i in (0, 1)]
    assert [panel.title for panel in report.pictured] == titles
    assert len(report.plot().axes) == 4
    assert report.without_picture == ()
    few = ws.outliers(model, by="role", where='role == "mlp.up"')
    assert [panel.title for panel in few.pictured] == titles[:2]


def test_panels_are_tied_to_their_rows():
    """By the tensor's name, and by the model where there are several."""
    model = {"a.weight": torch.as_tensor(heavy())}
    for models in ((model,), (model, "demo:gpt-lora")):
        report = ws.outliers(*models)
        assert all(
            sum(p.of.items() <= row.items() for row in report.rows) == 1 for p in report.panels
        )
        assert len(report.panels) == len(report.rows)
