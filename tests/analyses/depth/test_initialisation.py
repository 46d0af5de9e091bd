"""The columns law, law_distance and tvr, and the critical gains of --per-layer."""

from __future__ import annotations

from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.analyses.depth.planted import transformer
from weightscope.analyses.depth.initialisation import LawRequest, law_wanted
from weightscope.analyses.depth.options import DepthOptions
from weightscope.analyses.depth.setting import layer_counts, setting_of
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.pieces import measured
from weightscope.checkpoints import open_checkpoint
from weightscope.errors import UsageError

DATA = Path(__file__).parents[4] / "shared/data"
GPT = [DATA / f"gpt6/gpt6_seed0_step{step:05}.safetensors" for step in (0, 1600)]
TRAINED = [
    GPT[1],
    DATA / "stories260k/stories260K_f32.safetensors",
    DATA / "resnet_cifar/resnet20-12fca82f.th",
]
SHAPE = (96, 64)
LAYERS = 4
WRITER = 0.02 / sqrt(2 * LAYERS)


@pytest.fixture(scope="module")
def fresh():
    """Four layers as GPT-2 draws them, with norms."""
    sigmas = {"mlp.up": [0.02] * LAYERS, "mlp.down": [WRITER] * LAYERS}
    model = transformer(sigmas, shape=SHAPE)
    for layer in range(LAYERS):
        model[f"model.layers.{layer}.input_layernorm.weight"] = torch.ones(64)
    return model


def stds(model, **options):
    """The rows of std by role."""
    report = ws.depth(model, stat="std", panels=False, **options)
    return {row["role"]: row for row in report.rows if row["statistic"] == "std"}


def test_a_fresh_model(fresh):
    """Writers count all layers; norms have no law; other statistics have nulls."""
    rows = stds(fresh)
    assert {role: row["law"] for role, row in rows.items()} == {
        "mlp.up": "gpt2",
        "mlp.down": "gpt2",
        "norm": None,
    }
    up = rows["mlp.up"]
    assert up["law_distance"] == pytest.approx(0, abs=0.02)
    assert up["tvr"] == pytest.approx(1, abs=0.03)
    assert rows["norm"]["tvr"] is rows["norm"]["law_distance"] is None
    for row in ws.depth(fresh, stat=("kurtosis", "gain"), panels=False).rows:
        assert row["law"] is row["law_distance"] is row["tvr"] is None


def test_layers_that_are_not_selected_count(fresh):
    """The std of a writer follows the layers of the stack, not those of the selection."""
    assert stds(fresh, role="mlp.down", layers="0-2")["mlp.down"]["law"] == "gpt2"
    three = {name: w for name, w in fresh.items() if ".3." not in name}
    assert stds(three, role="mlp.down")["mlp.down"]["law"] is None


def test_the_distance_to_a_known_scheme(fresh):
    """--law has its distance, named or not; the name stays."""
    rows = stds(fresh, law="he")
    assert rows["mlp.up"]["law"] == "gpt2"
    expected = abs(log(0.02 / sqrt(2 / 64)))
    assert rows["mlp.up"]["law_distance"] == pytest.approx(expected, abs=0.02)
    tails = {name: w.sign() * w.abs() ** 2 for name, w in fresh.items()}
    row = stds(tails, law="linear", role="mlp.up")["mlp.up"]
    assert row["law"] is None
    values = [tails[f"model.layers.{i}.mlp.up_proj.weight"].double().std() for i in range(LAYERS)]
    exact = abs(log(np.median(values) * 8))
    assert row["law_distance"] == pytest.approx(exact, abs=1e-3)
    assert stds(tails, role="mlp.up")["mlp.up"]["law_distance"] is None


def test_the_distance_to_the_named_scheme(fresh):
    """--law of the named scheme changes nothing, also where columns are named."""
    assert stds(fresh, law="gpt2") == stds(fresh)
    columns = ("role", "law", "law_distance")
    named = stds(fresh, law="gpt2", columns=columns)
    assert {role: row["law"] for role, row in named.items()} == {
        role: row["law"] for role, row in stds(fresh).items()
    }


