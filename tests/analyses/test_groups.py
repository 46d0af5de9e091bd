"""Grouped rows: pooled beside the spread over the tensors, kinds never mixed."""

import numpy as np
import pytest
import torch

import weightscope as ws
from weightscope.errors import UsageError


def test_pooling_gaussians_of_unequal_width_fakes_tails():
    """Twelve exact Gaussians: pooled beta falls to 1.43, the median stays 2."""
    z = torch.from_numpy(np.random.default_rng(0).standard_normal((12, 120, 120)))
    sigmas = torch.linspace(0.01, 0.03, 12)
    model = {f"model.layers.{i}.mlp.up_proj.weight": (sigmas[i] * z[i]).float() for i in range(12)}
    (row,) = ws.fit(model, by="role").rows
    assert (row["tensors"], row["params"]) == (12, 172_800)
    assert row["beta"] == pytest.approx(1.43, abs=0.05)
    assert row["beta_median"] == pytest.approx(2.0, abs=0.03)
    assert row["beta_min"] <= row["beta_median"] <= row["beta_max"]
    assert row["best"] != "normal"


@pytest.mark.parametrize("by", ["role", "layer", "model"])
def test_kinds_are_never_mixed(draw, by):
    """A bias of a role, a norm and a matrix stand in rows of their own."""
    model = {
        "model.layers.0.self_attn.q_proj.weight": draw(32, 32),
        "model.layers.0.self_attn.q_proj.bias": draw(32),
        "model.layers.0.input_layernorm.weight": draw(32),
        "model.layers.1.self_attn.q_proj.weight": draw(32, 32),
        "model.embed_tokens.weight": draw(50, 32),
    }
    rows = ws.fit(model, by=by).rows
    assert sum(row["tensors"] for row in rows) == len(model)
    if by == "model":
        assert sorted(row["kind"] for row in rows) == ["bias", "embedding", "matrix", "norm"]
    keys = [tuple(row.get(k) for k in ("role", "stack", "layer", "kind")) for row in rows]
    assert len(keys) == len(set(keys))


def test_one_tensor_pools_to_itself(draw):
    """Pooled, median, least and greatest are the tensor's own."""
    model = {"model.layers.3.mlp.up_proj.weight": draw(64, 48)}
    (alone,), (group,) = ws.fit(model).rows, ws.fit(model, by="layer").rows
    assert group["layer"] == 3
    for name in ("mean", "std", "kurtosis", "beta", "ks_normal", "zeros", "weibull_k"):
        assert group[name] == pytest.approx(alone[name], rel=1e-9)
        assert (
            group[f"{name}_median"] == group[f"{name}_min"] == group[f"{name}_max"] == alone[name]
        )
    assert group["row_spread_median"] == alone["row_spread"]


def test_places_have_no_median(draw):
    """Which line has most is told of a tensor, and of no group."""
    model = {f"model.layers.{i}.mlp.up_proj.weight": draw(64, 48) for i in range(3)}
    model["model.layers.1.mlp.up_proj.weight"][11] *= 9
    report = lambda **options: ws.outliers(model, panels=False, **options)
    places = lambda **options: {c.name for c in report(**options).columns if "top_" in c.name}
    assert places() == {"top_row", "top_col"}
    assert places(by="role") == set()
    assert not any("top_" in name for row in report(by="role").rows for name in row)
    with pytest.raises(UsageError, match="'top_row', which needs --by tensor"):
        report(by="role", columns=["top_row"])


def test_pooled_moments_are_those_of_all_elements(draw):
    """Counts add up exactly, whatever the types."""
    parts = [draw(40, 30), draw(40, 30, std=1.0), draw(40, 30).bfloat16()]
    (row,) = ws.fit(
        {f"model.layers.{i}.mlp.up_proj.weight": w for i, w in enumerate(parts)}, by="role"
    ).rows
    everything = np.concatenate([w.double().numpy().ravel() for w in parts])
    assert row["std"] == pytest.approx(everything.std(), rel=1e-9)
    assert row["max"] == everything.max()


def test_long_in_groups(draw):
    """A row for each law of the pooled weights, each with the group's keys."""
    rows = ws.fit(
        {f"model.layers.{i}.mlp.up_proj.weight": draw(40, 30) for i in range(2)},
        by="role",
        long=True,
    ).rows
    assert len({row["law"] for row in rows}) == len(rows) == 8
    assert {(row["role"], row["kind"], row["tensors"], row["params"]) for row in rows} == {
        ("mlp.up", "matrix", 2, 2400)
    }


