"""Adapters as the adapted base: each spelling against float64 products, and every error."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests import close
from weightscope.analyses.compare.adapting import adapted, alone, is_adapter, require_base
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.pieces import measured
from weightscope.checkpoints import lines_in_memory, open_checkpoint
from weightscope.checkpoints.views import Adapted, Product, difference
from weightscope.engine import Device, Executor, Meter, Unit
from weightscope.errors import UsageError
from weightscope.geometry import whole
from weightscope.sketches import MarginSums

GPT6 = Path("/work/shared/data/gpt6")
Q = "model.layers.0.self_attn.q_proj"
PEFT = "base_model.model."
UNET = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"


def based(tensors, *, split: bool = True):
    """The measured base."""
    return measured(open_checkpoint(tensors), NameOptions(split=split))


def applied(base, adapter, *, split: bool = True):
    """The pieces of the adapted base by name."""
    checkpoint = open_checkpoint(adapter) if isinstance(adapter, dict) else adapter
    return adapted(base, checkpoint, NameOptions(split=split)).by_name


def values(entry) -> torch.Tensor:
    """All values of an entry in memory."""
    spans = entry.needs(whole(entry.shape))
    return entry.make(whole(entry.shape), tuple(lines_in_memory(span) for span in spans))


def product(b, a) -> torch.Tensor:
    """B A in float64."""
    return b.double().flatten(1) @ a.double().flatten(1)


def assert_close(entry, expected) -> None:
    """The values in float32, rounded once."""
    close.assert_close(values(entry), expected.float(), rtol=1e-6, atol=1e-9)


@pytest.fixture
def peft(tmp_path):
    """`peft(tensors, r=2, ...)`: a folder of PEFT as dict of tensors and config, opened."""

    def opened(tensors, **config):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        contiguous = {name: x.contiguous() for name, x in tensors.items()}
        save_file(contiguous, folder / "adapter_model.safetensors")
        settings = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, **config}
        (folder / "adapter_config.json").write_text(json.dumps(settings))
        checkpoint = open_checkpoint(folder)
        # the tensors in memory, so that a test can make entries without an engine
        in_memory = open_checkpoint(contiguous)
        by_name = {tensor.name: tensor for tensor in in_memory.tensors}
        tensors = tuple(by_name[tensor.name] for tensor in checkpoint.tensors)
        return type(checkpoint)(**{**vars(checkpoint), "tensors": tensors})

    return opened


SPELLINGS = {
    "PEFT": (f"{PEFT}{UNET}.to_q.lora_A.weight", f"{PEFT}{UNET}.to_q.lora_B.weight", False),
    "PEFT in a pipeline": (
        f"unet.{UNET}.to_q.lora_A.default.weight",
        f"unet.{UNET}.to_q.lora_B.default.weight",
        False,
    ),
    "torchtune": (f"{UNET}.to_q.lora_a.weight", f"{UNET}.to_q.lora_b.weight", False),
    "microsoft/LoRA": (f"{UNET}.to_q.lora_A", f"{UNET}.to_q.lora_B", False),
    "MLX": (f"{UNET}.to_q.lora_a", f"{UNET}.to_q.lora_b", True),
    "diffusers": (
        f"unet.{UNET}.to_q.lora.down.weight",
        f"unet.{UNET}.to_q.lora.up.weight",
        False,
    ),
    "diffusers, processors": (
        f"{UNET}.processor.to_q_lora.down.weight",
        f"{UNET}.processor.to_q_lora.up.weight",
        False,
    ),
    "kohya": (f"{KOHYA}.lora_down.weight", f"{KOHYA}.lora_up.weight", False),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_finds_its_weight(draw, spelling) -> None:
    """B = W + B A; the pieces beside it have the entries of the base."""
    base = based({f"{UNET}.to_q.weight": draw(12, 8), f"{UNET}.to_k.weight": draw(12, 8)})
    a, b, turned = SPELLINGS[spelling]
    of_a, of_b = draw(2, 8), draw(12, 2)
    stored = {a: of_a.T.contiguous(), b: of_b.T.contiguous()} if turned else {a: of_a, b: of_b}
    pieces = applied(base, stored)
    assert list(pieces) == [piece.name for piece in base.pieces]
    before, after = base.by_name[f"{UNET}.to_q.weight"], pieces[f"{UNET}.to_q.weight"]
    assert_close(after.entry, values(before.entry).double() + product(of_b, of_a))
    assert after.place == before.place
    assert (after.shape, after.dtype) == ("12x8", "F32")
    assert isinstance(after.entry.update, Product)
    assert difference(before.entry, after.entry) is after.entry.update
    assert pieces[f"{UNET}.to_k.weight"] is base.by_name[f"{UNET}.to_k.weight"]


def test_kohya_divides_its_alpha_by_the_rank(draw) -> None:
    """alpha 1 and rank 2: half of the product."""
    base = based({f"{UNET}.to_q.weight": draw(12, 8)})
    a, b = draw(2, 8), draw(12, 2)
    names = (f"{KOHYA}.lora_down.weight", f"{KOHYA}.lora_up.weight", f"{KOHYA}.alpha")
    pieces = applied(base, dict(zip(names, (a, b, torch.tensor(1.0)), strict=True)))
    assert_close(pieces[f"{UNET}.to_q.weight"].entry.update, 0.5 * product(b, a))


@pytest.mark.parametrize(
    ("config", "scales"),
    [
        ({}, (2.0, 4.0)),
        ({"use_rslora": True}, (4 / sqrt(2), 4.0)),
        ({"alpha_pattern": {"v_proj": 6}}, (2.0, 6.0)),
        ({"rank_pattern": {"v_proj": 1}, "alpha_pattern": {".*q_proj": 1}}, (0.5, 4.0)),
    ],
)
def test_scales_are_those_of_the_config(draw, peft, config, scales) -> None:
    """alpha / r, rsLoRA, and patterns of ranks and alphas; q has rank 2 and v rank 1."""
    modules = {Q: 2, Q.replace("q_proj", "v_proj"): 1}
    base = based({f"{module}.weight": draw(12, 8) for module in modules})
    factors = {m: (draw(12, rank), draw(rank, 8)) for m, rank in modules.items()}
    stored = {f"{PEFT}{m}.lora_A.weight": a for m, (_, a) in factors.items()}
    stored |= {f"{PEFT}{m}.lora_B.weight": b for m, (b, _) in factors.items()}
    pieces = applied(base, peft(stored, **config))
    for (module, pair), scale in zip(factors.items(), scales, strict=True):
        assert_close(pieces[f"{module}.weight"].entry.update, scale * product(*pair))


LORA = {"lora_A.weight": (2, 8), "lora_B.weight": (8, 2)}
C_ATTN = "transformer.h.0.attn.c_attn"
CONV1D = {"transformer.h.0.mlp.c_fc.weight": (8, 32), "transformer.h.0.mlp.c_proj.weight": (32, 8)}


def test_a_product_is_split_as_its_fused_weight(draw, peft) -> None:
    """q, k and v of a Conv1D, stored (in, out): the rows of B; whole with --no-split."""
    weight, a, b = draw(8, 24), draw(2, 8), draw(24, 2)
    stored = {f"{C_ATTN}.weight": weight, **{name: draw(*shape) for name, shape in CONV1D.items()}}
    factors = {f"{PEFT}{C_ATTN}.lora_A.weight": a, f"{PEFT}{C_ATTN}.lora_B.weight": b}
    adapter = peft(factors, fan_in_fan_out=True)
    expected = weight.T.double() + 2 * product(b, a)
    pieces = applied(based(stored), adapter)
    for i, part in enumerate("qkv"):
        entry = pieces[f"{C_ATTN}.weight[{part}]"].entry
        assert_close(entry, expected[8 * i : 8 * i + 8])
        assert isinstance(entry.update, Product)
    pieces = applied(based(stored, split=False), adapter, split=False)
    assert_close(pieces[f"{C_ATTN}.weight"].entry, expected)


def test_a_product_is_split_by_columns_too(draw) -> None:
    """A projection that joins attention and MLP: the columns of A."""
    name = "single_transformer_blocks.0.proj_out"
    base = based({f"{name}.weight": draw(8, 40)})
    a, b = draw(2, 40), draw(8, 2)
    pieces = applied(base, {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b})
    assert list(pieces) == [f"{name}.weight[attn]", f"{name}.weight[mlp]"]
    halves = torch.cat([values(piece.entry.update) for piece in pieces.values()], 1)
    close.assert_close(halves, product(b, a).float(), rtol=1.3e-6, atol=1e-5)


def test_an_unknown_orientation_follows_the_config(draw, peft) -> None:
    """A square Conv1D whose siblings are missing is read as stored; fan_in_fan_out turns B A."""
    name = "transformer.h.0.attn.c_proj"
    weight, a, b = draw(8, 8), draw(2, 8), draw(8, 2)
    factors = {f"{PEFT}{name}.lora_A.weight": a, f"{PEFT}{name}.lora_B.weight": b}
    base = based({f"{name}.weight": weight})
    assert base.pieces[0].place.orientation == "unknown"
    for turned in (False, True):
        entry = applied(base, peft(factors, fan_in_fan_out=turned))[f"{name}.weight"].entry
        update = 2 * product(b, a)
        assert_close(entry.update, update.T if turned else update)


def test_embeddings_have_tokens_as_rows(draw) -> None:
    """PEFT's lora_embedding_A is (r, tokens); MLX's bare factors are turned by the place."""
    base = based({"model.embed_tokens.weight": draw(30, 8)})
    a, b = draw(2, 30), draw(8, 2)
    stem = "model.embed_tokens"
    peft_names = {f"{PEFT}{stem}.lora_embedding_A": a, f"{PEFT}{stem}.lora_embedding_B": b}
    mlx_names = {f"{stem}.lora_a": a.T.contiguous(), f"{stem}.lora_b": b.T.contiguous()}
    for stored in (peft_names, mlx_names):
        entry = applied(base, stored)[f"{stem}.weight"].entry
        assert_close(entry.update, product(b, a).T)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
def test_kernels_are_flattened(draw, kernel) -> None:
    """A is (r, in, k, k) and B (out, r, 1, 1)."""
    name = "down_blocks.0.resnets.0.conv1"
    base = based({f"{name}.weight": draw(6, 4, *kernel)})
    a, b = draw(2, 4, *kernel), draw(6, 2, 1, 1)
    entry = applied(base, {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b})
    assert_close(entry[f"{name}.weight"].entry.update, product(b, a))


def test_a_module_meets_its_place_in_another_spelling(draw) -> None:
    """v_proj meets Meta's wv, q_proj the q of a fused qkv_proj, and down_proj BLOOM's path."""
    a, b = draw(2, 8), draw(8, 2)
    v = Q.replace("q_proj", "v_proj")
    meta = based({f"layers.0.attention.w{x}.weight": draw(8, 8) for x in "qkvo"})
    pieces = applied(meta, {f"{v}.lora_A.weight": a, f"{v}.lora_B.weight": b})
    changed = [n for n, piece in pieces.items() if piece is not meta.by_name[n]]
    assert changed == ["layers.0.attention.wv.weight"]
    fused = based({C_ATTN + ".weight": draw(24, 8), C_ATTN + ".bias": draw(24)})
    pieces = applied(fused, {f"{Q}.lora_A.weight": a, f"{Q}.lora_B.weight": b})
    changed = [n for n, piece in pieces.items() if piece is not fused.by_name[n]]
    assert changed == [f"{C_ATTN}.weight[q]"]
    assert_close(pieces[changed[0]].entry.update, product(b, a))


def test_layers_of_stages_are_found_by_name_alone(draw) -> None:
    """A block of another UNet spelling has a layer that depends on the other blocks."""
    base = based({f"{UNET}.to_q.weight": draw(8, 8)})
    module = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"
    factors = {f"{module}.{word}": draw(*shape) for word, shape in LORA.items()}
    with pytest.raises(UsageError, match=r"no tensor for the module input_blocks\.1"):
        applied(base, factors)


def test_rows_in_another_order_are_refused(draw) -> None:
    """q in Meta's spelling has its rows in another order than the update of q_proj."""
    meta = based({f"layers.0.attention.w{x}.weight": draw(8, 8) for x in "qkvo"})
    factors = {f"{Q}.lora_A.weight": draw(2, 8), f"{Q}.lora_B.weight": draw(8, 2)}
    with pytest.raises(UsageError, match=r"wq\.weight, whose rows are in another order; compare"):
        applied(meta, factors)


