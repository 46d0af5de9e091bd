"""Names without layers, layers that cannot be measured, and values that are no numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from weightscope.errors import CheckpointError, UsageError

Q = "model.layers.{}.self_attn.q_proj.weight"
Model = dict[str, torch.Tensor]
LAYERS = 8


@pytest.fixture
def model() -> Model:
    """Eight layers whose std doubles."""
    generator = torch.Generator().manual_seed(0)
    return {
        Q.format(i): (1 + i / LAYERS) * torch.randn(16, 12, generator=generator)
        for i in range(LAYERS)
    }


def row_of(model: Any, stat: str | Sequence[str] = "std", **options: Any) -> Mapping[str, Any]:
    """The row of the only series."""
    (row,) = ws.depth(model, stat=stat, panels=False, **options).rows
    return row


# no layers


NO_LAYERS = {"fc1.weight": (4, 4), "fc2.weight": (4, 4), "fc2.bias": (4,), "z\x1b[31m": (4, 4)}


def plain() -> Model:
    return {name: torch.ones(dims) for name, dims in NO_LAYERS.items()}


def test_no_layer_index() -> None:
    """The error shows what the names look like, and how to describe them."""
    expected = (
        r"memory: expected names with a layer index, such as layers\.0\.up\.weight; found "
        r"fc1\.weight, fc2\.bias, fc2\.weight and 1 more; describe the names with --name-map"
    )
    with pytest.raises(UsageError, match=expected):
        ws.depth(plain())


def test_hostile_names_without_layers_are_escaped() -> None:
    """The names of the error are no control sequences."""
    with pytest.raises(UsageError) as error:
        ws.depth({"z\x1b[31m\n": torch.ones(4, 4)})
    assert r"found z\x1b[31m\n;" in str(error.value)


def test_one_of_several_models_has_no_layers(model: Model) -> None:
    """The error names the model with `fail_fast`; else a warning does, and the other has rows."""
    with pytest.raises(UsageError, match=r"memory: .* found fc1\.weight"):
        ws.depth(model, plain(), fail_fast=True)
    with pytest.warns(UserWarning, match=r"memory: .* found fc1\.weight"):
        report = ws.depth(model, plain())
    assert report.rows
    assert [failure.code for failure in report.failures] == [3]


def test_a_selection_without_layers(model: Model) -> None:
    """Layers that exist, but are not selected, are not missed in the names."""
    table = {"model.embed_tokens.weight": torch.ones(9, 12)}
    with pytest.raises(UsageError, match=r"found model\.embed_tokens\.weight; select tensors"):
        ws.depth(model | table, role="embed")


def test_names_that_a_name_map_places(tmp_path: Path) -> None:
    """A rule with a stage and a layer makes an axis of what has none: a DenseNet."""
    layer = "features.denseblock{}.denselayer{}.conv1.weight"
    weights = {layer.format(s, b): torch.randn(4, 4, 1, 1) for s in (1, 2) for b in (1, 2, 3)}
    with pytest.raises(UsageError, match="expected names with a layer index"):
        ws.depth(weights)
    rule = r"denseblock(?P<stage>\d)\.denselayer<L>\.conv(?P<slot>\d)<W>"
    names = tmp_path / "names.toml"
    names.write_text(f"[[rule]]\nregex = '{rule}'\nrole = 'conv'\n")
    row = row_of(weights, name_map=names)
    assert (row["role"], row["slot"], row["layers"]) == ("conv", "1", 6)


def test_an_empty_dict() -> None:
    """Nothing to open."""
    with pytest.raises(CheckpointError, match="found an empty one"):
        ws.depth({})


# layers that cannot be measured


def meta(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(tensor, device="meta")


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (meta, "no data: a meta tensor"),
        (lambda tensor: tensor[:0], "no elements"),
        (lambda tensor: tensor.to_sparse(), "sparse"),
        (lambda tensor: nan * tensor, "NaN"),
        (lambda tensor: inf * torch.ones_like(tensor), "Inf"),
    ],
)
def test_a_gap(model: Model, spoilt: Callable[[torch.Tensor], torch.Tensor], reason: str) -> None:
    """A layer without a value is a gap of the axis, counted and named with its reason."""
    model[Q.format(3)] = spoilt(model[Q.format(3)])
    row = row_of(model)
    assert row["layers"] == 7
    assert row["trend"] == "up"
    assert row["note"].startswith("1 of 8 layers has no value (3): ")
    assert reason in row["note"]
    assert row["note_codes"].split(",")[0] == "layers-left-out"
    assert reason in row_of(model, "gain")["note"]
    of_layer = ws.depth(model, stat="std", panels=False, per_layer=True).rows[3]
    assert (of_layer["layer"], of_layer["value"], of_layer["outlier"]) == (3, None, None)
    assert reason in of_layer["note"]


def test_gaps_with_several_reasons(model: Model) -> None:
    """The reason is that of the first layer, which is named; runs of layers are ranges."""
    for layer in (2, 3):
        model[Q.format(layer)] = meta(model[Q.format(layer)])
    model[Q.format(6)] = model[Q.format(6)][:0]
    expected = "3 of 8 layers have no value (2-3,6): in layer 2: no data: a meta tensor"
    assert row_of(model)["note"] == expected


def test_no_layer_can_be_measured(model: Model) -> None:
    """A row of nulls and the reason, which the sentence has too."""
    report = ws.depth({name: meta(one) for name, one in model.items()}, stat="std", strict=True)
    (row,) = report.rows
    assert (row["layers"], row["slope"], row["first"], row["trend"]) == (0, None, None, None)
    assert row["note"] == "no layer has a value: no data: a meta tensor"
    assert report.closing == f"trend of std not judged: {row['note']}"
    assert [failure.code for failure in report.failures] == [4]


def test_over_the_memory(model: Model) -> None:
    """What does not fit is a gap whose reason names a sufficient --memory."""
    row = row_of(model, memory="1KiB")
    assert (row["layers"], row["note_codes"]) == (0, "no-layer")
    assert row["note"].endswith("use --memory 2MiB")


def test_codes_and_weights_in_one_role(tmp_path: Path, model: Model) -> None:
    """Codes that are not decoded are a gap; with two quantisations there is no trend."""
    module = Q.format(3).removesuffix(".weight")
    stored = {name: one.bfloat16() for name, one in model.items() if name != Q.format(3)}
    stored |= {
        f"{module}.qweight": torch.ones(2, 12, dtype=torch.int32),
        f"{module}.qzeros": torch.ones(1, 2, dtype=torch.int32),
        f"{module}.scales": torch.ones(1, 12, dtype=torch.float16),
    }
    save_file(stored, tmp_path / "model.safetensors")
    row = row_of(tmp_path / "model.safetensors")
    assert (row["layers"], row["trend"]) == (7, None)
    assert row["slope_low"] > 0
    assert row["note"] == (
        "1 of 8 layers has no value (3): codes of GPTQ or AWQ: not decoded, no statistics; "
        "types differ (BF16 in 0-2,4-7; I32 codes in 3), a trend needs one"
    )


def test_types_that_differ(model: Model) -> None:
    """Layers of two types have a line and no trend; the sentence states the reason."""
    for layer in (0, 1, 6):
        model[Q.format(layer)] = model[Q.format(layer)].half()
    report = ws.depth(model, stat="std", panels=False)
    (row,) = report.rows
    assert (row["layers"], row["trend"]) == (8, None)
    assert row["slope_low"] > 0
    assert row["note"] == "types differ (F16 in 0-1,6; F32 in 2-5,7), a trend needs one"
    assert report.closing == f"trend of std not judged: {row['note']}"


# elements and values that are no numbers


def test_nan_and_inf_among_the_elements(model: Model) -> None:
    """The statistics are those of the finite elements; the note names the layers."""
    model[Q.format(2)][0, 0] = nan
    model[Q.format(5)][1, 1] = inf
    row = row_of(model)
    assert (row["layers"], row["trend"]) == (8, "up")
    assert row["note"] == "NaN or Inf in layers 2,5: statistics of the finite values"
    nulls = row_of(model, "stable_rank")  # the spectrum needs all elements
    assert nulls["layers"] == 6
    assert nulls["note"].startswith("2 of 8 layers have no value (2,5): non-finite elements")


def test_constants_and_zeros(model: Model) -> None:
    """Their std is 0, so that loglog is null; what divides by it is a gap."""
    model[Q.format(2)] = torch.zeros(16, 12)
    model[Q.format(5)] = torch.full((16, 12), 0.5)
    row = row_of(model)
    assert (row["layers"], row["loglog"]) == (8, None)
    assert row["slope"] is not None
    kurtosis = row_of(model, "kurtosis")
    assert kurtosis["layers"] == 6
    assert kurtosis["note"].startswith("2 of 8 layers have no value (2,5): ")


def test_negative_values(model: Model) -> None:
    """A statistic that changes its sign has no loglog."""
    for layer in range(4):
        model[Q.format(layer)] -= 1
    row = row_of(model, "mean")
    assert row["first"] < -0.5
    assert row["last"] > -0.5
    assert row["loglog"] is None


def test_an_expert_without_a_value() -> None:
    """The median is that of the others; the note counts the experts that it omits."""
    name = "model.layers.{}.mlp.experts.{}.up_proj.weight"
    generator = torch.Generator().manual_seed(0)
    experts = {
        name.format(i, e): torch.randn(6, 4, generator=generator) for i in range(5) for e in (0, 1)
    }
    experts[name.format(1, 0)] *= nan
    experts[name.format(4, 1)] *= nan
    row = row_of(experts)
    reason = "24 NaN, the first at row 0, column 0: statistics of the finite values"
    assert row["layers"] == 5
    assert row["note"].startswith(f"2 experts have no value in layers 1,4: {reason}")
    rows = ws.depth(experts, stat="std", panels=False, per_layer=True).rows
    assert rows[1]["value"] == pytest.approx(
        float(experts[name.format(1, 1)].double().std(None)), rel=0.1
    )
    assert rows[1]["note"] == f"1 expert has no value in layer 1: {reason}"
    assert rows[0]["note"] is None


@pytest.mark.parametrize("stat", ["mean", "min", "max"])
def test_values_too_large_for_a_line(stat: str) -> None:
    """Differences of values beyond 1e300 overflow: these are gaps, without a warning."""
    weights = {
        Q.format(i): torch.full((4, 4), 1.7e308 * (-1) ** i, dtype=torch.float64) for i in range(6)
    }
    row = row_of(weights, stat)
    assert (row["layers"], row["slope"]) == (0, None)
    assert row["note"] == f"no layer has a value: in layer 0: {stat} is 1.7e+308"


def test_a_line_that_is_steep_far_from_its_layers() -> None:
    """The log-log line through the last layers exceeds float64 at the first: no warning."""
    layers = (0, *range(1000, 1009))
    scales = (1.0, *(10.0**-k for k in range(9)))
    weights = {
        Q.format(layer): torch.full((4, 4), scale) * torch.tensor([1.0, 2.0, 3.0, 4.0])
        for layer, scale in zip(layers, scales, strict=True)
    }
    row = row_of(weights)
    assert (row["layers"], row["trend"]) == (10, "down")
