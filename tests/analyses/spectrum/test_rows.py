"""`spectrum` through the library: matrices, views, products, groups, nulls, and equal bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from weightscope.analyses.spectrum import null_samples
from weightscope.statistics.spectra import spectrum_tail

UP = "model.layers.{}.mlp.up_proj.weight".format
QKV = "transformer.h.0.attn.c_attn.weight"
READINGS = ("sigma_max", "fro", "rank", "spikes", "effective_depth", "orthogonality")


@pytest.fixture
def spectra(by_name):
    """`spectra(model, ...)`: rows by tensor, without plots."""
    return lambda model, **options: by_name(ws.spectrum(model, panels=False, **options))


@pytest.fixture
def folder(tmp_path):
    """`folder(tensors, config)`: a checkpoint with its config.json, or an adapter with its own."""

    def write(tensors, config, name="model.safetensors", about="config.json"):
        save_file({k: v.contiguous() for k, v in tensors.items()}, tmp_path / name)
        (tmp_path / about).write_text(json.dumps(config))
        return tmp_path

    return write


def values(tensor):
    """Singular values by numpy in float64."""
    return np.linalg.svd(tensor.double().numpy(), compute_uv=False)


def holds(row, tensor):
    """A row is about exactly these elements: sides, largest and least value, energy."""
    expected = values(tensor)
    assert (row["m"], row["n"]) == tuple(tensor.shape)
    assert abs(row["sigma_max"] - expected[0]) <= row["floor"]
    assert abs(row["sigma_min"] - expected[-1]) <= row["floor"]
    assert row["fro"] == pytest.approx(np.linalg.norm(expected), rel=1e-9)
    assert row["stable_rank"] == pytest.approx((expected**2).sum() / expected[0] ** 2, rel=1e-9)


def planted(draw, rank, m=96, n=160):
    """Gaussian noise and `rank` directions well above it."""
    noise, u, v = draw(m, n, std=1.0), draw(m, rank, std=1.0), draw(rank, n, std=1.0)
    return noise + 0.4 * u @ v


def test_matrices_of_every_layout(draw, spectra):
    """As numpy has them: linear, stored in x out, and a kernel of four dimensions as out x rest."""
    linear, conv = draw(48, 96), draw(24, 5, 3, 3)
    model = {UP(0): linear, "transformer.h.0.mlp.c_fc.weight": draw(48, 192), "conv1.weight": conv}
    rows = spectra(model)
    holds(rows[UP(0)], linear)
    holds(rows["transformer.h.0.mlp.c_fc.weight"], model["transformer.h.0.mlp.c_fc.weight"].T)
    holds(rows["conv1.weight"], conv.reshape(24, 45))
    assert {row["method"] for row in rows.values()} == {"gram"}
    assert (rows["conv1.weight"]["shape"], rows["conv1.weight"]["kind"]) == ("24x5x3x3", "conv")


@pytest.fixture
def zoo(draw):
    """One of everything that is no matrix, a matrix that cannot be decoded, and a matrix."""
    return {
        "blocks.0.conv.weight": draw(8, 1, 3, 3),
        "head.weight": draw(40, 1),
        "model.layers.0.mlp.up_proj.bias": draw(48),
        UP(0): draw(48, 32),
        UP(1): torch.ones(4, 6, dtype=torch.complex64),
        "model.layers.0.attn.mask": torch.ones(16, 16, dtype=torch.bool),
        "model.layers.0.self_attn.q_proj.weight": draw(0, 32),
        "model.norm.weight": draw(32),
        "position_ids": torch.arange(64).view(1, 64),
        "running_var.freqs_cis": torch.ones(4, 6, dtype=torch.complex64),
        "phase.bias": torch.ones(4, dtype=torch.complex64),
        "bn.num_batches_tracked": torch.tensor(3),
    }


LACKS = {
    "blocks.0.conv.weight": "one input channel, depthwise or a bank of filters: no spectrum",
    "head.weight": "a vector: no spectrum",
    "model.layers.0.mlp.up_proj.bias": "a vector: no spectrum",
    "model.layers.0.attn.mask": "a buffer: no spectrum",
    "model.layers.0.self_attn.q_proj.weight": "no elements",
    "model.norm.weight": "a vector: no spectrum",
    "position_ids": "a buffer: no spectrum",
    "phase.bias": "complex numbers (C64) are not measured; a vector: no spectrum",
    "bn.num_batches_tracked": "a buffer: no spectrum",
}


def test_a_tensor_that_is_no_matrix_has_a_note(zoo, by_name):
    """Every tensor has a row; only the matrix that cannot be decoded counts as unmeasured."""
    report = ws.spectrum(zoo, panels=False)
    rows = by_name(report)
    assert set(rows) == set(zoo)
    for name, message in LACKS.items():
        assert rows[name]["note"].endswith(message), name
        assert {rows[name][c] for c in (*READINGS, "m", "method")} == {None}
    assert rows[UP(1)]["note"] == "complex numbers (C64) are not measured"
    assert (rows[UP(1)]["m"], rows[UP(1)]["n"], rows[UP(1)]["rank"]) == (4, 6, None)
    assert rows[UP(0)]["rank"] == 32
    lost = {UP(1)} | (
        {"running_var.freqs_cis"} if rows["running_var.freqs_cis"]["kind"] != "buffer" else set()
    )
    assert set(report.unmeasured) == lost
    assert report.notes == ()


@pytest.mark.parametrize("expert", [False, True])
def test_sides_of_a_matrix_that_cannot_be_decoded(spectra, expert):
    """Those of the part of the stored tensor, in math orientation."""
    dims, stem, words = (48, 144), QKV, {"transformer.wte.weight": torch.ones(60, 48)}
    if expert:
        dims, stem = (3, 20, 8), "model.layers.0.mlp.experts.gate_up_proj"
        words = {"model.embed_tokens.weight": torch.ones(60, 20)}
    rows = spectra({stem: torch.ones(dims, dtype=torch.complex64)} | words)
    found = [(row["m"], row["n"]) for name, row in rows.items() if name.startswith(stem)]
    assert found == ([(4, 20)] * 6 if expert else [(48, 48)] * 3)


@pytest.mark.parametrize(
    "more", [{}, {"svd": True}, {"balance": True}, {"null": "gaussian"}, {"null": "shuffle"}]
)
def test_a_non_finite_element_makes_nulls_with_a_reason(draw, more):
    """LAPACK does not fail, and other matrices of the stack keep their spectrum."""
    model = {UP(i): draw(48, 32) for i in range(4)}
    model[UP(1)][3, 4] = torch.nan
    model[UP(2)][3, 4] = torch.inf
    report = ws.spectrum(model, panels=False, **more)
    assert [row["rank"] for row in report.rows] == [32, None, None, 32]
    identity = {
        "tensor",
        "layer",
        "role",
        "part",
        "stack",
        "kind",
        "shape",
        "dtype",
        "quantised",
        "params",
    }
    told = identity | {"m", "n", "note", "note_codes"}
    for row in report.rows[1:3]:
        assert row["note"] == "non-finite elements: no spectrum"
        assert row["note_codes"] == "non-finite"
        assert {v for k, v in row.items() if k not in told} == {None}
        assert (row["m"], row["n"]) == (48, 32)
    both = (UP(1), UP(2))
    assert report.unmeasured == both
    assert ws.spectrum(model, panels=False, by="role", **more).unmeasured == both
    assert ws.spectrum(model, panels=False, columns="tensor", **more).unmeasured == ()
    strict = ws.spectrum(model, panels=False, columns="tensor", strict=True, **more)
    assert strict.unmeasured == both


def test_zero_lines_are_left_out_and_counted(draw, spectra):
    """Half the rows zero: the spectrum of the other half."""
    w = draw(64, 96)
    w[::2] = 0
    row = spectra({UP(0): w})[UP(0)]
    assert (row["m"], row["n"], row["rank"], row["spikes"]) == (64, 96, 32, 0)
    assert row["sigma_min"] == pytest.approx(values(w)[31], rel=1e-6)
    assert "32 zero rows left out" in row["note"]
    zero = spectra({UP(0): 0 * w})[UP(0)]
    assert (zero["rank"], zero["sigma_max"], zero["stable_rank"]) == (0, 0.0, None)
    assert zero["note"] == "zero matrix"


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"]
)
def test_a_matrix_of_rank_4_has_rank_4_in_every_type(draw, spectra, dtype):
    """Rounding in the other values affects no statistic, in the table or in the plot."""
    w = (draw(64, 4, std=1.0) @ draw(4, 96, std=1.0)).to(getattr(torch, dtype))
    row = spectra({UP(0): w}, balance=True)[UP(0)]
    assert (row["rank"], row["spikes"], row["spikes_balanced"]) == (4, None, None)
    assert {row[c] for c in ("effective_depth", "effective_depth_balanced")} == {None}
    assert row["alpha_tail"] <= 4
    lost = row["condition"] is None
    assert lost or row["condition"] == pytest.approx(np.linalg.cond(w.double().numpy()), rel=1e-3)
    effect = "null" if lost else "uncertain"
    assert row["note"].split("; ") == [
        f"condition is {effect}: 60 of 64 singular values may be rounding",
        f"no power law: {row['alpha_tail']} values in the tail, fewer than 10",
        "no bulk: fewer than 10 singular values lie below the spikes",
        "no effective depth: most singular values may be rounding",
        "balanced matrix: no bulk: fewer than 10 singular values lie below the spikes",
    ]
    assert row["sigma_max"] == pytest.approx(values(w.double())[0], rel=1e-9)
    (panel,) = ws.spectrum({UP(0): w}).panels
    bars, squares = panel.curves
    assert bars.label == "singular values: 4 of 64 above rounding"
    assert (len(squares.x), row["alpha"]) == (4, None)


def test_an_absolute_cut_includes_rounding_of_the_stored_type(draw, spectra):
    """As WeightWatcher does."""
    w = (draw(64, 4, std=1.0) @ draw(4, 96, std=1.0)).bfloat16()
    assert spectra({UP(0): w}, alpha_cut=1e-12)[UP(0)]["alpha_tail"] > 4


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_an_orthogonal_matrix_has_no_tail_in_any_type(spectra, dtype):
    """Values equal up to rounding are no power law, in the table or in the plot."""
    w = torch.from_numpy(np.linalg.qr(np.random.default_rng(0).standard_normal((64, 64)))[0]).to(
        getattr(torch, dtype)
    )
    row = spectra({UP(0): w})[UP(0)]
    assert (row["rank"], row["spikes"], row["alpha"]) == (64, 0, None)
    assert row["orthogonality"] < 0.02
    (panel,) = ws.spectrum({UP(0): w}).panels
    assert not [curve for curve in panel.curves if "power law" in curve.label]


@pytest.mark.parametrize("side", [128, 256, 512])
def test_an_orthogonal_start_has_no_tail(spectra, side):
    """As torch initialises them; nearly even noise has a tail, in eight bits too."""
    w, draw_ = torch.empty(side, side), torch.Generator().manual_seed(side)
    row = spectra({UP(0): torch.nn.init.orthogonal_(w, generator=draw_)})[UP(0)]
    assert row["alpha"] is None
    assert "no power law: the singular values are equal up to rounding" in row["note"]
    noise = torch.randn(64, 8192, generator=draw_)
    for dtype in (torch.float32, torch.float8_e4m3fn):
        assert spectra({UP(0): noise.to(dtype)})[UP(0)]["alpha_tail"] > 1


def test_a_balanced_matrix_has_the_rounding_of_float32(draw, spectra):
    """Rank 4 in float64, by SVD: no spikes of rounding after balancing."""
    w = (
        draw(64, 4, std=1.0).double()
        @ draw(4, 96, std=1.0).double()
        * torch.logspace(0, 2, 64).double()[:, None]
    )
    row = spectra({UP(0): w}, svd=True, balance=True)[UP(0)]
    assert (row["rank"], row["spikes_balanced"], row["effective_depth_balanced"]) == (4, None, None)


# views


def test_positions_of_images_are_a_matrix(draw, spectra):
    """A leading dimension of 1 is none; kernels keep theirs."""
    w = draw(24, 48)
    rows = spectra(
        {
            "pos_embed": w[None],
            "cls_token": w[None, :1],
            "patch_embed.proj.weight": draw(1, 3, 4, 4),
        }
    )
    holds(rows["pos_embed"], w)
    assert [rows[n]["note"] for n in ("cls_token", "patch_embed.proj.weight")] == [
        "a vector: no spectrum"
    ] * 2


def test_a_stack_that_stays_whole_is_one_matrix(draw, spectra):
    """--no-split keeps experts in one matrix, and the note has its shape."""
    name = "model.layers.0.mlp.experts.down_proj"
    assert (
        "3 dimensions read as one matrix of 8 x 1536"
        in spectra({name: draw(8, 48, 32)}, split=False)[name]["note"]
    )


def test_fused_parts_are_split_unless_kept_whole(draw, spectra):
    """q, k and v are columns of the stored tensor (in x out); with split=False it stays whole."""
    stored = torch.cat([draw(48, 48, std=s) for s in (0.02, 0.1, 1.0)], 1)
    model = {
        QKV: stored,
        "transformer.h.0.attn.c_proj.weight": draw(48, 48),
        "transformer.wte.weight": draw(60, 48),
    }
    rows = spectra(model)
    for i, part in enumerate("qkv"):
        holds(rows[f"{QKV}[{part}]"], stored[:, 48 * i : 48 * i + 48].T)
    holds(spectra(model, split=False)[QKV], stored.T)


def test_experts_have_their_own_rows(draw, spectra):
    """A stack of three dimensions has a row for each expert."""
    name = "model.layers.0.mlp.experts.down_proj"
    stack = torch.stack([draw(32, 24, std=s) for s in (0.1, 1.0, 10.0)])
    rows = spectra({name: stack, "model.layers.0.mlp.router.weight": draw(3, 24)})
    found = [row for key, row in rows.items() if key.startswith(name)]
    assert len(found) == 3
    for row, matrix in zip(found, stack, strict=True):
        holds(row, matrix if row["m"] == 32 else matrix.T)


LLAMA = {
    "model_type": "llama",
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 48,
    "head_dim": 16,
}
ATTENTION = "model.layers.0.self_attn.{}_proj.weight".format


@pytest.fixture
def attention(draw):
    """q, k, v and o of four heads, two of them for keys and values."""
    return {
        ATTENTION(x): draw(*s)
        for x, s in zip("qkvo", ((64, 48), (32, 48), (32, 48), (48, 64)), strict=True)
    }


def test_per_head(attention, draw, folder, spectra):
    """Rows of q, k and v, columns of o; k and v have their own number of heads."""
    path = folder(attention | {UP(0): draw(64, 48)}, LLAMA)
    rows = spectra(path, per_head=True)
    assert len(rows) == 4 + 2 + 2 + 4 + 1
    for x, heads in zip("qkvo", (4, 2, 2, 4), strict=True):
        stored = attention[ATTENTION(x)]
        for i in range(heads):
            row, lines = rows[f"{ATTENTION(x)}[{i}]"], slice(16 * i, 16 * i + 16)
            holds(row, stored[:, lines] if x == "o" else stored[lines])
            assert (row["part"], row["params"], row["role"]) == (str(i), 16 * 48, f"attn.{x}")
    assert rows[UP(0)] == spectra(path)[UP(0)]


def test_heads_of_fused_parts(draw, folder, spectra):
    """Head 2 of k in c_attn: columns of what is stored in x out."""
    model = {QKV: draw(48, 144), "transformer.h.0.attn.c_proj.weight": draw(48, 48),
             "transformer.wte.weight": draw(60, 48)}  # fmt: skip
    rows = spectra(folder(model, {"model_type": "gpt2", "n_head": 3, "n_embd": 48}), per_head=True)
    assert len(rows) == 9 + 3 + 1
    holds(rows[f"{QKV}[k.2]"], model[QKV][:, 48 + 32 : 96].T)
    holds(
        rows["transformer.h.0.attn.c_proj.weight[1]"],
        model["transformer.h.0.attn.c_proj.weight"].T[:, 16:32],
    )


@pytest.mark.parametrize(
    ("config", "more", "message"),
    [
        ({"model_type": "llama"}, {}, "heads unknown: no num_attention_heads in config.json"),
        (
            {"num_attention_heads": 5},
            {},
            "heads unknown: 64 rows or columns do not divide into 5 heads",
        ),
    ],
)
def test_unknown_heads_have_a_note(attention, folder, spectra, config, more, message):
    """The matrix is measured whole."""
    row = spectra(folder(attention, config), per_head=True, **more)[ATTENTION("q")]
    holds(row, attention[ATTENTION("q")])
    assert row["note"].startswith(message)


def test_a_fused_tensor_kept_whole_has_no_heads(draw, folder, spectra):
    """The note has the reason."""
    path = folder({QKV: draw(48, 144)}, {"model_type": "gpt2", "n_head": 3, "n_embd": 48})
    assert spectra(path, per_head=True, split=False)[QKV]["note"].startswith(
        "heads unknown: q, k and v are fused in one matrix"
    )


def test_one_key_and_value_for_all_heads_is_one_head(draw, folder, spectra):
    """multi_query, whatever divides."""
    name = "transformer.h.0.attn.c_attn.weight"
    model = {name: draw(64 + 2 * 16, 64), "transformer.h.0.attn.c_proj.weight": draw(64, 64)}
    about = {"model_type": "gpt_bigcode", "n_head": 4, "n_embd": 64, "multi_query": True}
    rows = spectra(folder(model, about), per_head=True)
    assert [key for key in rows if "[k" in key] == [f"{name}[k.0]"]
    holds(rows[f"{name}[k.0]"], model[name][64:80])
    assert len(rows) == 4 + 1 + 1 + 4


def test_a_vision_tower_has_its_own_heads(draw, folder, spectra):
    """vision_config for the vision model, never the text model's heads."""
    name = "{}.encoder.layers.0.self_attn.q_proj.weight".format
    model = {name(tower): draw(48, 48) for tower in ("text_model", "vision_model")}
    heads = lambda rows, tower: sum(key.startswith(f"{name(tower)}[") for key in rows)
    about = {"text_config": {"num_attention_heads": 4}, "vision_config": {"num_attention_heads": 6}}
    rows = spectra(folder(model, about), per_head=True)
    assert (heads(rows, "text_model"), heads(rows, "vision_model")) == (4, 6)
    rows = spectra(folder(model, {"text_config": {"num_attention_heads": 4}}), per_head=True)
    assert rows[name("vision_model")]["note"].startswith("heads unknown")