def test_weights_that_an_adapter_brings_along(draw, peft) -> None:
    """They replace those of the base, also under an update; what the base lacks is added."""
    base = based(
        {
            f"{C_ATTN}.weight": draw(24, 8),
            f"{C_ATTN}.bias": draw(24),
            "transformer.wte.weight": draw(30, 8),
            "transformer.ln_f.weight": draw(8),
        }
    )
    brought = {
        f"{PEFT}{C_ATTN}.base_layer.bias": draw(24),
        f"{PEFT}transformer.wte.base_layer.weight": draw(30, 8),
        f"{PEFT}transformer.ln_f.modules_to_save.default.weight": draw(8),
        f"{PEFT}transformer.ln_f.original_module.weight": draw(8),
        f"{PEFT}score.weight": draw(3, 8),
    }
    a, b = draw(2, 30), draw(8, 2)
    factors = {
        f"{PEFT}transformer.wte.lora_embedding_A": a,
        f"{PEFT}transformer.wte.lora_embedding_B": b,
    }
    checkpoint = peft({**brought, **factors})
    assert is_adapter(checkpoint)
    pieces = applied(base, checkpoint)
    bias, table, norm, _, score = brought.values()
    assert list(pieces) == [*base.by_name, f"{PEFT}score.weight"]
    assert torch.equal(values(pieces[f"{C_ATTN}.bias[k]"].entry)[0], bias[8:16])
    assert torch.equal(values(pieces["transformer.ln_f.weight"].entry)[0], norm)
    assert torch.equal(values(pieces[f"{PEFT}score.weight"].entry), score)
    assert_close(pieces["transformer.wte.weight"].entry, table.double() + 2 * product(b, a).T)
    assert pieces[f"{C_ATTN}.weight[q]"] is base.by_name[f"{C_ATTN}.weight[q]"]


