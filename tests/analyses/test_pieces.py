"""Pieces: fused parts, experts, transposed storage, adapters, and what is not measured."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws

QKV = "transformer.h.0.attn.c_attn.weight"


def std(tensor):
    return tensor.double().numpy().std()


def test_fused_parts(draw, by_name):
    """q, k and v of a fused tensor get a row each; --no-split keeps it whole."""
    stored = torch.cat(
        [draw(48, 48), draw(48, 48, std=1.0), draw(48, 48, std=3.0)], dim=1
    )  # in x out
    model = {
        QKV: stored,
        "transformer.h.0.attn.c_proj.weight": draw(48, 48),
        "transformer.wte.weight": draw(60, 48),
    }
    rows = by_name(ws.fit(model))
    for i, part in enumerate("qkv"):
        row = rows[f"{QKV}[{part}]"]
        assert (row["part"], row["role"], row["params"], row["shape"]) == (
            part,
            f"attn.{part}",
            48 * 48,
            "48x144",
        )
        assert row["std"] == pytest.approx(std(stored[:, 48 * i : 48 * i + 48]), rel=1e-9)
    whole = by_name(ws.fit(model, split=False))
    assert whole[QKV]["std"] == pytest.approx(std(stored), rel=1e-9)
    assert QKV in by_name(ws.ls(model))


def test_conv1d_is_its_transpose(draw, by_name):
    """Stored (in, out): rows and columns are those of the oriented matrix."""
    w = draw(48, 192) * torch.linspace(0.1, 3, 192)
    names = {
        "transformer.h.0.mlp.c_fc.weight": w,
        "transformer.h.0.mlp.c_proj.weight": draw(192, 48),
    }
    stored = by_name(ws.fit(names))["transformer.h.0.mlp.c_fc.weight"]
    turned = ws.fit({"model.layers.0.mlp.up_proj.weight": w.T.contiguous()}).rows[0]
    same = (
        "std",
        "beta",
        "row_spread",
        "col_spread",
        "row_spread_null",
        "lag_row",
        "lag_col",
        "row_mean_share",
    )
    assert [stored[c] for c in same] == pytest.approx([turned[c] for c in same], rel=1e-6)
    assert turned["row_spread"] > 0.5 > turned["col_spread"]


def test_experts(draw, by_name):
    """A stack of experts is a row each."""
    name = "model.layers.0.mlp.experts.down_proj"
    stack = torch.stack([draw(32, 24, std=s) for s in (0.1, 1.0, 10.0)])
    rows = by_name(ws.fit({name: stack}))
    found = {k: v for k, v in rows.items() if k.startswith(name)}
    assert len(found) == 3
    assert sorted(v["std"] for v in found.values()) == pytest.approx(
        sorted(std(w) for w in stack), rel=1e-9
    )


def test_lora_pairs(draw, tmp_path, by_name):
    """One row scale * B A for a pair, where the adapted module stands; ls lists A and B."""
    a, b = draw(4, 48), draw(64, 4)
    stem = "base_model.model.model.layers.1.mlp.up_proj"
    save_file(
        {f"{stem}.lora_A.weight": a, f"{stem}.lora_B.weight": b},
        tmp_path / "adapter_model.safetensors",
    )
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"r": 4, "lora_alpha": 8, "peft_type": "LORA"})
    )
    (row,) = ws.fit(tmp_path).rows
    assert (row["tensor"], row["role"], row["layer"], row["kind"]) == (
        f"{stem}[lora]",
        "mlp.up",
        1,
        "matrix",
    )
    assert (row["shape"], row["params"]) == ("64x48", 64 * 48)
    assert row["std"] == pytest.approx(std(2 * (b @ a)), rel=1e-5)
    assert set(by_name(ws.ls(tmp_path))) == {f"{stem}.lora_A.weight", f"{stem}.lora_B.weight"}


def test_an_unscaled_pair_says_so(draw):
    """A bare file has no alpha: scale 1, and a note."""
    stem = "model.layers.1.mlp.up_proj"
    (row,) = ws.fit(
        {f"{stem}.lora_A.weight": draw(4, 48), f"{stem}.lora_B.weight": draw(64, 4)}
    ).rows
    assert "unscaled" in row["note"]


@pytest.mark.parametrize("command", [ws.fit, ws.spectrum, ws.ls], ids=lambda f: f.__name__)
def test_a_broken_pair_is_two_matrices_that_say_so(draw, by_name, command):
    """Partner missing, or ranks that disagree."""
    stem = "model.layers.1.mlp.{}_proj.lora_{}.weight".format
    model = {
        stem("up", "A"): draw(4, 48),
        stem("gate", "A"): draw(4, 48),
        stem("gate", "B"): draw(64, 8),
    }
    notes = {name: (row["note"] or "").split("; ") for name, row in by_name(command(model)).items()}
    assert "lora A without its B: measured alone" in notes[stem("up", "A")]
    for side in "AB":
        assert (
            "lora A of rank 4 and B of rank 8 do not multiply: measured alone"
            in notes[stem("gate", side)]
        )


def test_buffers_and_optimizer_states_are_listed_only(draw, tmp_path):
    """Counters, running statistics and optimizer state are in `ls`, never in `fit`."""
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8))
    moments = {i: {"exp_avg": draw(8, 3, 3, 3)} for i in range(1)}
    path = tmp_path / "training.pt"
    torch.save(
        {"model": net.state_dict(), "optimizer": {"state": moments, "param_groups": []}}, path
    )
    measured = [row["tensor"] for row in ws.fit(path).rows]
    assert measured == ["0.bias", "0.weight", "1.bias", "1.weight"]
    listed = {row["tensor"]: row for row in ws.ls(path).rows}
    assert {"1.running_mean", "1.num_batches_tracked"} <= set(listed)
    assert listed["1.running_mean"]["kind"] == "buffer"


def test_aliases_are_measured_once(draw, tmp_path, by_name):
    """A tied head is one row in `fit` and two in `ls`, the second of 0 bytes."""
    embed = draw(40, 16)
    path = tmp_path / "tied.pt"
    torch.save({"model.embed_tokens.weight": embed, "lm_head.weight": embed}, path)
    assert len(ws.fit(path).rows) == 1
    listed = by_name(ws.ls(path))
    assert sorted((row["bytes"], row["alias_of"] is None) for row in listed.values()) == [
        (0, False),
        (2560, True),
    ]


def test_unmeasurable_types_keep_their_row():
    """Complex numbers: a row of nulls that says why, not the end of the run."""
    report = ws.fit(
        {"a.weight": torch.ones(3, 3, dtype=torch.complex64), "b.weight": torch.ones(3, 3)}
    )
    phase, plain = report.rows
    assert phase["std"] is None
    assert "C64" in phase["note"]
    assert plain["max"] == 1
    assert report.unmeasured == ("a.weight",)


def test_vectors_have_element_statistics_only(draw):
    """A norm has moments and laws; of rows and columns it has none, and says so once."""
    (row,) = ws.fit({"model.norm.weight": draw(2000)}).rows
    assert row["std"] is not None
    assert row["beta"] is not None
    assert row["row_spread"] is None
    assert row["note"] == "a vector: element statistics only"


def test_nonfinite_elements_are_counted_and_left_out(draw):
    """The statistics of the finite values, a label for the rest."""
    w = draw(50, 40)
    w[2, 5:8] = torch.tensor([float("nan"), float("inf"), float("-inf")])
    (row,) = ws.fit({"model.layers.0.mlp.up_proj.weight": w}).rows
    assert (row["nan"], row["inf"]) == (1, 2)
    assert row["std"] == pytest.approx(np.nanstd(w[w.isfinite()].double().numpy()), rel=1e-9)
    assert (
        "1 NaN and 2 Inf, the first at row 2, column 5: statistics of the finite values"
        in row["note"]
    )
    assert row["lag_row"] is None


def test_the_first_nonfinite_element_stands_in_the_oriented_matrix(draw, by_name):
    """Out x in, also of in x out and of a convolution; a part is indexed from its first element."""
    fc, qkv, conv, norm = draw(48, 192), draw(48, 144), draw(8, 3, 3, 3), draw(48)
    fc[7, 3] = fc[5, 9] = qkv[10, 50] = conv[2, 1, 0, 2] = norm[7] = float("nan")
    names = {
        "transformer.h.0.mlp.c_fc.weight": fc,
        QKV: qkv,
        "conv.weight": conv,
        "transformer.ln_f.weight": norm,
    }
    rows = by_name(ws.fit(names))
    said = {name: row["note"].split(":")[0] for name, row in rows.items() if row["nan"]}
    assert said == {
        "transformer.h.0.mlp.c_fc.weight": "2 NaN, the first at row 3, column 7",
        f"{QKV}[k]": "1 NaN at row 2, column 10",
        "conv.weight": "1 NaN at row 2, column 11",
        "transformer.ln_f.weight": "a vector",
    }
    assert "1 NaN at index 7" in rows["transformer.ln_f.weight"]["note"]
    (pooled,) = (row for row in ws.fit(names, by="role").rows if row["role"] == "mlp.up")
    assert "2 NaN: statistics of the finite values" in pooled["note"]


@pytest.mark.parametrize(
    "name", ["model.layers.0.mlp.up_proj.weight", "transformer.h.0.mlp.c_fc.weight"]
)
@pytest.mark.usefixtures("measured_anew")
def test_the_first_place_does_not_depend_on_resources(name):
    """A matrix of several runs, cut along either side."""
    w = torch.zeros(2000, 9000, dtype=torch.bfloat16)
    w[1500, 8000], w[1700, 100], w[1999, 0] = float("inf"), float("nan"), float("nan")
    where = "row 1500, column 8000" if "layers" in name else "row 0, column 1999"
    for resources in ({"threads": 1}, {"threads": 2}, {"memory": 256 << 20}):
        (row,) = ws.fit(
            {name: w}, columns=("tensor", "nan", "note"), panels=False, **resources
        ).rows
        assert (
            row["note"] == f"2 NaN and 1 Inf, the first at {where}: statistics of the finite values"
        )


NEOX = "gpt_neox.layers.{}.attention.query_key_value.{}".format
TOGETHER = (
    "q, k and v stay together: needs num_attention_heads of config.json, put it beside the weights"
)


@pytest.mark.parametrize(
    "command", [ws.fit, ws.spectrum, ws.ls, ws.outliers], ids=lambda f: f.__name__
)
def test_a_fused_tensor_that_stays_whole_says_why(draw, by_name, command):
    """And what to do; not where nobody wanted its parts, and not of what is no fused tensor."""
    fused, plain = (
        (NEOX(0, "weight"), NEOX(0, "bias")),
        "gpt_neox.layers.0.mlp.dense_h_to_4h.weight",
    )
    model = {fused[0]: draw(96, 32), fused[1]: draw(96), plain: draw(8, 9)}
    rows = by_name(command(model))
    assert all(TOGETHER in rows[name]["note"].split("; ") for name in fused)
    assert "together" not in (rows[plain]["note"] or "")
    assert not any("together" in (row["note"] or "") for row in command(model, split=False).rows)


@pytest.mark.parametrize(
    ("name", "shape", "config", "said"),
    [
        (NEOX(0, "weight"), (96, 32), {"num_attention_heads": 5},
         "q, k and v stay together: 96 lines are not 3 parts of 5 heads, say how with --name-map"),
        ("h.0.self_attention.query_key_value.weight", (96, 32), {},
         "q, k and v stay together: needs model_type of config.json, put it beside the weights"),
        ("model.layers.0.mlp.experts.gate_up_proj", (2, 32, 32), {},
         "gate and up stay together: needs the orientation, which neither config.json nor the "
         "shapes decide, "
         "say how with --name-map"),
        ("model.layers.0.self_attn.kv_a_proj_with_mqa.weight", (96, 32), {},
         "its parts stay together: needs kv_lora_rank of config.json, put it beside the weights"),
    ],
    ids=["heads that do not fit", "two layouts of one name", "experts", "other parts"],
)  # fmt: skip
def test_each_reason_has_its_cure(draw, tmp_path, name, shape, config, said):
    """A file to add, or a rule to write."""
    save_file({name: draw(*shape)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert all(said in row["note"].split("; ") for row in ws.fit(tmp_path).rows)
    assert said in ws.ls(tmp_path).rows[0]["note"]


def test_listing_keeps_whole_what_was_split(draw, by_name):
    """One row a stored tensor, with its own role, and no word of parts."""
    model = {QKV: draw(48, 144), "transformer.wte.weight": draw(60, 48)}
    row = by_name(ws.ls(model))[QKV]
    assert (row["role"], row["part"], row["note"]) == ("attn.qkv", None, None)
