"""Every piece of a model meets the same weight in every other spelling of the model."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.models import LLAMA, drawn, interleaved, met, model, pairs, values
from tests.naming.spellings import EXPERTS, N, Shapes, bert, convnext, gpt2, llama, mixtral, resnet
from weightscope.naming import key_of

SPELLINGS = {
    "gpt2": (gpt2(""), gpt2("transformer.")),
    "bert": (bert(""), bert("bert.")),
    "bert of an encoder": (bert("encoder."), bert("module.encoder.")),
    "llama torchtune": (llama("meta"), llama("torchtune")),
    "convnext": (convnext("original"), convnext("timm")),
    "resnet": (resnet("torchvision"), resnet("hf")),
    "compiled": (llama("hf"), {f"_orig_mod.{n}": dims for n, dims in llama("hf").items()}),
    "bare llama": (llama("hf"), {n.removeprefix("model."): d for n, d in llama("hf").items()}),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_meet(spelling: str) -> None:
    """All pieces of both are paired, with the weight that has the same values and place."""
    one, other = SPELLINGS[spelling]
    weights = drawn(one)
    renamed = _aligned(one, other)
    found = pairs(
        model(weights), model({name: weights[first] for name, first in renamed.items()}, LLAMA)
    )
    for pair in found:
        assert pair.a
        assert pair.b
        assert renamed[pair.b.stored.name] == pair.a.stored.name
        assert key_of(pair.a.place)[1:] == key_of(pair.b.place)[1:]
        assert torch.equal(values(pair.a.entry), values(pair.b.entry))
        assert pair.ordered
        assert not pair.notes or pair.place.kind == "buffer"


def _aligned(one: Shapes, other: Shapes) -> dict[str, str]:
    """Names of the first spelling by those of the second."""
    return dict(zip(other, one, strict=True))


@pytest.mark.parametrize("spelling", ["meta", "gguf", "torchtune"])
@pytest.mark.parametrize("swapped", [False, True])
def test_interleaved_spellings_meet_transformers(spelling: str, swapped: bool) -> None:
    """q and k are compared in the order of transformers, whichever of the two is A."""
    weights = drawn(llama("hf"))
    stored = {}
    for name, first in _aligned(llama("hf"), llama(spelling)).items():
        heads = {"q": 2, "k": 1}.get(first.rpartition("self_attn.")[2][:1], 0)
        is_qk = "q_proj" in first or "k_proj" in first
        stored[name] = interleaved(weights[first], heads) if is_qk else weights[first]
    both = [model(weights, LLAMA), model(stored)]
    if swapped:
        both.reverse()
    found = pairs(*both)
    assert len(found) == len(weights)
    for pair in found:
        assert pair.a
        assert pair.b
        assert torch.equal(values(pair.a.entry), values(pair.b.entry)), pair.name
        assert pair.entry is pair.a.entry
        assert pair.ordered


SIZES = ("w1", "w3", "w2")


def _stacked(weights: dict[str, torch.Tensor], spelling: str) -> dict[str, torch.Tensor]:
    """The experts of a Mixtral as one tensor a layer."""
    stored = {name: w for name, w in weights.items() if "experts" not in name}
    for i in range(N):
        block = f"model.layers.{i}.block_sparse_moe.experts"
        gate, up, down = (
            torch.stack([weights[f"{block}.{e}.{w}.weight"] for e in range(EXPERTS)]) for w in SIZES
        )
        if spelling == "gguf":
            stored[f"blk.{i}.ffn_gate_exps.weight"] = gate
            stored[f"blk.{i}.ffn_up_exps.weight"] = up
            stored[f"blk.{i}.ffn_down_exps.weight"] = down
        else:
            stored[f"model.layers.{i}.mlp.experts.gate_up_proj"] = torch.cat((gate, up), 1)
            stored[f"model.layers.{i}.mlp.experts.down_proj"] = down
    return stored


@pytest.mark.parametrize("spelling", ["gguf", "stacked"])
def test_stacked_experts_meet_separate_ones(spelling: str) -> None:
    """Each expert of a stack, and each half of gate_up, meets the matrix that is stored apart."""
    weights = drawn(mixtral("hf"))
    found = pairs(model(weights, LLAMA), model(_stacked(weights, spelling), LLAMA))
    experts = [pair for pair in found if "experts" in pair.name]
    assert len(experts) == N * EXPERTS * 3
    for pair in found:
        assert pair.a
        assert pair.b
        assert torch.equal(values(pair.a.entry), values(pair.b.entry)), pair.name
        assert (pair.place.layer, pair.place.part) == (pair.b.place.layer, pair.b.place.part)
        assert not pair.notes


def test_fused_projections_meet_separate_ones() -> None:
    """q, k and v of one tensor meet three tensors in another spelling."""
    q, k, v, o = torch.randn(4, 8, 8).unbind()
    fused = {
        "blocks.0.attn.qkv.weight": torch.cat((q, k, v)),
        "blocks.0.attn.proj.weight": o,
    }
    stem = "vit.encoder.layer.0.attention"
    apart = {
        f"{stem}.attention.query.weight": q,
        f"{stem}.attention.key.weight": k,
        f"{stem}.attention.value.weight": v,
        f"{stem}.output.dense.weight": o,
    }
    found = pairs(model(fused), model(apart))
    assert len(found) == 4
    assert all(torch.equal(values(p.a.entry), values(p.b.entry)) for p in found if p.a and p.b)
    whole = pairs(model(fused, split=False), model(apart))
    assert met(whole) >= {
        ("blocks.0.attn.qkv.weight", None),
        (None, f"{stem}.attention.key.weight"),
    }
    needed = "h.0.self_attention.query_key_value.weight"
    unsplit = pairs(model({needed: torch.cat((q, k, v))}), model(apart))
    assert met(unsplit) == {(needed, None), *((None, name) for name in apart)}
    (row,) = [pair for pair in unsplit if pair.a]
    assert [note.code for note in row.notes] == ["not-split-needs-config"]


def test_orientation_does_not_matter() -> None:
    """Conv1D, stored (in, out), meets nn.Linear."""
    weights = drawn(gpt2("transformer."))
    names = [name for name in weights if "c_attn.weight" in name or "mlp.c_" in name]
    turned = ["attn.c_proj.weight", *names]
    linear = {
        name: w.T if name.endswith(tuple(turned)) and w.ndim == 2 else w
        for name, w in weights.items()
    }
    found = pairs(model(weights), model(linear))
    assert all(p.a and p.b for p in found)
    for pair in found:
        assert pair.a
        assert pair.b
        assert torch.equal(values(pair.a.entry), values(pair.b.entry)), pair.name