def test_a_longer_vocabulary_replaces_the_table(draw, peft) -> None:
    """Its shape is the adapter's: the pair is reshaped."""
    base = based({"model.embed_tokens.weight": draw(30, 8), f"{Q}.weight": draw(8, 8)})
    stored = {
        f"{PEFT}model.embed_tokens.weight": draw(32, 8),
        f"{PEFT}{Q}.lora_A.weight": draw(2, 8),
        f"{PEFT}{Q}.lora_B.weight": draw(8, 2),
    }
    piece = applied(base, peft(stored))["model.embed_tokens.weight"]
    assert (piece.shape, piece.entry.shape) == ("32x8", (32, 8))


def test_the_notes_of_an_update_are_kept(draw) -> None:
    """An unknown scale is a note of the adapted piece."""
    base = based({f"{Q}.weight": draw(8, 8)})
    factors = {f"{Q}.lora_A.weight": draw(2, 8), f"{Q}.lora_B.weight": draw(8, 2)}
    (piece,) = applied(base, factors).values()
    assert [note.code for note in piece.notes] == ["unscaled-lora"]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            {f"{PEFT}model.layers.7.mlp.up_proj.lora_{x}.weight": (2, 2) for x in "AB"},
            rf"no tensor for the module {PEFT}model\.layers\.7\.mlp\.up_proj; "
            r"the nearest names of the base are model\.layers\.0\.mlp\.up_proj\.weight, ",
        ),
        (
            {f"{Q}.lora_A.weight": (2, 6), f"{Q}.lora_B.weight": (8, 2)},
            rf"whose {Q}\.weight is 8x8; found for {Q} an update of 8x6; name the base",
        ),
        (
            {
                f"{Q}.lora_{x}.{name}.weight": LORA[f"lora_{x}.weight"]
                for x in "AB"
                for name in ("en", "fr")
            },
            rf"one update of {Q}\.weight; found {Q} and {Q}; save each adapter in a file of",
        ),
        (
            {f"{Q}.{word}": shape for word, shape in LORA.items()} | {"x.hada_w1_a": (8, 2)},
            r"LoRA or DoRA; found x\.hada_w1_a, a factor of LoHa; merge the adapter",
        ),
        (
            {f"{Q}.{word}": shape for word, shape in LORA.items()} | {f"{Q}.lora_E": (2, 1)},
            r"lora_A\.weight, lora A and B of AdaLoRA|lora_E, a factor of AdaLoRA",
        ),
        ({f"{Q}.vera_lambda_b": (8,)}, r"vera_lambda_b, a factor of VeRA"),
        (
            {f"{Q}.{word}": shape for word, shape in LORA.items()} | {f"{Q}.lora_B.bias": (8,)},
            r"lora_B\.bias, which is not part of a pair of matrices",
        ),
        (
            {f"{Q}.lora_A.weight": (2, 8)},
            r"lora_A\.weight, lora A without its B",
        ),
        (
            {f"{Q}.{word}": shape for word, shape in LORA.items()} | {"lora_unet_x.diff": (8, 8)},
            r"lora_unet_x\.diff, a difference of another kind",
        ),
        ({"x.weight": (8, 8)}, "no pair of factors"),
    ],
)
def test_what_is_no_adapter_of_the_base_is_an_error(draw, weights, message) -> None:
    """Exit 2 that names the first module without a partner, the shapes or the method."""
    base = based({f"{Q}.weight": draw(8, 8), "model.layers.0.mlp.up_proj.weight": draw(12, 8)})
    with pytest.raises(UsageError, match=message):
        applied(base, {name: draw(*shape) for name, shape in weights.items()})