def test_what_cannot_be_measured_counts_as_a_tensor(draw):
    """A group of one measured and one unmeasurable tensor says so by its numbers."""
    model = {
        "model.layers.0.mlp.up_proj.weight": draw(40, 30),
        "model.layers.1.mlp.up_proj.weight": torch.ones(4, 4, dtype=torch.complex64),
    }
    report = ws.fit(model, by="role")
    (row,) = report.rows
    assert row["tensors"] == 2
    assert row["std_min"] == row["std_max"]
    assert report.unmeasured == ("model.layers.1.mlp.up_proj.weight",)
    said = (
        "1 of 2 tensors noted: model.layers.1.mlp.up_proj.weight: "
        "complex numbers (C64) are not measured"
    )
    assert row["note"] == said


@pytest.mark.parametrize("options", [{}, {"long": True}], ids=str)
def test_a_group_of_nothing_measured_has_a_row_with_the_reason(options):
    """Nulls never stand alone."""
    model = {
        f"model.layers.{i}.mlp.up_proj.weight": torch.ones(4, 4, dtype=torch.complex64)
        for i in range(3)
    }
    (row,) = ws.fit(model, by="role", **options).rows
    assert (row["tensors"], row.get("std"), row.get("law")) == (3, None, None)
    assert row["note"].startswith(
        "3 of 3 tensors noted: model.layers.0.mlp.up_proj.weight: complex numbers"
    )


def test_notes_of_tensors_are_counted_and_the_rarest_is_told(draw):
    """What every tensor of a group says does not hide what one of them says."""
    model = {f"model.layers.{i}.input_layernorm.weight": draw(2000) for i in range(4)}
    model["model.layers.2.input_layernorm.weight"][7] = np.nan
    (row,) = ws.fit(model, by="role").rows
    own, _, others = row["note"].partition("; 4 of 4 tensors noted: ")
    assert own.startswith("1 NaN: ")
    assert others.startswith("model.layers.2.input_layernorm.weight: 1 NaN at ")
    del model["model.layers.2.input_layernorm.weight"]
    (row,) = ws.fit(model, by="role").rows
    vector = "model.layers.0.input_layernorm.weight: a vector: element statistics only"
    assert row["note"] == f"3 of 3 tensors noted: {vector}"


def test_notes_that_differ_in_numbers_are_one(draw):
    """They hide no tensor either; of equally rare notes the tensor that lacks the most is told."""
    model = {f"model.layers.{i}.mlp.up_proj.weight": draw(64, 100 + i) for i in range(3)}
    model["model.layers.1.mlp.up_proj.weight"][5] = np.inf
    (row,) = ws.spectrum(model, by="role", panels=False).rows
    said = {
        note.split()[0]
        for note in (r["note"] for r in ws.spectrum(model, panels=False).rows)
        if note
    }
    assert said == {"no", "not", "non-finite"}  # power law: of 10 values or more, of fewer
    assert (
        row["note"] == "3 of 3 tensors noted: model.layers.1.mlp.up_proj.weight: "
        "non-finite elements: no spectrum"
    )
    del model["model.layers.2.mlp.up_proj.weight"]
    (row,) = ws.spectrum(model, by="role", panels=False).rows
    assert (
        row["note"] == "2 of 2 tensors noted: model.layers.1.mlp.up_proj.weight: "
        "non-finite elements: no spectrum"
    )
    model = {f"model.layers.{i}.mlp.up_proj.weight": draw(64, 100 + i) for i in range(4)}
    model["model.layers.3.mlp.up_proj.weight"][::2] = 0
    (row,) = ws.spectrum(model, by="role", panels=False).rows
    assert row["note"].endswith("model.layers.3.mlp.up_proj.weight: 32 zero rows left out")


def test_a_constant_in_a_group_is_noted(draw):
    """It takes part in the pooled values and would else be seen nowhere."""
    model = {f"model.layers.{i}.mlp.up_proj.weight": draw(40, 30) for i in range(3)}
    model["model.layers.1.mlp.up_proj.weight"][:] = 0.5
    (row,) = ws.fit(model, by="role").rows
    noted = "1 of 3 tensors noted: model.layers.1.mlp.up_proj.weight: 1 distinct value"
    assert noted in row["note"]