# low-rank products


STEM = "base_model.model.model.layers.1.self_attn.q_proj"


def adapter(folder, a, b, alpha=8):
    """A PEFT adapter on disk."""
    tensors = {f"{STEM}.lora_A.weight": a, f"{STEM}.lora_B.weight": b}
    about = {"r": a.shape[0], "lora_alpha": alpha, "peft_type": "LORA"}
    return folder(tensors, about, "adapter_model.safetensors", "adapter_config.json")


@pytest.mark.parametrize(("rank", "m", "n"), [(1, 64, 48), (4, 64, 48), (4, 40, 90), (60, 64, 48)])
def test_a_pair_has_the_spectrum_of_its_product(draw, folder, by_name, rank, m, n):
    """scale * B A as by numpy, from its factors; nulls have a reason."""
    a, b = draw(rank, n), draw(m, rank)
    report = ws.spectrum(adapter(folder, a, b), panels=False, values=True, balance=True)
    row = by_name(report)[f"{STEM}[lora]"]
    dense = np.linalg.svd(8 / rank * b.double().numpy() @ a.double().numpy(), compute_uv=False)
    found = np.array([line["value"] for line in report.tables["values"][1]])
    assert (row["method"], row["rank"], row["m"], row["n"]) == ("factors", min(rank, m, n), m, n)
    assert np.abs(found - dense).max() <= 1e-12 * dense[0]
    assert row["floor"] < 1e-13 * dense[0]
    thin = rank < min(m, n)
    for name in ("spikes", "effective_depth", "condition", "spikes_balanced"):
        assert (row[name] is None) == thin, name
    assert ("a product of thin factors" in row["note"]) == thin
    assert "identity is null: the diagonal of a product" in row["note"]