def test_the_method_of_the_config_is_named(draw, peft) -> None:
    """An adapter type that is no LoRA."""
    base = based({f"{Q}.weight": draw(8, 8)})
    with pytest.raises(UsageError, match=r"the adapter type POLY in adapter_config\.json"):
        applied(base, peft({f"{Q}.{w}": draw(*s) for w, s in LORA.items()}, peft_type="POLY"))


def test_a_stack_of_experts_takes_no_update_of_one_matrix(draw) -> None:
    """The update of a module that the base stores as a stack has another shape."""
    name = "model.layers.0.mlp.experts.down_proj"
    base = based({name: draw(3, 8, 8), "model.layers.0.mlp.gate.weight": draw(3, 8)})
    assert len(base.pieces) == 4
    factors = {f"{name}.{word}": draw(*shape) for word, shape in LORA.items()}
    with pytest.raises(UsageError, match=r"for model\.layers\.0\.mlp\.experts\.down_proj an upd"):
        applied(base, factors)


def test_a_brought_weight_of_another_shape_is_not_split(draw, peft) -> None:
    """The parts of the base do not fit it."""
    base = based({f"{C_ATTN}.weight": draw(24, 8), f"{Q}.weight": draw(8, 8)})
    stored = {f"{PEFT}{C_ATTN}.weight": draw(30, 8)}
    stored |= {f"{PEFT}{Q}.{word}": draw(*shape) for word, shape in LORA.items()}
    with pytest.raises(UsageError, match=r"shape of the base, \(24, 8\); found \(30, 8\)"):
        applied(base, peft(stored))


