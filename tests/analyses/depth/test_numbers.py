"""Every number of a row, against numpy and scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import weightscope as ws

Q = "model.layers.{}.self_attn.q_proj.weight"
UP = "model.layers.{}.mlp.experts.{}.up_proj.weight"
CLOSE = 1e-9


def std(tensor: torch.Tensor) -> float:
    return float(tensor.double().numpy().std())


def std_se(tensor: torch.Tensor) -> float:
    """std sqrt((kurtosis + 2)/(4N)), of excess kurtosis."""
    values = tensor.double().numpy().ravel()
    return std(tensor) * sqrt((stats.kurtosis(values) + 2) / (4 * len(values)))


def scaled(layers: Sequence[int], scales: Sequence[float], seed: int = 0) -> dict[int, Any]:
    """A Gaussian matrix in each layer."""
    generator = torch.Generator().manual_seed(seed)
    return {
        layer: scale * torch.randn(24, 16, generator=generator)
        for layer, scale in zip(layers, scales, strict=True)
    }


def row_of(model: Mapping[str, torch.Tensor], stat: str = "std") -> Mapping[str, Any]:
    (row,) = ws.depth(model, stat=stat, panels=False).rows
    return row


def check(row: Mapping[str, Any], layers: Sequence[int], values: Sequence[float]) -> None:
    """The line and the correlation of a row, recomputed from its layers and values."""
    line = stats.theilslopes(values, layers, method="joint")
    power = stats.theilslopes(np.log(values), np.log1p(layers))
    rank = stats.spearmanr(layers, values)
    change = line.slope * (layers[-1] - layers[0]) / np.median(np.abs(values))
    expected = {
        "layers": len(layers),
        "slope": line.slope,
        "slope_low": line.low_slope,
        "slope_high": line.high_slope,
        "fitted_change": change,
        "spearman": rank.statistic,
        "spearman_p": rank.pvalue,
        "first": values[0],
        "last": values[-1],
        "ratio": values[-1] / values[0],
        "loglog": power.slope,
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=CLOSE, abs=1e-15), name


@pytest.mark.parametrize(
    ("layers", "trend"),
    [
        (range(3), None),
        (range(4), None),
        (range(5), "up"),
        ((0, 2, 5, 6, 11, 40), "up"),  # the index is the axis, not the rank
        (range(1, 13), "up"),
    ],
)
def test_series_of_any_length_and_with_gaps(layers: Sequence[int], trend: str | None) -> None:
    """The line goes through the layer indices; a trend needs 5 layers."""
    matrices = scaled(layers, [1 + 0.1 * layer for layer in layers])
    row = row_of({Q.format(layer): matrix for layer, matrix in matrices.items()})
    check(row, list(layers), [std(matrix) for matrix in matrices.values()])
    errors = [std_se(matrix) for matrix in matrices.values()]
    assert row["value_se"] == pytest.approx(np.median(errors), rel=CLOSE)
    assert row["trend"] == trend
    assert (row["outlier_layers"] is None) == (len(layers) < 8)


@pytest.mark.parametrize("count", [1, 2])
def test_below_three_layers(count: int) -> None:
    """Every number of a line is null, and the note states why; the ratio to a target is none."""
    row = row_of({Q.format(i): matrix for i, matrix in scaled((0, 1), (1, 2)).items() if i < count})
    identity = ("role", "kind", "statistic", "layers", "tvr", "note", "note_codes")
    assert {name for name, value in row.items() if value is not None} == set(identity)
    assert (row["layers"], row["note_codes"]) == (count, "few-layers")


def test_layers_chosen() -> None:
    """--layers leaves the line of the chosen layers, with the note of a short series."""
    matrices = scaled(range(9), range(1, 10))
    model = {Q.format(layer): matrix for layer, matrix in matrices.items()}
    (row,) = ws.depth(model, stat="std", panels=False, layers="1,4-6").rows
    check(row, (1, 4, 5, 6), [std(matrices[layer]) for layer in (1, 4, 5, 6)])
    assert (row["trend"], row["note"]) == (None, "4 layers, a trend needs 5")


@pytest.mark.parametrize("counts", [(4, 4, 4, 4, 4, 4), (1, 2, 3, 4, 5, 6)])
def test_experts(counts: Sequence[int]) -> None:
    """The value of a layer is the median over its experts, its error their median error."""
    generator = torch.Generator().manual_seed(1)
    experts = {}
    for layer, count in enumerate(counts):
        for expert in range(count):
            scale = 1 + 0.2 * layer + 0.05 * expert
            experts[layer, expert] = scale * torch.randn(12, 8, generator=generator)
    model = {UP.format(*place): matrix for place, matrix in experts.items()}
    by_layer = [
        [matrix for (layer, _), matrix in experts.items() if layer == wanted] for wanted in range(6)
    ]
    spread = [[std(matrix) for matrix in matrices] for matrices in by_layer]
    row = row_of(model)
    check(row, range(6), [float(np.median(values)) for values in spread])
    errors = [np.median([std_se(matrix) for matrix in matrices]) for matrices in by_layer]
    assert row["value_se"] == pytest.approx(np.median(errors), rel=CLOSE)
    assert row["note"] == f"median over {max(counts)} experts of a layer"
    layers = ws.depth(model, stat="std", panels=False, per_layer=True).rows
    for one, values in zip(layers, spread, strict=True):
        assert one["value"] == pytest.approx(np.median(values), rel=CLOSE)
        if len(values) == 1:
            assert (one["value_low"], one["value_high"]) == (None, None)
        else:
            assert one["value_low"] == pytest.approx(min(values), rel=CLOSE)
            assert one["value_high"] == pytest.approx(max(values), rel=CLOSE)


@pytest.mark.parametrize(
    ("name", "shape", "inputs"),
    [
        (Q, (6, 4), 4),
        ("transformer.h.{}.mlp.c_fc.weight", (4, 16), 4),  # Conv1D is stored (in, out)
        ("features.{}.0.weight", (8, 6, 3, 3), 54),
        ("features.{}.0.weight", (8, 2, 3, 3), 18),  # 3 groups of 6 channels
        ("features.{}.0.weight", (8, 1, 5, 5), 25),  # depthwise
        ("blocks.{}.conv.weight", (6, 4, 7), 28),
        ("blocks.{}.conv.weight", (6, 4, 3, 3, 3), 108),
    ],
)
def test_gain(name: str, shape: Sequence[int], inputs: int) -> None:
    """std sqrt(fan_in): of a convolution the channels of a group times the kernel."""
    generator = torch.Generator().manual_seed(2)
    weights = [(1 + 0.1 * i) * torch.randn(*shape, generator=generator) for i in range(5)]
    model = {name.format(i): weight for i, weight in enumerate(weights)}
    if name.startswith("transformer"):
        model |= {name.format(i)[:-6] + "bias": torch.zeros(16) for i in range(5)}
    rows = ws.depth(model, stat=("gain", "gain_se"), panels=False)
    gain, error = (row for row in rows.rows if row["kind"] != "bias")
    expected = [std(weight) * sqrt(inputs) for weight in weights]
    check(gain, range(5), expected)
    errors = [std_se(weight) * sqrt(inputs) for weight in weights]
    assert gain["value_se"] == pytest.approx(np.median(errors), rel=CLOSE)
    check(error, range(5), errors)


@pytest.mark.parametrize(("shape", "inputs"), [((6, 4, 2, 2), 24), ((6, 2, 2, 2), 12)])
def test_gain_of_transposed_convolutions(shape: Sequence[int], inputs: int) -> None:
    """A transposed convolution is stored (in, out / groups, kernel): the bias proves it."""
    generator = torch.Generator().manual_seed(3)
    weights = [torch.randn(*shape, generator=generator) for _ in range(3)]
    model = {f"decoder.blocks.{i}.upconv.weight": weight for i, weight in enumerate(weights)}
    model |= {f"decoder.blocks.{i}.upconv.bias": torch.zeros(4) for i in range(3)}
    (gain,) = (r for r in ws.depth(model, stat="gain", panels=False).rows if r["kind"] == "conv")
    check(gain, range(3), [std(weight) * sqrt(inputs) for weight in weights])


def test_a_vector_has_no_gain() -> None:
    """Norms and biases have no inputs; the note states it."""
    model = {f"model.layers.{i}.input_layernorm.weight": torch.rand(8) for i in range(5)}
    row = row_of(model, "gain")
    assert (row["layers"], row["note"]) == (0, "no layer has a value: a vector has no fan_in")


def test_the_width_changes() -> None:
    """Wider layers have a smaller std and an equal gain: the note and the sentence say so."""
    generator = torch.Generator().manual_seed(4)
    model = {
        f"features.{i}.0.weight": torch.randn(64, width, 3, 3, generator=generator)
        / sqrt(9 * width)
        for i, width in enumerate((4, 8, 16, 32, 64, 128))
    }
    rows = {
        row["statistic"]: row for row in ws.depth(model, stat=("std", "gain"), panels=False).rows
    }
    assert rows["std"]["trend"] == "down"
    assert rows["gain"]["trend"] is None
    note = "fan_in from 36 to 1152, on which std depends: see gain"
    assert rows["std"]["note"] == rows["gain"]["note"] == note