@pytest.mark.parametrize("coarse", ["a", "b", ""])
def test_rank_of_a_pair_is_by_the_coarser_of_its_factors(draw, folder, by_name, coarse):
    """Either may be stored in the narrower type; in the table and in the picture."""
    u, v = (torch.linalg.qr(draw(side, 2))[0] for side in (64, 48))
    a, b = v.T.contiguous(), u * torch.tensor([1.0, 1e-4])
    a, b = (t.bfloat16() if coarse == name else t for name, t in (("a", a), ("b", b)))
    report = ws.spectrum(adapter(folder, a, b))
    assert by_name(report)[f"{STEM}[lora]"]["rank"] == (1 if coarse else 2)
    bars = report.panels[0].curves[0]
    assert bars.label == f"singular values: {1 if coarse else 2} of 48 above rounding"


def test_an_unscaled_pair_has_scale_one(draw, spectra):
    """Without alpha, with a note."""
    a, b = draw(4, 48), draw(64, 4)
    row = spectra({f"{STEM}.lora_A.weight": a, f"{STEM}.lora_B.weight": b})[f"{STEM}[lora]"]
    assert row["sigma_max"] == pytest.approx(values(b.double() @ a.double())[0], rel=1e-12)
    assert row["note"].startswith("unscaled: ")


