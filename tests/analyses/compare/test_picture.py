"""What compare draws: laws in units of A's sigma, and norms for the bars."""

import numpy as np
import pytest
import torch

import weightscope as ws
from weightscope.analyses.compare import COMPARE, CompareOptions
from weightscope.errors import UsageError

G = torch.Generator().manual_seed(0)
NAME = "model.layers.{}.self_attn.{}_proj.weight"


def normal(*shape):
    return torch.randn(*shape, generator=G)


def drawn(a, b, **options):
    """The first panel of a pair of tensors."""
    return ws.compare({"w": a}, {"w": b}, columns=("tensor",), **options).panels[0]


def curves(panel):
    """The curves of a panel by name."""
    return {curve.label.partition(":")[0]: curve for curve in panel.curves}


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_laws_are_densities_in_sigma_of_a(scale):
    """Each bin has its share of the elements over its width; B - A is resolved at every scale."""
    a = normal(200, 100) * 0.02 + 0.01
    d = (normal(200, 100) + 20) * 0.02 * scale
    b = a + d
    panel = drawn(a, b)
    x64, y64, d64 = (t.double().numpy().ravel() for t in (a, b, b.double() - a.double()))
    sigma = x64.std()
    laws = {"A": x64 - x64.mean(), "B": y64 - x64.mean(), "B - A": d64}
    assert list(curves(panel)) == list(laws)
    for name, values in laws.items():
        curve = curves(panel)[name]
        middle = abs(curve.x - values.mean() / sigma).argmin()
        width = curve.x[middle + 1] - curve.x[middle]
        near = abs(values / sigma - curve.x[middle]) < width / 2
        assert curve.y[middle] == pytest.approx(near.mean() / width, rel=0.02)
        widths = np.gradient(curve.x)
        assert (curve.y * widths).sum() == pytest.approx(1, abs=0.02)
        assert width < 0.1 * values.std() / sigma


def test_words_are_the_numbers_of_the_row():
    """The std of B in units of A's, and the relative change."""
    a, b = normal(30, 20), normal(30, 20)
    report = ws.compare({"w": a}, {"w": b}, columns=("relative", "std_ratio"))
    row = report.rows[0]
    labels = [curve.label for curve in report.panels[0].curves]
    relative = f"{row['relative']:.3g}"
    assert labels == ["A", f"B: std {row['std_ratio']:.3g}", f"B - A: relative {relative}"]
    values = report.panels[0].values
    assert values["delta_fro"] / values["norm_a"] == pytest.approx(row["relative"])


@pytest.mark.parametrize(
    ("a", "b", "labels", "note", "has_bar"),
    [
        (torch.ones(4, 4), normal(4, 4), [], "A is constant, so only a bar is drawn", True),
        (torch.zeros(4, 4), normal(4, 4), [], "A is constant, so only a bar is drawn", True),
        (normal(4, 4), torch.full((4, 4), float("nan")), [], "no finite value", False),
        (normal(0, 4), normal(0, 4), [], "no finite value", False),
        (normal(4, 4), torch.zeros(4, 4), ["A", "B", "B - A"], "", True),
        (normal(4, 4), normal(3, 5), ["A", "B"], "", False),
    ],
    ids=["constant", "zero", "NaN", "empty", "B constant", "shapes"],
)
def test_what_has_no_law_has_a_reason(a, b, labels, note, has_bar):
    """Nothing vanishes from a picture without a word."""
    panel = drawn(a, b)
    assert (list(curves(panel)), panel.note, bool(panel.values)) == (labels, note, has_bar)
    assert panel.of == {"tensor": "w"}


def test_an_unchanged_pair_has_a_law_without_points():
    """A spike at 0 would hide A and B."""
    a = normal(9, 9)
    panel = drawn(a, a.clone())
    assert panel.curves[2].label == "B - A: unchanged"
    assert len(panel.curves[2].x) == 0
    assert panel.values["delta_fro"] == 0


def test_pieces_without_a_partner_and_buffers_have_reasons():
    """They have no panel; a bias is drawn among the biases."""
    shared = {
        "bn.weight": normal(8),
        "bn.bias": normal(8),
        "bn.running_mean": normal(8),
    }
    report = ws.compare({**shared, "a": normal(3, 3)}, {**shared, "b": normal(3, 3)})
    assert {panel.title: panel.note for panel in report.panels} == {
        "a": "no partner",
        "b": "no partner",
        "bn.bias": "",
        "bn.running_mean": "a buffer",
        "bn.weight": "",
    }
    roles = {panel.title: panel.values.get("role") for panel in report.panels}
    assert (roles["bn.bias"], roles["bn.weight"]) == ("bias", "norm")


def test_a_group_has_its_pooled_law_and_the_bars_of_its_tensors():
    """The law has the relative change of the row; bars keep layers apart in every grouping."""
    models = [
        {NAME.format(i, role): normal(8, 8) for i in (0, 1) for role in ("q", "v")}
        for _ in range(2)
    ]
    for by, laws in (("role", 2), ("layer", 2), ("model", 1)):
        report = ws.compare(*models, by=by, columns=("relative",))
        drawn = [panel for panel in report.panels if panel.curves]
        assert len(drawn) == laws
        for panel, row in zip(drawn, report.rows, strict=True):
            assert panel.of.items() <= row.items()
            assert panel.curves[2].label == f"B - A: relative {row['relative']:.3g}"
        bars = [panel.values for panel in report.panels if panel.values]
        assert {(bar["layer"], bar["role"]) for bar in bars} == {
            (layer, role) for layer in (0, 1) for role in ("attn.q", "attn.v")
        }
    assert len(report.plot().axes) == 2
    one = ws.compare(*models, by="role", where='role == "attn.v"', columns=("kind",))
    assert len(one.pictured) == 3


def test_only_what_is_drawn_is_measured():
    """With a picture the columns do not matter, without one no panel is kept."""
    a, b = normal(9, 9), normal(9, 9)
    every = ws.compare({"w": a}, {"w": b}).panels[0]
    few = drawn(a, b)
    for full, lone in zip(every.curves, few.curves, strict=True):
        assert (full.label, full.y.tolist()) == (lone.label, lone.y.tolist())
    assert ws.compare({"w": a}, {"w": b}, panels=False).panels == ()


def test_a_list_has_no_picture():
    """Refused before anything is read."""
    COMPARE.check_plot(CompareOptions())
    with pytest.raises(UsageError, match="expected --plot without --top; found a list, which has"):
        COMPARE.check_plot(CompareOptions(top=3))
