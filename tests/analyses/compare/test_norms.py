"""DoRA against its formula written out, with norms measured by the engine."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from tests.close import assert_close
from weightscope.analyses.compare.adapting import adapted
from weightscope.analyses.compare.norms import with_norms
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.pieces import measured
from weightscope.checkpoints import lines_in_memory, open_checkpoint
from weightscope.checkpoints.views import difference
from weightscope.engine import Device, Executor
from weightscope.errors import UsageError
from weightscope.geometry import whole

Q = "model.layers.0.self_attn.q_proj"
CONV = "down_blocks.0.resnets.0.conv1"
C_ATTN = "transformer.h.0.attn.c_attn"
TABLE = "model.embed_tokens"
KOHYA = "lora_unet_down_blocks_0_resnets_0_conv1"


def engine(memory: int = 1 << 30) -> Executor:
    """The engine on one thread."""
    return Executor(Device("cpu", memory, 1, ""))


def values(entry) -> torch.Tensor:
    """All values of an entry in memory."""
    spans = entry.needs(whole(entry.shape))
    return entry.make(whole(entry.shape), tuple(lines_in_memory(span) for span in spans))


def measured_norms(base, adapter, *, split: bool = True):
    """The base and the adapted base with norms."""
    reading = NameOptions(split=split)
    model = measured(open_checkpoint(base), reading)
    checkpoint = open_checkpoint(adapter) if isinstance(adapter, dict) else adapter
    return model, with_norms(adapted(model, checkpoint, reading), engine())


def dora(weight, update, magnitudes, dim) -> torch.Tensor:
    """m (W + U) / |W + U| with norms over all dimensions but one, as PEFT writes it."""
    direction = weight.double() + update
    others = [i for i in range(weight.ndim) if i != dim]
    shape = [-1 if i == dim else 1 for i in range(weight.ndim)]
    norms = torch.linalg.vector_norm(direction, dim=others, keepdim=True)
    return magnitudes.double().reshape(shape) / norms * direction


def assert_dora(models, name: str, expected, weight) -> None:
    """The adapted weight, and its difference to the base, to the rounding of float32."""
    base, model = (m.by_name[name].entry for m in models)
    flat = expected.flatten(1)
    assert_close(values(model), flat.float(), rtol=2e-6, atol=1e-7)
    change = values(difference(base, model)).double()
    assert_close(change, flat - weight.double().flatten(1), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    "word", ["lora_magnitude_vector", "lora_magnitude_vector.weight", "dora_scale"]
)
def test_outputs_of_a_layer_have_magnitudes(draw, word) -> None:
    """By row of the oriented matrix, in PEFT's spellings and in LyCORIS's (outputs, 1)."""
    w, a, b = draw(6, 8), draw(2, 8), draw(6, 2)
    m = draw(6).abs() if "vector" in word else draw(6, 1).abs()
    names = (f"{Q}.lora_A.weight", f"{Q}.lora_B.weight", f"{Q}.{word}")
    models = measured_norms({f"{Q}.weight": w}, dict(zip(names, (a, b, m), strict=True)))
    expected = dora(w, b.double() @ a.double(), m.flatten(), 0)
    assert_dora(models, f"{Q}.weight", expected, w)
    assert [note.code for note in models[1].pieces[0].notes] == ["unscaled-lora"]


def test_magnitudes_are_split_as_the_weight(draw) -> None:
    """q, k and v of a Conv1D, stored (in, out), with one magnitude for each output."""
    w, a, b, m = draw(8, 24), draw(2, 8), draw(24, 2), draw(24).abs()
    names = (
        f"{C_ATTN}.lora_A.weight",
        f"{C_ATTN}.lora_B.weight",
        f"{C_ATTN}.lora_magnitude_vector",
    )
    siblings = {"transformer.h.0.mlp.c_fc.weight": draw(8, 32)}
    adapter = dict(zip(names, (a, b, m), strict=True))
    models = measured_norms({f"{C_ATTN}.weight": w, **siblings}, adapter)
    expected = dora(w.T, b.double() @ a.double(), m, 0)
    for i, part in enumerate("qkv"):
        rows = slice(8 * i, 8 * i + 8)
        assert_dora(models, f"{C_ATTN}.weight[{part}]", expected[rows], w.T[rows])


def test_channels_of_a_convolution_have_magnitudes(draw) -> None:
    """PEFT stores (1, outputs, 1, 1) for kernels of any size."""
    w, a, b, m = draw(6, 4, 3, 3), draw(2, 4, 3, 3), draw(6, 2, 1, 1), draw(1, 6, 1, 1).abs()
    names = (f"{CONV}.lora_A.weight", f"{CONV}.lora_B.weight", f"{CONV}.lora_magnitude_vector")
    models = measured_norms({f"{CONV}.weight": w}, dict(zip(names, (a, b, m), strict=True)))
    update = (b.double().flatten(1) @ a.double().flatten(1)).reshape(w.shape)
    assert_dora(models, f"{CONV}.weight", dora(w, update, m, 0), w)


@pytest.mark.parametrize("dim", [0, 1])
def test_lycoris_states_the_side_by_the_shape(draw, dim) -> None:
    """(outputs, 1, 1, 1), or (1, inputs, 1, 1) with norms over outputs and kernels."""
    w, a, b = draw(6, 4, 3, 3), draw(2, 4, 3, 3), draw(6, 2, 1, 1)
    m = draw(*((6, 1, 1, 1) if dim == 0 else (1, 4, 1, 1))).abs()
    names = (f"{KOHYA}.lora_down.weight", f"{KOHYA}.lora_up.weight", f"{KOHYA}.dora_scale")
    models = measured_norms({f"{CONV}.weight": w}, dict(zip(names, (a, b, m), strict=True)))
    update = (b.double().flatten(1) @ a.double().flatten(1)).reshape(w.shape)
    assert_dora(models, f"{CONV}.weight", dora(w, update, m, dim), w)


def test_embeddings_of_peft_have_magnitudes_by_dimension(draw) -> None:
    """PEFT norms the columns of tokens x dimensions."""
    w, a, b, m = draw(30, 8), draw(2, 30), draw(8, 2), draw(8).abs()
    words = ("lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector.weight")
    adapter = {f"{TABLE}.{word}": x for word, x in zip(words, (a, b, m), strict=True)}
    models = measured_norms({f"{TABLE}.weight": w}, adapter)
    assert_dora(models, f"{TABLE}.weight", dora(w, (b.double() @ a.double()).T, m, 1), w)


@pytest.mark.parametrize("module", [Q, TABLE])
def test_mlx_has_magnitudes_by_row(draw, tmp_path, module) -> None:
    """`m` beside turned factors: outputs of a layer, tokens of an embedding."""
    w, m = draw(30, 8), draw(30).abs()
    a, b = (draw(30, 2), draw(2, 8)) if module == TABLE else (draw(8, 2), draw(2, 30))
    adapter = {f"{module}.lora_a": a, f"{module}.lora_b": b, f"{module}.m": m}
    save_file(adapter, tmp_path / "adapters.safetensors")
    config = {"fine_tune_type": "dora", "lora_parameters": {"rank": 2, "scale": 3.0}}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    checkpoint = open_checkpoint(tmp_path)
    in_memory = {tensor.name: tensor for tensor in open_checkpoint(adapter).tensors}
    tensors = tuple(in_memory[tensor.name] for tensor in checkpoint.tensors)
    models = measured_norms({f"{module}.weight": w}, replace(checkpoint, tensors=tensors))
    update = 3 * (a.double() @ b.double())
    expected = dora(w, update if module == TABLE else update.T, m, 0)
    assert_dora(models, f"{module}.weight", expected, w)


def test_small_changes_keep_their_digits(draw) -> None:
    """Norms in float32 would be wrong by a tenth of this change."""
    w, a, b = draw(4, 256, std=1.0), draw(2, 256, std=1e-3), draw(4, 2, std=1e-4)
    m = w.double().norm(dim=1)
    names = (f"{Q}.lora_A.weight", f"{Q}.lora_B.weight", f"{Q}.lora_magnitude_vector")
    models = measured_norms({f"{Q}.weight": w}, dict(zip(names, (a, b, m), strict=True)))
    expected = dora(w, b.double() @ a.double(), m, 0) - w.double()
    change = values(difference(models[0].pieces[0].entry, models[1].pieces[0].entry)).double()
    assert float((change - expected).norm() / expected.norm()) < 1e-6


def test_other_models_need_no_pass(draw) -> None:
    """Without DoRA the model stays itself; norms are measured once."""
    factors = {f"{Q}.lora_A.weight": draw(2, 8), f"{Q}.lora_B.weight": draw(6, 2)}
    base = measured(open_checkpoint({f"{Q}.weight": draw(6, 8)}), NameOptions())
    model = adapted(base, open_checkpoint(factors), NameOptions())
    assert with_norms(model, engine()) is model
    factors[f"{Q}.lora_magnitude_vector"] = draw(6)
    model = with_norms(adapted(base, open_checkpoint(factors), NameOptions()), engine())
    assert with_norms(model, engine()) is model


def test_norms_that_do_not_fit_are_a_note(draw) -> None:
    """The weight stays unmeasured under a memory that is too small."""
    factors = {f"{Q}.lora_A.weight": draw(2, 64), f"{Q}.lora_B.weight": draw(64, 2)}
    factors[f"{Q}.lora_magnitude_vector"] = draw(64)
    base = measured(open_checkpoint({f"{Q}.weight": draw(64, 64)}), NameOptions())
    model = with_norms(adapted(base, open_checkpoint(factors), NameOptions()), engine(memory=1000))
    (piece,) = model.pieces
    assert piece.entry is None
    assert "memory" in [note.code for note in piece.notes]


@pytest.mark.parametrize(
    ("base", "module", "m", "message"),
    [
        ((8, 8), Q, (7,), r"magnitudes .*lora_magnitude_vector of 7; name the base"),
        ((24, 8), C_ATTN, (1, 8), r"magnitudes of lines that it splits; add --no-split"),
        ((8, 8), Q, (1, 3), r"magnitudes .*dora_scale of 1x3"),
    ],
)
def test_magnitudes_that_do_not_fit_are_an_error(draw, base, module, m, message) -> None:
    """Another number of them, and norms over the parts of a fused weight."""
    word = "dora_scale" if len(m) > 1 else "lora_magnitude_vector"
    adapter = {
        f"{module}.lora_A.weight": draw(2, base[1]),
        f"{module}.lora_B.weight": draw(base[0], 2),
        f"{module}.{word}": draw(*m),
    }
    with pytest.raises(UsageError, match=message):
        measured_norms({f"{module}.weight": draw(*base)}, adapter)


def test_norms_of_inputs_are_those_of_the_whole_weight(draw) -> None:
    """With --no-split a fused weight has norms over all of its outputs."""
    w, a, b, m = draw(24, 8), draw(2, 8), draw(24, 2), draw(1, 8).abs()
    names = (f"{C_ATTN}.lora_A.weight", f"{C_ATTN}.lora_B.weight", f"{C_ATTN}.dora_scale")
    adapter = dict(zip(names, (a, b, m), strict=True))
    models = measured_norms({f"{C_ATTN}.weight": w}, adapter, split=False)
    assert_dora(models, f"{C_ATTN}.weight", dora(w, b.double() @ a.double(), m, 1), w)