def test_a_fresh_adapter_is_zero_and_one_with_a_nan_has_no_spectrum(draw, folder):
    """B is zero before training; a NaN in either factor makes the product non-finite."""
    a, b = draw(4, 48), draw(64, 4)
    (row,) = ws.spectrum(adapter(folder, a, 0 * b), panels=False).rows
    assert (row["rank"], row["sigma_max"]) == (0, 0.0)
    assert "zero matrix" in row["note"]
    b[3, 1] = float("nan")
    report = ws.spectrum(adapter(folder, a, b), panels=False)
    assert report.rows[0]["rank"] is None
    assert "non-finite elements: no spectrum" in report.rows[0]["note"]
    assert report.unmeasured == (f"{STEM}[lora]",)


def test_heads_of_a_product_stay_products(draw, folder, spectra):
    """Rows of B for q: four of rank 4 and their own method."""
    a, b = draw(4, 48), draw(64, 4)
    path = adapter(folder, a, b)
    (path / "config.json").write_text(json.dumps(LLAMA))
    rows = spectra(path, per_head=True)
    assert len(rows) == 4
    for i in range(4):
        row = rows[f"{STEM}[lora][{i}]"]
        expected = values(2 * b[16 * i : 16 * i + 16].double() @ a.double())
        assert (row["method"], row["rank"], row["m"], row["n"]) == ("factors", 4, 16, 48)
        assert row["sigma_max"] == pytest.approx(expected[0], rel=1e-12)


