"""What coupling leaves out: NaN and Inf, models without a pair, tensors in no pair."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.analyses.depth.coupled import LAYERS, WIDTH, coupled, llama, name, pair, stored


@pytest.mark.parametrize("of", [(), ("scales",)])
def test_nan_and_inf_are_noted(of):
    """0 in a matrix; an element of a gain is left out, and the note has the layers."""
    model = llama()
    gains = 9 + torch.randn(LAYERS, WIDTH, generator=torch.Generator().manual_seed(3))
    gains[:, 5] = torch.nan
    gain = "model.layers.{}.input_layernorm.weight"
    model |= {gain.format(i): gains[i] for i in range(LAYERS)}
    model[name("mlp.up", 2)][3, 4] = torch.inf
    report = coupled(model, of=of)
    row = pair(report, "mlp.up.rows", "mlp.down.cols", "scales")
    assert (row["note_codes"], row["layers"]) == ("non-finite", LAYERS)
    assert row["note"].startswith("NaN or Inf in layer 2: ")
    assert pair(report, "mlp.gate.rows", "mlp.down.cols", "scales")["note"] is None
    row = pair(report, "norm[attn].gain", "attn.q.cols", "scales")
    assert row["note"].startswith("NaN or Inf in layers 0-3: ")
    if not of:
        means = torch.stack([model[name("attn.q", i)].mean(0) for i in range(LAYERS)])
        kept = [j for j in range(WIDTH) if j != 5]
        rho = [np.corrcoef(gains[i, kept], means[i, kept])[0, 1] for i in range(LAYERS)]
        found = pair(report, "norm[attn].gain", "attn.q.cols", "means")["median_rho"]
        assert found == pytest.approx(np.median(rho), abs=1e-6)


def test_one_of_several_models_without_a_pair(tmp_path):
    """It is named, and the others are measured."""
    whole = stored(llama(), tmp_path / "whole")
    ups = {k: v for k, v in llama().items() if "up_proj" in k}
    with pytest.warns(match=r"up: expected two vectors .* found the roles mlp\.up; "):
        report = ws.depth(whole, stored(ups, tmp_path / "up"), coupling=True, panels=False)
    assert {row["source"] for row in report.rows} == {str(whole)}


def test_coverage_counts_what_is_in_a_pair():
    """A bias without effect and a convolution of a block are not read."""
    model = llama() | {"model.position_embeddings.weight": torch.ones(7, WIDTH)}
    gains = torch.randn(LAYERS, WIDTH, generator=torch.Generator().manual_seed(3))
    for i in range(LAYERS):
        model[f"model.layers.{i}.self_attn.k_proj.bias"] = gains[i]
        model[f"model.layers.{i}.conv.weight"] = torch.ones(4, 4, 3, 3)
    read = 7 * LAYERS
    line = f"{read} of {len(model)} tensors measured; left out: 1 without a layer, 8 in no pair"
    assert coupled(model).coverage == line
    series = ws.depth(model, stat="std", panels=False)
    assert (
        series.coverage
        == f"{read + 8} of {len(model)} tensors measured; left out: 1 without a layer"
    )