def test_the_ratio_to_a_target(fresh):
    """The largest layer counts; the note names the layers where the call is about the target."""
    wide = dict(fresh)
    wide["model.layers.2.mlp.up_proj.weight"] = 2 * fresh["model.layers.2.mlp.up_proj.weight"]
    row = stds(wide, role="mlp.up")["mlp.up"]
    assert row["tvr"] == pytest.approx(2, abs=0.05)
    assert "1.2" not in row["note"]
    named = stds(wide, role="mlp.up", columns=("role", "tvr", "note"))["mlp.up"]
    assert named["note"].endswith("std above 1.2 x 0.02 in layer 2")
    half = stds(wide, role="mlp.up", target=0.01)["mlp.up"]
    assert half["tvr"] == pytest.approx(2 * row["tvr"], rel=1e-12)
    assert half["note"].endswith("std above 1.2 x 0.01 in layers 0-3")
    assert "beyond-target" in half["note_codes"]
    assert "1.2" not in stds(fresh, role="mlp.up", target=0.02)["mlp.up"]["note"]


def test_lir_follows_the_target():
    """0.1/sqrt(layer + 1) is named with its target alone."""
    model = transformer({"mlp.up": 0.1 / np.sqrt(np.arange(1, 7))}, shape=SHAPE)
    assert stds(model, target=0.1)["mlp.up"]["law"] == "lir"
    assert stds(model)["mlp.up"]["law"] is None


def test_uniform_convolutions():
    """fan_in and fan_out include the positions of the kernel."""
    torch.manual_seed(0)
    model = {}
    for i in range(3):
        kernel = torch.empty(48, 16, 3, 3)
        model[f"layer1.{i}.conv1.weight"] = torch.nn.init.kaiming_uniform_(kernel, a=sqrt(5))
        kernel = torch.empty(48, 16, 3, 3)
        kernel = torch.nn.init.kaiming_normal_(kernel, mode="fan_out")
        model[f"layer1.{i}.conv2.weight"] = kernel
    report = ws.depth(model, stat="std", panels=False)
    assert [row["law"] for row in report.rows] == ["pytorch", "he_out"]


def test_a_fused_tensor_was_drawn_as_a_whole():
    """q, k and v of one matrix have its rows as fan_out, split or not."""
    torch.manual_seed(0)
    model = {}
    for i in range(3):
        weight = torch.empty(192, 64)
        name = f"encoder.layers.{i}.self_attn.in_proj_weight"
        model[name] = torch.nn.init.xavier_uniform_(weight)
    rows = stds(model)
    assert {role: row["law"] for role, row in rows.items()} == dict.fromkeys(
        ("attn.q", "attn.k", "attn.v"), "xavier"
    )
    (whole,) = stds(model, split=False).values()
    assert whole["law"] == "xavier"


def test_orthogonal_needs_the_spectrum():
    """Without it the equal norms of the rows are no draws of independent elements."""
    torch.manual_seed(0)
    model = {
        f"model.layers.{i}.mlp.up_proj.weight": torch.nn.init.orthogonal_(torch.empty(96, 64))
        for i in range(2)
    }
    assert stds(model)["mlp.up"]["law"] is None
    row = stds(model, spectrum=True)["mlp.up"]
    assert (row["law"], row["law_distance"]) == ("orthogonal", pytest.approx(0, abs=1e-2))


def test_zeros():
    """A matrix of zeros in every layer."""
    model = {f"model.layers.{i}.mlp.up_proj.weight": torch.zeros(8, 8) for i in range(3)}
    assert stds(model)["mlp.up"]["law"] == "zero"


def test_critical_gains_beside_the_gain(fresh):
    """On rows of gain alone; the sentence below the table has them too."""
    report = ws.depth(fresh, stat=("std", "gain"), per_layer=True, panels=False)
    for row in report.rows:
        critical = (row["critical_relu"], row["critical_tanh"])
        is_gain = row["statistic"] == "gain" and row["value"] is not None
        assert critical == ((sqrt(2), 1.0) if is_gain else (None, None))
        assert not {"law", "law_distance", "tvr"} & row.keys()
    assert "critical gain at the start of training: 1.414 for ReLU, 1 for tanh" in report.closing
    plain = ws.depth(fresh, stat="std", per_layer=True, panels=False)
    assert "critical" not in plain.closing
    assert "critical" not in ws.depth(fresh, stat="gain", panels=False).closing