# groups


@pytest.mark.parametrize(("by", "key"), [("role", "role"), ("layer", "layer"), ("model", "kind")])
def test_groups_have_median_least_and_greatest(draw, by, key):
    """Of each number over the tensors; nothing is pooled, kinds never mix."""
    model = {UP(i): draw(48, 32) for i in range(3)}
    model |= {f"model.layers.{i}.mlp.down_proj.weight": draw(32, 48) for i in range(3)}
    model |= {"model.embed_tokens.weight": draw(60, 32), "model.norm.weight": draw(32)}
    alone, report = (
        ws.spectrum(model, panels=False).rows,
        ws.spectrum(model, panels=False, by=by, null="shuffle"),
    )
    assert sum(row["tensors"] for row in report.rows) == len(model)
    for row in report.rows:
        own = [r for r in alone if r[key] == row[key] and r["kind"] == row["kind"]]
        assert (row["tensors"], row["params"]) == (len(own), sum(r["params"] for r in own))
        for name in ("stable_rank", "rank", "alpha", "null_ks"):
            seen = [r[name] for r in own if r[name] is not None]
            expected = (float(np.median(seen)), min(seen), max(seen)) if seen else (None,) * 3
            assert tuple(row[f"{name}_{x}"] for x in ("median", "min", "max")) == expected
            assert name not in row
        assert (row["spikes_null_median"] is None) == (row["kind"] == "norm")


def test_a_group_has_the_rarest_note_of_its_tensors(draw):
    """With the number of tensors that have notes."""
    model = {UP(i): draw(64, 128) for i in range(3)}
    model[UP(1)][:] = float("nan")
    (row,) = ws.spectrum(model, panels=False, by="role").rows
    assert row["rank_min"] == 64
    assert f"{UP(1)}: non-finite elements: no spectrum" in row["note"]


def test_plots_of_groups_are_those_of_their_tensors(draw):
    """One panel for each matrix, with the row of its group."""
    model = {UP(i): draw(48, 32) for i in range(2)} | {
        "lm_head.weight": draw(60, 32),
        "model.norm.weight": draw(32),
    }
    report = ws.spectrum(model, by="role")
    assert [p.title for p in report.pictured] == [
        "lm_head.weight",
        UP(0),
        UP(1),
        "model.norm.weight",
    ]
    assert report.without_picture == ("no picture of model.norm.weight: a vector: no spectrum",)
    assert [p.title for p in ws.spectrum(model, by="role", where="role == 'head'").pictured] == [
        "lm_head.weight"
    ]


# nulls


def test_a_planted_signal_has_spikes_and_its_shuffle_none(draw, spectra):
    """Three spikes; a shuffle has none, and a smaller largest value."""
    row = spectra({UP(0): planted(draw, 3)}, null="shuffle", draws=6)[UP(0)]
    assert row["spikes"] == 3
    assert (row["spikes_null"], row["spikes_null_low"], row["spikes_null_high"]) == (0, 0, 0)
    assert row["sigma_max"] > 2 * row["sigma_max_null_high"]
    assert row["stable_rank"] < row["stable_rank_null_low"] / 3


@pytest.mark.parametrize("null", ["shuffle", "gaussian", "logistic"])
def test_a_gaussian_matrix_is_within_its_null(draw, spectra, null):
    """Low <= median <= high around its own value; the fitted law has the right scale."""
    row = spectra({UP(0): 0.5 + draw(96, 160)}, null=null, draws=8)[UP(0)]
    for name in ("sigma_max", "stable_rank", "effective_rank"):
        low, middle, high = (row[f"{name}_null{x}"] for x in ("_low", "", "_high"))
        assert low <= middle <= high
        assert row[name] == pytest.approx(middle, rel=0.05), name
    assert row["alpha_null_low"] < row["alpha_null_high"]
    assert row["spikes_null"] == row["spikes"] == 1  # the mean


