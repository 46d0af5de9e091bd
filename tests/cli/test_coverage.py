"""The coverage line at the end of every command: what was measured, and what was left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import weightscope as ws
from weightscope.analyses import ANALYSES


def weights(*shape):
    """Gaussian weights."""
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


MODEL = {
    "layers.0.mlp.up_proj.weight": weights(48, 32),
    "layers.1.mlp.up_proj.weight": weights(48, 32),
    "layers.0.self_attn.rotary_emb.inv_freq": weights(4),
    "embeddings.position_ids": np.arange(8)[None],
    "norm.weight": weights(32),
    "bn.running_mean": weights(8),
    "bn.weight": weights(8),
    "bn.bias": weights(8),
    "lm_head.qweight": weights(4, 8).astype(np.int32),
    "lm_head.scales": weights(1, 8).astype(np.float16),
}


@pytest.fixture
def mixed(store):
    """Six weights, two of them matrices, three buffers, codes with their scales."""
    return store(MODEL)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("ls", "10 of 10 tensors listed"),
        ("fit", "5 of 10 tensors measured; left out: 4 buffers, 1 coded (GPTQ or AWQ)"),
        (
            "spectrum",
            "2 of 10 tensors measured; left out: 4 buffers, 1 coded (GPTQ or AWQ), 3 vectors",
        ),
        ("outliers", "5 of 10 tensors measured; left out: 4 buffers, 1 coded (GPTQ or AWQ)"),
        (
            "depth",
            "2 of 10 tensors measured; left out: 4 buffers, 1 coded (GPTQ or AWQ), "
            "3 without a layer",
        ),
    ],
)
def test_every_command_ends_with_what_it_left_out(weightscope, mixed, command, line):
    """Every stored tensor is counted once; nothing of it with --quiet."""
    done = weightscope(command, mixed)
    assert (done.code, done.coverage) == (0, line)
    quiet = weightscope(command, mixed, "-q")
    assert (quiet.coverage, quiet.err, quiet.out) == ("", "", done.out)


def test_a_gate_that_matches_has_a_line_too(weightscope, mixed):
    """Below the rows that match; with --quiet the gate alone."""
    gate = ("fit", mixed, "--role", "norm", "--fail-if", "std > 0")
    done = weightscope(*gate)
    assert done.err.splitlines()[0] == "gate 'std > 0': 2 of 2 rows match"
    assert done.coverage == "2 of 10 tensors measured; left out: 8 not selected"
    quiet = weightscope(*gate, "-q")
    assert (quiet.code, quiet.err, quiet.coverage) == (1, done.err, "")


def test_every_analysis_has_a_line(mixed):
    """No subcommand is without one; in Python it is `coverage`."""
    for analysis in ANALYSES:
        sources = [mixed] * analysis.least
        if analysis.name == "compare":
            sources = [mixed, mixed]
        assert " of " in getattr(ws, analysis.name)(*sources).coverage


def test_both_sides_of_a_comparison_are_counted(weightscope, mixed, store):
    """Tensors of A and of B; a tensor that only one of them has is without a partner."""
    other = {name: tensor for name, tensor in MODEL.items() if "qweight" not in name}
    other["extra.weight"] = weights(4, 4)
    done = weightscope("compare", mixed, store(other, "b.safetensors"))
    assert done.coverage == (
        "18 of 20 tensors measured; left out: 1 coded (GPTQ or AWQ), 1 without a partner"
    )


def test_several_models_have_one_line(weightscope, mixed):
    """The sum over the models, and what the selection left out."""
    done = weightscope("fit", mixed, mixed, "-i", "layers.0.*")
    assert done.coverage == "2 of 20 tensors measured; left out: 2 buffers, 16 not selected"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--role", "buffer", "-i", "*_ids"], ["embeddings.position_ids"]),
        (["-i", "*running_mean"], ["bn.running_mean"]),
        (["-i", "*_ids", "-i", "norm*"], ["embeddings.position_ids", "norm.weight"]),
        (["-i", "bn*"], ["bn.bias", "bn.weight"]),
        (["--role", "*norm*"], ["bn.bias", "bn.weight", "norm.weight"]),
        (["--role", "buf*", "--layers", "0"], ["layers.0.self_attn.rotary_emb.inv_freq"]),
    ],
)
def test_a_glob_that_matches_no_weight_selects_buffers(weightscope, mixed, options, names):
    """One that matches a weight selects weights alone: rows stay as they are."""
    done = weightscope("fit", mixed, *options, "--columns", "tensor")
    assert done.out.splitlines() == ["tensor", *names]
    assert done.coverage.startswith(f"{len(names)} of 10 tensors measured; left out: ")


def test_a_buffer_on_request_has_its_numbers(mixed):
    """Those of numpy."""
    (row,) = ws.fit(mixed, include=["bn.running_mean"]).rows
    assert row["std"] == pytest.approx(MODEL["bn.running_mean"].std(ddof=0), rel=1e-6)


BUFFERS = {
    "layers.0.attn.q_proj.weight": weights(12, 12),
    "layers.0.attn.relative_coords_table": weights(12, 9),
    "layers.0.attn.causal_mask": np.tril(np.ones((9, 9), dtype=np.int64)),
    "layers.0.attn.seen": np.triu(np.ones((9, 9), dtype=bool)),
    "layers.0.bn.running_mean": weights(12),
}
STATE = {name: torch.from_numpy(array) for name, array in BUFFERS.items()}
NAMED = ["*table", "*causal_mask", "*seen", "*running_mean"]
ON_REQUEST = "4 of 5 tensors measured; left out: 1 not selected"


def test_spectrum_measures_named_buffers():
    """Matrices of any type; a vector is left out as one."""
    report = ws.spectrum(STATE, include=NAMED)
    assert report.coverage == "3 of 5 tensors measured; left out: 1 vector, 1 not selected"
    rows = {row["tensor"]: row for row in report.rows}
    for name in list(rows)[:3]:
        largest = np.linalg.norm(BUFFERS[name], 2)
        assert rows[name]["sigma_max"] == pytest.approx(largest, rel=1e-5)
    assert rows["layers.0.bn.running_mean"]["note"] == "a vector: no spectrum"
    assert ws.spectrum(STATE).coverage == "1 of 5 tensors measured; left out: 4 buffers"


def test_outliers_measures_named_buffers():
    """A matrix has its marked rows, an integer one too."""
    report = ws.outliers(STATE, include=NAMED)
    assert report.coverage == ON_REQUEST
    rows = {row["tensor"]: row for row in report.rows}
    assert rows["layers.0.attn.causal_mask"]["zeros"] == 36
    assert rows["layers.0.attn.relative_coords_table"]["outlier_rows"] is not None


def test_depth_measures_named_buffers():
    """Statistics of `fit`, `spectrum` and `outliers`."""
    stats = ["std", "stable_rank", "zeros"]
    report = ws.depth(STATE, include=NAMED, stat=stats, per_layer=True)
    assert report.coverage == ON_REQUEST
    of_table = {row["statistic"]: row["value"] for row in report.rows if "table" in row["slot"]}
    table = BUFFERS["layers.0.attn.relative_coords_table"]
    energy = np.linalg.norm(table) ** 2 / np.linalg.norm(table, 2) ** 2
    assert of_table["std"] == pytest.approx(table.std(), rel=1e-5)
    assert of_table["stable_rank"] == pytest.approx(energy, rel=1e-5)


def test_compare_measures_named_buffers():
    """The relative change of those that are named; without a name equal words alone."""
    mean = "layers.0.bn.running_mean"
    other = STATE | {mean: STATE[mean] * 1.5}
    named = ws.compare(STATE, other, include=NAMED)
    assert named.coverage == "8 of 10 tensors measured; left out: 2 not selected"
    rows = {row["tensor"]: row for row in named.rows}
    assert rows[mean]["relative"] == pytest.approx(0.5, rel=1e-6)
    assert rows["layers.0.attn.causal_mask"]["relative"] == 0
    (row,) = [row for row in ws.compare(STATE, other).rows if "running" in row["tensor"]]
    assert (row["status"], row["relative"]) == ("changed", None)


def test_a_comparison_without_a_status_has_no_failure():
    """Where no column needs one, none is missing: a list of names, a picture of laws."""
    for options in ({"columns": "tensor"}, {"columns": "tensor", "panels": True}):
        report = ws.compare(STATE, STATE, role="attn.q", **options)
        assert (report.coverage, report.unmeasured) == (
            "2 of 10 tensors measured; left out: 8 not selected",
            (),
        )


def test_tensors_without_numbers_are_named_by_reason():
    """Empty ones, types without values, tensors without data or with NaN alone, each its reason."""
    odd = {
        "a.weight": torch.from_numpy(weights(8, 8)),
        "b.weight": torch.empty(0, 8),
        "c.phase": torch.zeros(4, 4, dtype=torch.complex64),
        "d.weight": torch.empty(4, 4, device="meta"),
        "e.weight": torch.full((8, 8), float("nan")),
    }
    assert ws.spectrum(odd).coverage == (
        "1 of 5 tensors measured; left out: 1 empty, 1 not decoded (C64), 1 without data, "
        "1 without a result"
    )


def test_a_matrix_beyond_the_memory_is_named(mixed):
    """It is left out, with the option that measures it."""
    big = {"a.weight": torch.from_numpy(weights(1200, 1200)), "b.weight": torch.ones(4, 4)}
    assert ws.spectrum(big, memory="3MiB").coverage == (
        "1 of 2 tensors measured; left out: 1 beyond --memory"
    )


def test_factors_and_halves_are_measured_with_their_product(weightscope):
    """A and B of an adapter, g and v of a weight norm."""
    halves = {"conv.weight_g": torch.ones(4, 1, 1), "conv.weight_v": torch.ones(4, 3, 3)}
    assert ws.fit(halves).coverage == "2 of 2 tensors measured"
    assert weightscope("fit", "demo:gpt-lora").coverage == "16 of 16 tensors measured"
    done = weightscope("compare", "demo:gpt", "demo:gpt-lora", "--columns", "status")
    assert done.coverage == "55 of 55 tensors measured"


def test_optimizer_state_and_averages_are_named(weightscope, tmp_path):
    """Tensors beside the model are no part of the measured ones."""
    w = torch.from_numpy(weights(8, 8))
    beside = {"state": {0: {"exp_avg": w, "exp_avg_sq": w + 1}}, "param_groups": []}
    torch.save({"model": {"a.weight": w + 2}, "optimizer": beside}, tmp_path / "run.pt")
    assert weightscope("fit", tmp_path / "run.pt").coverage == (
        "1 of 3 tensors measured; left out: 2 of training state or averages"
    )
    assert weightscope("ls", tmp_path / "run.pt").coverage == "3 of 3 tensors listed"


def test_a_line_of_a_stored_report_is_that_of_the_model(weightscope, mixed, tmp_path):
    """A comparison with a stored report measures the model alone."""
    weightscope("fit", mixed, "-o", tmp_path / "r.parquet")
    done = weightscope("compare", tmp_path / "r.parquet", mixed)
    assert done.coverage.startswith("5 of 10 tensors measured; left out: 4 buffers")