def test_an_unknown_scheme():
    """The error lists all."""
    with pytest.raises(UsageError) as raised:
        DepthOptions(law="kaiming\x1b")
    assert raised.value.found == r"found 'kaiming\x1b'"
    assert raised.value.advice == (
        "--law takes one of linear, xavier, he, he_out, pytorch, gpt2, small, lir, ibp, "
        "orthogonal, zero"
    )


@pytest.mark.parametrize("target", [0.0, -1.0, float("nan"), float("inf")])
def test_a_target_that_is_no_std(target):
    """It is above 0 and finite."""
    with pytest.raises(UsageError, match="expected --target above 0"):
        DepthOptions(target=target)


def test_a_target_far_from_every_std():
    """A ratio that float64 cannot hold is null."""
    model = {f"model.layers.{i}.mlp.up_proj.weight": torch.eye(8) * 1e-30 for i in range(3)}
    row = stds(model, target=1e300, law="lir")["mlp.up"]
    assert row["law"] is row["law_distance"] is None


@pytest.mark.parametrize("options", [{"stat": ("beta",)}, {"per_layer": True}])
def test_a_law_without_rows_of_std(options):
    """The distance would be in no row."""
    with pytest.raises(UsageError, match="expected rows of std with --law"):
        DepthOptions(law="he", **options)


def test_spreads_are_measured_for_laws_alone(fresh):
    """Other columns, other statistics and --per-layer need no sums of rows."""
    assert law_wanted(DepthOptions())
    assert law_wanted(DepthOptions(wanted=frozenset({"law_distance"})))
    assert not law_wanted(DepthOptions(wanted=frozenset({"tvr", "slope"})))
    assert not law_wanted(DepthOptions(stat=("beta",)))
    assert not law_wanted(DepthOptions(per_layer=True))
    model = measured(open_checkpoint(fresh), NameOptions())
    units = {piece.place.kind: LawRequest().units(piece) for piece in model.pieces}
    assert units["norm"] == ()
    assert len(units["matrix"]) == 1


def test_the_setting_of_a_matrix(fresh):
    """Inputs, outputs, width, layers and side; a vector has none."""
    model = measured(open_checkpoint(fresh), NameOptions())
    counts = layer_counts(model)
    by_role = {piece.place.role: piece for piece in model.pieces}
    up = setting_of(by_role["mlp.up"], counts, 0.02)
    down = setting_of(by_role["mlp.down"], counts, 0.02)
    assert (up.fan_in, up.fan_out, up.width, up.layers, up.writes) == (64, 96, 64, 4, False)
    assert (down.fan_in, down.fan_out, down.width, down.writes) == (96, 64, 64, True)
    assert setting_of(by_role["norm"], counts, 0.02) is None


@pytest.mark.skipif(not GPT[0].exists(), reason="the checkpoints of GPT-6 are not here")
def test_gpt6():
    """gpt2 for six roles at the start; at the end q lies near pytorch by accident."""
    start = stds(GPT[0], include="*.weight")
    roles = ("attn.q", "attn.k", "attn.v", "attn.o", "mlp.up", "mlp.down")
    assert {start[role]["law"] for role in roles} == {"gpt2"}
    distances = [start[role]["law_distance"] for role in roles]
    assert round(min(distances), 3) == 0.0
    assert round(max(distances), 3) == 0.006
    end = stds(GPT[1], include="*.attn.*.weight", law="pytorch")["attn.q"]
    assert end["law"] is None
    assert round(end["law_distance"], 3) == 0.016


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_trained_models_have_no_law(path):
    """No role of a trained network is named."""
    if not path.exists():
        pytest.skip("this checkpoint is not here")
    rows = ws.depth(path, stat="std", panels=False).rows
    assert {row["law"] for row in rows} == {None}