def test_draws_are_seeded(draw, spectra):
    """Equal seeds agree, others differ, and neighbouring seeds share no random matrix."""
    model = {UP(0): draw(40, 64)}
    nulls = lambda **more: spectra(model, null="shuffle", columns="sigma_max_null", **more)[UP(0)][
        "sigma_max_null"
    ]
    assert nulls(seed=3) == nulls(seed=3)
    first, other, both = nulls(), nulls(seed=1), nulls(draws=2)
    assert len({first, other, 2 * both - first}) == 3
    assert abs(2 * both - first - other) > 1e-9


@pytest.mark.parametrize("null", ["shuffle", "gaussian", "logistic"])
def test_each_tensor_has_its_own_random_matrices(draw, spectra, null):
    """By its name: equal elements under two names differ, and a selection changes nothing."""
    w = draw(40, 64)
    row = lambda i, **more: spectra(
        {UP(k): w.clone() for k in range(2)}, null=null, draws=3, **more
    )[UP(i)]
    nulls = lambda i, **more: {
        k: v for k, v in row(i, **more).items() if k.endswith(("_null_low", "_null_high"))
    }
    one, other = nulls(0), nulls(1)
    assert not set(one.values()) & set(other.values()) - {0.0}
    assert nulls(1, include="*.1.*") == other


@pytest.mark.usefixtures("measured_anew")
def test_a_law_is_fitted_once_a_tensor(draw, monkeypatch):
    """However many random matrices."""
    asked = []
    fit = null_samples.law_of
    monkeypatch.setattr(null_samples, "law_of", lambda *a: asked.append(a) or fit(*a))
    ws.spectrum({UP(i): draw(24, 32) for i in range(2)}, null="gaussian", draws=5, panels=False)
    assert len(asked) == 2


def test_nulls_are_independent_of_the_requested_columns(draw, spectra):
    """Requested alone, with others, and by group."""
    model = {UP(i): draw(40, 64) for i in range(2)}
    full = spectra(model, null="gaussian", draws=3)
    for name in ("spikes_null", "alpha_null_high"):
        few = spectra(model, null="gaussian", draws=3, columns=["tensor", name])
        assert [few[t][name] for t in few] == [full[t][name] for t in full]
    (group,) = ws.spectrum(
        model, null="gaussian", draws=3, by="role", columns="alpha_null_median", panels=False
    ).rows
    assert group["alpha_null_median"] == pytest.approx(
        np.median([row["alpha_null"] for row in full.values()])
    )


@pytest.mark.parametrize(
    ("null", "message"),
    [
        ("gaussian", "no null: no law could be fitted to the elements"),
        ("shuffle", "no alpha, spikes in the randomised matrices"),
    ],
)
def test_a_constant_has_no_nulls(spectra, null, message):
    """No law to fit, and a shuffle that changes nothing: each null has its reason."""
    row = spectra({UP(0): torch.full((24, 40), 0.5)}, null=null)[UP(0)]
    assert row["spikes_null"] is None
    assert row["note"].endswith(message)


def test_a_shuffle_over_the_budget_is_a_note(draw):
    """The spectrum is measured; the missing null has one note."""
    asked = {"null": "shuffle", "draws": 2, "panels": False, "threads": 1}
    report = ws.spectrum({UP(0): draw(24, 60_000)}, memory="54MiB", **asked)
    (row,) = report.rows
    assert report.unmeasured == (UP(0),)
    assert row["rank"] == 24
    assert row["sigma_max_null"] is None
    assert "MiB of memory, has 54: use --memory " in row["note"]
    assert row["note"].endswith("MiB; no randomised matrix has a spectrum")


def test_products_are_shuffled_too(draw, spectra):
    """The dense elements in another order: full rank, no spikes."""
    a, b = draw(4, 48), draw(64, 4)
    row = spectra({f"{STEM}.lora_A.weight": a, f"{STEM}.lora_B.weight": b}, null="shuffle")[
        f"{STEM}[lora]"
    ]
    assert row["stable_rank"] < 4 < row["stable_rank_null"]
    assert row["spikes_null"] is not None


# options


def test_the_interval_of_alpha_is_seeded_and_around_it(draw, spectra):
    """Two columns more."""
    model = {UP(0): draw(40, 64)}
    row = spectra(model, alpha_ci=True)[UP(0)]
    assert row["alpha_low"] <= row["alpha"] <= row["alpha_high"]
    assert spectra(model, alpha_ci=True)[UP(0)] == row
    assert spectra(model, alpha_ci=True, seed=1)[UP(0)]["alpha_low"] != row["alpha_low"]
    assert "alpha_low" not in spectra(model)[UP(0)]