FACTORS = {f"{Q}.{word}": shape for word, shape in LORA.items()}


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (FACTORS, True),
        ({f"{Q}.hada_w1_a": (8, 2)}, True),
        ({f"{Q}.weight": (8, 8)}, False),
        ({**FACTORS, f"{Q}.weight": (8, 8)}, False),
        ({**FACTORS, f"{Q}.base_layer.weight": (8, 8)}, False),
        ({**FACTORS, f"{Q}.linear.weight": (8, 8)}, False),
        ({**FACTORS, "model.layers.0.mlp.up_proj.weight": (8, 8)}, False),
        ({**FACTORS, "model.layers.0.norm.weight": (8,), f"{Q}.bias": (8,)}, True),
        ({**FACTORS, "classifier.weight": (3, 8)}, True),
        ({"a.lora_A.weight": (2, 8), "a.lora_B.weight": (8, 2), "a.weight": (8, 8)}, False),
    ],
)
def test_an_adapter_has_factors_and_not_their_weights(draw, shapes, expected) -> None:
    """Norms, biases and a head are allowed; full weights of the adapted modules are not."""
    assert is_adapter(open_checkpoint({n: draw(*shape) for n, shape in shapes.items()})) == expected


def test_an_adapter_may_bring_whole_layers_with_its_config(draw, peft) -> None:
    """modules_to_save in a layer, and a head that is adapted and saved."""
    head = {f"lm_head.{word}": draw(*shape) for word, shape in LORA.items()}
    stored = {f"{PEFT}{n}": draw(*shape) for n, shape in FACTORS.items()}
    stored |= {f"{PEFT}{n}": x for n, x in head.items()}
    stored[f"{PEFT}lm_head.base_layer.weight"] = draw(8, 8)
    stored[f"{PEFT}model.layers.0.mlp.up_proj.weight"] = draw(8, 8)
    assert is_adapter(peft(stored))


