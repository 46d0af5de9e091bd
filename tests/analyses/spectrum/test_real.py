"""Spectra of real checkpoints: untrained, trained, attention heads and LoRA pairs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import weightscope as ws

DATA = Path(__file__).parents[3] / "shared" / "data"
GPT6 = DATA / "gpt6"
START, END = (GPT6 / f"gpt6_seed0_step{step}.safetensors" for step in ("00000", "01600"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared checkpoints are not here")


def matrices(path, **options):
    """Rows that have a spectrum, by tensor."""
    report = ws.spectrum(path, panels=False, **options)
    assert report.unmeasured == ()
    assert all(row["rank"] is not None or "no spectrum" in row["note"] for row in report.rows)
    return {row["tensor"]: row for row in report.rows if row["rank"] is not None}


def test_an_untrained_network_is_noise():
    """No spike, depth 1, full rank and the Marchenko-Pastur law, balanced too, in 38 matrices."""
    rows = matrices(START, balance=True)
    assert len(rows) == 38
    for name, row in rows.items():
        assert (row["spikes"], row["spikes_balanced"], row["rank"]) == (
            0,
            0,
            min(row["m"], row["n"]),
        ), name
        assert (row["effective_depth"], row["effective_depth_balanced"]) == (1.0, 1.0), name
        assert max(row["null_ks"], row["mp_ks"]) < 0.04, name
        assert row["tail_excess"] == pytest.approx(1, abs=0.07), name
        assert row["identity"] == pytest.approx(
            row["identity_null"], abs=5 * row["identity_null"] / np.sqrt(row["m"])
        )
        drawn = 0.02 / np.sqrt(12) if "c_proj" in name else 0.02
        assert row["mp_sigma"] == pytest.approx(drawn, rel=0.05), name


def test_a_trained_one_is_not():
    """Spikes, depth and distance from noise in every matrix of the same network."""
    rows = matrices(END, balance=True)
    assert len(rows) == 38
    for name, row in rows.items():
        assert min(row["spikes"], row["spikes_balanced"]) >= 15, name
        assert min(row["effective_depth"], row["effective_depth_balanced"]) > 2, name
        assert min(row["null_ks"], row["tail_excess"] - 1) > 0.2, name


def test_singular_values_are_numpy_s():
    """Of one stored block and the embeddings, in float64, within the floor of the method."""
    asked = {
        "split": False,
        "include": ["*.h.3.*", "*.w?e.*"],
        "columns": ["tensor", "floor"],
        "values": True,
    }
    report = ws.spectrum(END, panels=False, **asked)
    floors = {row["tensor"]: row["floor"] for row in report.rows}
    found: dict[str, list[float]] = {}
    for line in report.tables["values"][1]:
        found.setdefault(line["tensor"], []).append(line["value"])
    with safe_open(END, "np") as file:
        for name, values in found.items():
            expected = np.linalg.svd(file.get_tensor(name).astype(np.float64), compute_uv=False)
            assert np.abs(np.array(values) - expected).max() <= floors[name], name
    assert len(found) == 6


def test_an_adapter_has_its_rank():
    """Rank 4 in each product, from the factors, scaled by 8/4."""
    rows = matrices(GPT6 / "lora")
    with safe_open(GPT6 / "lora" / "adapter_model.safetensors", "np") as file:
        for name in list(rows)[::4]:
            a, b = (
                file.get_tensor(f"{name.removesuffix('[lora]')}.lora_{x}.weight").astype(float)
                for x in "AB"
            )
            assert rows[name]["sigma_max"] == pytest.approx(
                np.linalg.norm(2 * b @ a, 2), rel=1e-9
            ), name
    assert [(row["rank"], row["method"]) for row in rows.values()] == [(4, "factors")] * 12
    disney = matrices(DATA / "lora_disney" / "lora_disney.safetensors", include="text_encoder:1*")
    assert [row["rank"] for row in disney.values()] == [1] * 11


def test_heads_of_a_model_that_shares_keys(tmp_path):
    """Eight heads of q and o, four of k and v, in five layers, by config.json."""
    shutil.copy(
        DATA / "stories260k" / "stories260K_f32.safetensors", tmp_path / "model.safetensors"
    )
    (tmp_path / "config.json").write_text(
        json.dumps({"num_attention_heads": 8, "num_key_value_heads": 4})
    )
    rows = matrices(tmp_path, per_head=True, role="attn.*")
    counts = {role: sum(row["role"] == f"attn.{role}" for row in rows.values()) for role in "qkvo"}
    assert counts == {"q": 40, "k": 20, "v": 20, "o": 40}
    assert {(row["m"], row["n"]) for row in rows.values()} == {(8, 64), (64, 8)}


def test_depthwise_kernels_have_no_spectrum():
    """In a detector: each has a note, and every other kernel is measured."""
    rows = ws.spectrum(DATA / "rfb320" / "version-RFB-320.pth", panels=False).rows
    notes = [row["note"] for row in rows if row["kind"] == "conv" and row["rank"] is None]
    assert len(notes) > 10
    assert set(notes) == {"a depthwise kernel: no spectrum"}
    assert all(
        row["shape"].split("x")[1] != "1" for row in rows if row["kind"] == "conv" and row["rank"]
    )
    assert sum(row["rank"] is not None for row in rows) > 20
