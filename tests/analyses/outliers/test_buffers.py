"""Buffers in `outliers`: floating ones are checked for NaN and Inf; broken ones get a row."""

from math import inf, nan

import pytest
import torch

import weightscope as ws


def network():
    """A convolution and its normalisation, in eval mode ready to break."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8)).state_dict()


def causal(size=16, dtype=torch.float32, fill=-inf):
    """A causal mask: zeros, and `fill` above the diagonal."""
    return torch.full((1, 1, size, size), fill, dtype=dtype).triu(1)


WEIGHTS = ["0.bias", "0.weight", "1.bias", "1.weight"]


def test_sound_buffers_have_no_row(by_name):
    """Running statistics, counters and masks of a sound model."""
    state = network() | {
        "transformer.h.0.attn.bias": causal(),
        "rotary_emb.inv_freq": torch.rand(8),
        "model.layers.0.attn.causal_mask": torch.ones(4, 4) > 0,
    }
    report = ws.outliers(state)
    assert list(by_name(report)) == WEIGHTS
    assert report.closing == "4 tensors: 0 errors, 0 warnings"


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2]
)
@pytest.mark.parametrize(("value", "column"), [(nan, "nan"), (inf, "inf"), (-inf, "inf")])
def test_a_broken_buffer_has_a_row_and_its_finding(by_name, dtype, value, column):
    """One NaN or Inf is counted and located; all other columns of a buffer are null."""
    state = network()
    state["1.running_var"][2] = value
    state["1.running_var"] = state["1.running_var"].to(dtype)
    row = by_name(ws.outliers(state))["1.running_var"]
    assert (row[column], row["nan"] + row["inf"]) == (1, 1)
    assert (row["kind"], row["severity"], row["findings"]) == ("buffer", "error", "WS101")
    assert "at index 2" in row["note"]
    assert "a buffer: checked for NaN and Inf only" in row["note"]
    assert row["max_z"] is row["zeros"] is row["lattice"] is row.get("duplicate_of") is None


def test_gates_see_broken_buffers():
    """With any columns, per tensor and grouped; not in a list of weights."""
    state = network()
    state["1.running_mean"][:2] = nan
    for options in ({}, {"columns": "tensor"}, {"columns": ["tensor", "dead_rows"]}):
        with pytest.raises(
            ws.GateFailed, match=r"1 of 5 rows match\n  1.running_mean  nan=2  inf=0"
        ):
            ws.outliers(state, fail_if="nan + inf > 0", **options)
    for by in ("role", "layer", "model"):
        with pytest.raises(ws.GateFailed, match=r"nan=2  inf=0") as caught:
            ws.outliers(state, by=by, fail_if="nan + inf > 0")
        (row,) = caught.value.report.gates[0].rows
        assert (row["kind"], row["tensors"], row["findings"], row["nan_max"]) == (
            "buffer",
            1,
            "WS101",
            2,
        )
    assert {row["tensor"] for row in ws.outliers(state, top=400).rows} <= set(WEIGHTS)
    assert "1.running_mean" not in {row["tensor"] for row in ws.outliers(state, top_rows=400).rows}


MASKS = {
    "a causal mask": ("transformer.h.0.attn.bias", causal(), False),
    "in half precision": ("transformer.h.0.attn.bias", causal(dtype=torch.bfloat16), False),
    "one of many elements": ("transformer.h.0.attn.bias", causal(300), False),
    "a named vector": ("model.layers.0.attn.causal_mask", torch.tensor([0.0, 1.0, -inf]), False),
    "a name that ends in mask": ("decoder.tgt_mask", causal() + torch.arange(16.0), False),
    "a mask by itself": ("mask", causal(), False),
    "statistics of a mask head": ("mask_head.0.1.running_mean", torch.tensor([1.0, -inf]), True),
    "a scale of blocks": (
        "h.0.mlp.up_proj.weight_scale_inv",
        torch.tensor([[1.0, 1.0], [1.0, -inf]]),
        True,
    ),
    "a NaN in a mask": ("transformer.h.0.attn.bias", causal().masked_fill(causal() < 0, nan), True),
    "Inf of the other sign": ("transformer.h.0.attn.bias", causal(fill=inf), True),
    "of many elements, of the other sign": (
        "transformer.h.0.attn.bias",
        causal(300, fill=inf),
        True,
    ),
    "different values": ("transformer.h.0.attn.bias", causal() + torch.arange(16.0), True),
    "nothing finite": ("transformer.h.0.attn.bias", torch.full((4, 4), -inf), True),
    "a vector": ("1.running_mean", torch.tensor([0.0, -inf]), True),
}


@pytest.mark.parametrize(("name", "tensor", "broken"), MASKS.values(), ids=MASKS)
def test_masks_hold_minus_inf_by_design(by_name, name, tensor, broken):
    """-Inf and one other value in a matrix, or in a tensor named a mask; nothing else."""
    state = {"h.0.attn.q_proj.weight": torch.randn(8, 8), name: tensor}
    assert by_name(ws.ls(state))[name]["kind"] == "buffer"
    assert (name in by_name(ws.outliers(state))) == broken


def test_a_selection_of_buffers(by_name):
    """Sound ones give a message and no row; a gate on them passes; broken ones give a row."""
    state = network()
    weights = ["*.weight", "*.bias"]
    sound = ws.outliers(state, exclude=[*weights, "*tracked"], fail_if="nan + inf > 0")
    assert sound.rows == ()
    assert sound.notes == ("no weight among 2 tensors; 2 buffers checked for NaN and Inf",)
    counters = ws.outliers(state, exclude=[*weights, "*running*"])
    assert counters.notes == ("no weight among 1 tensor; 0 buffers checked for NaN and Inf",)
    state["1.running_var"][0] = nan
    assert list(by_name(ws.outliers(state, exclude=weights))) == ["1.running_var"]


def test_named_buffers_have_the_numbers_of_weights(by_name):
    """Integers too; findings are those of buffers, a gate on sound ones passes."""
    state = network()
    running = state["1.running_mean"] = torch.randn(8)
    sound = ws.outliers(state, include="*running*", fail_if="nan + inf > 0")
    row = by_name(sound)["1.running_mean"]
    z = (running - running.mean()).abs() / running.std(correction=0)
    assert row["max_z"] == pytest.approx(float(z.max()), rel=1e-5)
    assert "a buffer: findings on NaN and Inf only" in row["note"]
    assert (sound.notes, sound.coverage) == (
        (),
        "2 of 7 tensors measured; left out: 5 not selected",
    )
    counter = by_name(ws.outliers(state, include="*tracked"))["1.num_batches_tracked"]
    assert (counter["zeros"], counter["findings"]) == (1, None)
    state["1.running_var"][0] = nan
    findings = {row["tensor"]: row["findings"] for row in ws.outliers(state, role="buffer").rows}
    assert findings == {
        "1.num_batches_tracked": None,
        "1.running_mean": None,
        "1.running_var": "WS101",
    }
    (group,) = ws.outliers(state, role="buffer", by="role").rows
    assert (group["nan"], group["tensors"], group["findings"]) == (1, 3, "WS101")
    every = torch.cat([running, torch.ones(7), torch.zeros(1)])
    z = (every - every.mean()).abs() / every.std(correction=0)
    assert group["max_z"] == pytest.approx(float(z.max()), rel=1e-5)


def test_a_named_mask_has_no_finding(by_name):
    """Neither for its -Inf nor for its equal rows; beside a buffer that is only checked."""
    state = {"h.0.attn.q_proj.weight": torch.randn(8, 8), "h.0.attn.causal_mask": causal()}
    state["h.0.attn.rotary_emb.inv_freq"] = torch.full((4,), nan)
    report = ws.outliers(state, include=["*mask", "*h.0.*"])
    mask = by_name(report)["h.0.attn.causal_mask"]
    assert (mask["inf"], mask["severity"]) == (120, None)
    assert report.coverage == "2 of 3 tensors measured; left out: 1 buffer"
    grouped = ws.outliers(state, include=["*mask", "*h.0.*"], by="role").rows
    assert {row["role"]: (row["nan"], row["inf"]) for row in grouped}["buffer"] == (4, 120)


def test_buffers_are_no_part_of_a_comparison_or_a_picture():
    """`base` compares weights, `plot` draws them; `ignore` keeps the row."""
    state, base = network(), network()
    state["1.running_var"][0] = nan
    base["0.weight"] += 1
    del base["1.running_var"]
    report = ws.outliers(state, base=base, panels=True, ignore="WS101")
    assert not any("running" in note for note in report.notes)
    assert not any("running" in panel.title for panel in report.panels)
    row = next(row for row in report.rows if row["tensor"] == "1.running_var")
    assert (row["nan"], row["findings"]) == (1, None)


def test_fit_and_spectrum_leave_buffers_out():
    """They measure weights; `outliers` is the check."""
    state = network()
    state["1.running_var"][0] = nan
    assert [row["tensor"] for row in ws.fit(state).rows] == WEIGHTS