def test_a_model_with_some_weights_of_adapted_modules_is_no_adapter(draw, peft) -> None:
    """One weight beside its factors in a layer is enough, whatever the config is."""
    stored = {f"{PEFT}{n}": draw(*shape) for n, shape in FACTORS.items()}
    stored |= {name.replace("q_proj", "v_proj"): x.clone() for name, x in stored.items()}
    assert is_adapter(peft(stored))
    assert not is_adapter(peft({**stored, f"{PEFT}{Q}.base_layer.weight": draw(8, 8)}))


def test_an_adapter_is_the_second_source(draw) -> None:
    """First or alone it is an error that names fit and spectrum; two adapters are no error."""
    adapter = open_checkpoint({n: draw(*shape) for n, shape in FACTORS.items()})
    base = open_checkpoint({f"{Q}.weight": draw(8, 8)})
    with pytest.raises(
        UsageError, match=r"base before its adapter; .*exchange the two; .*spectrum"
    ):
        require_base(adapter, base)
    require_base(base, adapter)
    require_base(adapter, adapter)
    assert "alone; measure an adapter alone with fit or spectrum" in str(alone(adapter))


def test_each_byte_is_read_once(draw, tmp_path) -> None:
    """Base, adapter and difference over two tiles: the bytes of both files."""
    name = "model.layers.0.mlp.up_proj"
    weights = {f"{name}.weight": draw(1024, 1024).bfloat16(), "norm.weight": draw(32)}
    factors = {f"{name}.lora_A.weight": draw(2, 1024), f"{name}.lora_B.weight": draw(1024, 2)}
    save_file(weights, tmp_path / "base")
    save_file(factors, tmp_path / "adapter")
    base = based(tmp_path / "base")
    model = adapted(base, open_checkpoint(tmp_path / "adapter"), NameOptions())
    units = []
    for a, b in zip(base.pieces, model.pieces, strict=True):
        entries = {"a": a.entry, "b": b.entry, "delta": difference(a.entry, b.entry)}
        units.append(Unit(a, entries, dict.fromkeys(entries, frozenset({MarginSums()}))))
    meter = Meter()
    list(Executor(Device("cpu", 1 << 30, 1, ""), meter)(units, lambda _: {}))
    stored = (*weights.values(), *factors.values())
    assert meter.bytes_read == sum(tensor.nbytes for tensor in stored)


@pytest.mark.parametrize(("split", "changed", "same"), [(False, 12, 64), (True, 24, 76)])
@pytest.mark.skipif(not GPT6.exists(), reason="the trained checkpoints are not there")
def test_the_adapter_of_gpt6(split, changed, same) -> None:
    """LoRA of c_attn and c_fc over six layers."""
    base = based(GPT6 / "gpt6_seed0_step01600.safetensors", split=split)
    checkpoint = open_checkpoint(GPT6 / "lora")
    pieces = applied(base, checkpoint, split=split)
    found = [n for n, piece in pieces.items() if piece.entry is not base.by_name[n].entry]
    assert is_adapter(checkpoint)
    assert (len(found), len(pieces) - len(found)) == (changed, same)


def test_the_adapter_of_the_demo() -> None:
    """q and v of four layers, in bf16: the adapted weights are float32."""
    base = based("demo:gpt")
    pieces = applied(base, open_checkpoint("demo:gpt-lora"))
    found = [piece for n, piece in pieces.items() if piece is not base.by_name[n]]
    assert len(found) == 8
    assert {piece.dtype for piece in found} == {"F32"}
    assert all(isinstance(piece.entry, Adapted) for piece in found)