def test_a_cut_is_absolute_and_concerns_alpha_alone(draw, spectra):
    """On squares of singular values; the nulls have the same cut."""
    w = draw(40, 64)
    plain = spectra({UP(0): w}, null="shuffle")[UP(0)]
    cut_off = spectra({UP(0): w}, null="shuffle", alpha_cut=1.1 * plain["alpha_xmin"])[UP(0)]
    assert cut_off["alpha_xmin"] > 1.1 * plain["alpha_xmin"]
    changed = {k for k in plain if plain[k] != cut_off[k]} - {"note", "note_codes"}
    assert changed
    assert all("alpha" in name for name in changed)
    nothing = spectra({UP(0): w}, null="shuffle", alpha_cut=1e9)[UP(0)]
    assert (nothing["alpha"], nothing["alpha_null"]) == (None, None)
    assert "no power law: fewer than two different values above the cut" in nothing["note"]
    assert nothing["note"].endswith("no alpha in the randomised matrices")


def test_svd_reaches_the_least_values(spectra):
    """Condition 1e8 and more: null by the Gram method, correct by SVD."""
    rng = np.random.default_rng(0)
    u, v = (np.linalg.qr(rng.standard_normal((48, 48)))[0] for _ in "uv")
    w = torch.from_numpy(u * np.geomspace(1, 1e-10, 48) @ v.T)
    gram, svd = (
        spectra({UP(0): w}, svd=s, columns=["condition", "rank", "method", "floor"])[UP(0)]
        for s in (0, 1)
    )
    assert (gram["condition"], gram["method"], svd["method"]) == (None, "gram", "svd")
    assert svd["condition"] == pytest.approx(1e10, rel=1e-3)
    assert gram["rank"] < svd["rank"] == 48
    assert svd["floor"] < 1e-12 < gram["floor"]


def test_balancing_removes_spikes_and_depth_of_uneven_rows(draw, spectra):
    """Without --balance a note warns of them."""
    scales = np.exp(0.5 * np.random.default_rng(1).standard_normal((96, 1)))
    w = draw(96, 160) * torch.from_numpy(scales.astype("f4"))
    row, alone = spectra({UP(0): w}, balance=True)[UP(0)], spectra({UP(0): w})[UP(0)]
    assert row["spikes"] > 5
    assert (row["spikes_balanced"], row["effective_depth_balanced"]) == (0, 1.0)
    assert row["mp_sigma_balanced"] == pytest.approx(
        float(w.double().square().mean().sqrt()), rel=0.02
    )
    assert "see --balance" in alone["note"]
    assert "see --balance" not in (row["note"] or "")


def test_values_are_those_of_numpy(draw):
    """tensor, index from 0, value: of every matrix, by group too; otherwise an empty table."""
    model = {UP(i): draw(20 + i, 32) for i in range(3)} | {"model.norm.weight": draw(32)}
    model[UP(2)][0, 0] = float("nan")
    for by in ("tensor", "role"):
        columns, table = ws.spectrum(model, values=True, panels=False, by=by).tables["values"]
        assert [c.name for c in columns] == ["tensor", "index", "value"]
        lines = [tuple(line.values()) for line in table]
        assert [line[:2] for line in lines] == [(UP(i), k) for i in (0, 1) for k in range(20 + i)]
        expected = np.concatenate([values(model[UP(i)]) for i in (0, 1)])
        assert np.allclose([line[2] for line in lines], expected, rtol=1e-9, atol=0)
    empty = ws.spectrum({"model.norm.weight": draw(32)}, values=True, panels=False)
    assert list(empty.tables["values"][1]) == []
    assert "values" not in ws.spectrum(model).tables


def test_several_models(draw):
    """A row for each, with its source; values too."""
    one, two = {UP(0): draw(24, 32)}, {UP(0): draw(24, 32)}
    report = ws.spectrum(one, two, panels=False, values=True)
    assert [c.name for c in report.columns][:2] == ["source", "tensor"]
    for row, model in zip(report.rows, (one, two), strict=True):
        holds(row, model[UP(0)])
    assert len(list(report.tables["values"][1])) == 48
    assert [row["source"] for row in report.rows] == ["memory", "memory"]


# what is asked is what is paid for


@pytest.mark.usefixtures("measured_anew")
def test_only_requested_columns_are_computed(draw, monkeypatch):
    """stable_rank fits no power law, a name reads nothing; numbers do not depend on the request."""
    model = {UP(i): draw(48, 32) for i in range(2)}
    full = ws.spectrum(model, panels=False, balance=True).rows
    monkeypatch.setattr(spectrum_tail, "power_law", None)
    monkeypatch.setattr("weightscope.statistics.spectra.bulk.bulk", None)
    few = ws.spectrum(
        model, panels=False, columns=["stable_rank", "effective_depth"], where="near_zero < 1"
    )
    for row, own in zip(few.rows, full, strict=True):
        assert all(
            row[c] == own[c] for c in ("stable_rank", "effective_depth", "near_zero", "rank")
        )
        assert "alpha" not in row
    assert few.timing["bytes_read"] == 2 * 48 * 32 * 4
    grouped = ws.spectrum(model, panels=False, by="role", columns="stable_rank_median").rows
    assert grouped[0]["stable_rank_median"] == pytest.approx(
        np.median([row["stable_rank"] for row in full])
    )


@pytest.mark.parametrize(
    "more", [{}, {"balance": True}, {"null": "shuffle"}, {"null": "gaussian"}, {"by": "role"}]
)
def test_identity_reads_nothing(draw, more):
    """Names, shapes, sides and kinds come from the header; also of a pair."""
    model = {
        UP(0): draw(48, 32),
        f"{STEM}.lora_A.weight": draw(4, 48),
        f"{STEM}.lora_B.weight": draw(64, 4),
    }
    sides = ["m_max", "n_min"] if "by" in more else ["m", "n"]
    report = ws.spectrum(model, panels=False, columns=["params", *sides], **more)
    assert report.timing["bytes_read"] == 0
    assert [tuple(row[c] for c in sides) for row in report.rows] == [(64, 48), (48, 32)]
    assert (
        [row["params"] for row in report.rows] == [64 * 48, 48 * 32] if "by" not in more else True
    )
    assert all("rank" not in row for row in report.rows)


@pytest.fixture(scope="module")
def mixed():
    """Long, square and many small matrices, a pair, a convolution and a vector."""
    rng = np.random.default_rng(5)
    make = lambda *s: torch.from_numpy((0.02 * rng.standard_normal(s)).astype("f4"))
    model = {UP(i): make(40, 64) for i in range(6)} | {
        "model.embed_tokens.weight": make(17_000, 64).bfloat16()
    }
    model |= {
        "lm_head.weight": make(300, 300),
        "conv.weight": make(16, 8, 3, 3),
        "model.norm.weight": make(64),
    }
    return model | {f"{STEM}.lora_A.weight": make(4, 48), f"{STEM}.lora_B.weight": make(64, 4)}


@pytest.mark.usefixtures("measured_anew")
def test_the_same_bytes_whatever_the_resources(mixed, tmp_path):
    """Threads and memory change the speed, not rows, values and nulls."""
    path = tmp_path / "model.safetensors"
    save_file(mixed, path)
    ask = lambda **more: ws.spectrum(
        path, panels=False, values=True, balance=True, null="shuffle", **more
    )
    first = ask(threads=1)
    assert all(row["rank"] for row in first.rows if row["kind"] != "norm")
    for more in ({"threads": 4}, {"memory": "160MiB", "threads": 2}):
        report = ask(**more)
        assert [repr(row) for row in report.rows] == [repr(row) for row in first.rows]
        assert list(report.tables["values"][1]) == list(first.tables["values"][1])


@pytest.mark.parametrize("svd", [False, True])
def test_a_matrix_over_the_budget_is_a_note_that_names_the_memory(draw, svd):
    """Other matrices are measured; it counts as unmeasured, once."""
    model = {UP(0): draw(48, 32), UP(1): torch.zeros(1600, 2000)}
    report = ws.spectrum(model, memory="48MiB", svd=svd, balance=True, threads=2)
    assert report.rows[0]["rank"] == 32
    assert report.rows[1]["rank"] is None
    assert "MiB of memory, has 48: use --memory " in report.rows[1]["note"]
    assert report.unmeasured == (UP(1),)


def test_factors_over_the_budget_are_a_note(draw, folder):
    """The factors of a pair are decomposed: the note has their memory, and the pair counts once."""
    report = ws.spectrum(
        adapter(folder, draw(64, 40_000), draw(48, 64)), memory="60MiB", threads=1, panels=False
    )
    (row,) = report.rows
    assert row["rank"] is None
    assert "MiB of memory, has 60: use --memory " in row["note"]
    assert report.unmeasured == (f"{STEM}[lora]",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"by": "dtype"},
            "spectrum groups by tensor, role, layer, model; found 'dtype'; choose one of them",
        ),
        (
            {"null": "chance"},
            "--null takes shuffle, gaussian, logistic; found 'chance'; choose one",
        ),
        (
            {"draws": 0},
            "--draws takes a number from 1 on, beside --null; found 0 without --null; use --null",
        ),
        (
            {"draws": 0, "null": "shuffle"},
            "--draws takes a number from 1 on, beside --null; found 0 with --null; use",
        ),
        (
            {"draws": 3},
            "--draws takes a number from 1 on, beside --null; found 3 without --null; use",
        ),
        ({"alpha_cut": -1.0}, "--alpha-cut takes a number from 0 on; found -1.0; try 1e-5"),
        ({"alpha_cut": float("nan")}, "--alpha-cut takes a number from 0 on; found nan; try 1e-5"),
        ({"columns": "alpha_low"}, "found 'alpha_low', which needs --alpha-ci; add --alpha-ci"),
        ({"columns": "spikes_null"}, "found 'spikes_null', which needs --null; add --null"),
        ({"columns": "spikes_null_low"}, "found 'spikes_null_low', which needs --null; add --null"),
        ({"columns": "spikes_null_low", "null": "shuffle"}, "which needs --draws; add --draws"),
        (
            {"columns": "spikes_balanced"},
            "found 'spikes_balanced', which needs --balance; add --balance",
        ),
        (
            {"columns": "spikes_median"},
            "found 'spikes_median', which needs --by role; add --by role",
        ),
        (
            {"columns": "spikes", "by": "role"},
            "found 'spikes', which needs --by tensor; add --by tensor",
        ),
        ({"columns": "alpha_low_median", "by": "role"}, "which needs --alpha-ci; add --alpha-ci"),
        (
            {"columns": "alpha_null_high_max", "by": "role", "null": "shuffle"},
            "which needs --draws; add --draws",
        ),
        ({"columns": "stabel_rank"}, "did you mean 'stable_rank'"),
        ({"drawz": 1}, "spectrum has no option 'drawz'.*did you mean 'draws'"),
    ],
    ids=str,
)
def test_mistakes(draw, options, message):
    """Refused before anything is measured: what was expected, what was found, what to do."""
    with pytest.raises(ws.UsageError, match=message):
        ws.spectrum({UP(0): draw(8, 8)}, **options)
