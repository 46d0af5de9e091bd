"""Every tensor stands at its own place, which is the same in every spelling of an architecture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.naming.spellings import (
    D,
    Shapes,
    V,
    bert,
    cifar,
    convnext,
    gpt2,
    llama,
    mixtral,
    resnet,
)
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.pieces import everything, listed
from weightscope.checkpoints import Opening, open_checkpoint
from weightscope.errors import WeightscopeError
from weightscope.naming import Place, families, places
from weightscope.naming.slots import Key, _Guard, key_of

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = sorted(
    str(p) for p in DATA.rglob("*") if p.suffix in (".safetensors", ".th", ".pth", ".pt", ".gguf")
)
DEMOS = ["demo:gpt", "demo:gpt-start", "demo:gpt-lora"]


def keys(names: Shapes, *kinds: str) -> list[Key]:
    """What identifies each piece, of some kinds or of all."""
    made = places(names, {}).values()
    return [key_of(p) for parts in made for p in parts if not kinds or p.kind in kinds]


def at(names: Shapes, name: str) -> Place:
    (place,) = places(names, {})[name]
    return place


MODELS = {
    "llama hf": llama("hf"),
    "llama meta": llama("meta"),
    "llama gguf": llama("gguf"),
    "llama torchtune": llama("torchtune"),
    "mixtral": mixtral("hf"),
    "mixtral gguf": mixtral("gguf"),
    "mixtral stacked": mixtral("stacked"),
    "gpt2": gpt2(""),
    "bert": bert("bert."),
    "resnet": resnet("torchvision"),
    "resnet hf": resnet("hf"),
    "cifar": cifar(),
}


@pytest.mark.parametrize("model", MODELS)
def test_each_tensor_has_its_own_place(model: str) -> None:
    """No two pieces of a model share a place, and no slot is a path."""
    found = keys(MODELS[model])
    assert max(Counter(found).values()) == 1
    assert not [
        key
        for key in found
        if "." in key[3] and key[3] not in ("attn.post", "mlp.post") and key[4] != "buffer"
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (llama("hf"), llama("meta")),
        (llama("hf"), llama("gguf")),
        (llama("hf"), llama("torchtune")),
        (mixtral("hf"), mixtral("gguf")),
        (mixtral("hf"), mixtral("stacked")),
        (gpt2(""), gpt2("transformer.")),
        (bert(""), bert("bert.")),
        (convnext("original"), convnext("timm")),
        (convnext("original"), convnext("hf")),
    ],
    ids=[
        "llama meta",
        "llama gguf",
        "llama torchtune",
        "mixtral gguf",
        "mixtral stacked",
        "gpt2",
        "bert",
        "convnext timm",
        "convnext hf",
    ],
)
def test_spellings_have_equal_places(one: Shapes, other: Shapes) -> None:
    """The places of a model do not depend on who wrote its names."""
    assert set(keys(one)) == set(keys(other))


def test_resnets_have_equal_places() -> None:
    """Weights and running statistics stand at equal places."""
    assert set(keys(resnet("torchvision"))) == set(keys(resnet("hf")))
    statistics = {key[3] for key in keys(resnet("hf"), "buffer")}
    assert {"1.running_mean", "shortcut.running_var", "stem.num_batches_tracked"} <= statistics
    wrapped = {f"module.{name}": dims for name, dims in resnet("torchvision").items()}
    assert keys(wrapped) == keys(resnet("torchvision"))


def test_llama_norms() -> None:
    """The norm after attention is the MLP's in a Llama, the attention's in Gemma 2 and OLMo2."""
    name = "model.layers.1.post_attention_layernorm.weight"
    assert at(llama("hf"), name).slot == "mlp"
    sandwich = llama("hf") | {"model.layers.1.post_feedforward_layernorm.weight": (8,)}
    assert at(sandwich, name).slot == "attn.post"
    assert at(sandwich, "model.layers.1.post_feedforward_layernorm.weight").slot == "mlp.post"
    assert at(sandwich, "model.layers.0.post_attention_layernorm.weight").slot == "mlp"
    assert at(llama("hf"), "model.norm.weight").slot == "final"


def test_an_expert_stored_apart_has_its_number() -> None:
    """The number is its part, as of a stack, and no part of its stored name."""
    names = {"model.layers.0.mlp.experts.7.gate_proj.weight": (8, 8)}
    place = at(names, *names)
    assert (place.part, place.piece, place.role) == ("7", "", "moe.expert.gate")


CROSS = [
    ("decoder.block.1.layer.{}.{}.q.weight", ("0", "SelfAttention"), ("1", "EncDecAttention")),
    ("model.decoder.layers.1.{}.q_proj.weight", ("self_attn",), ("encoder_attn",)),
    ("transformer_blocks.1.{}.to_q.weight", ("attn1",), ("attn2",)),
    ("down_blocks.1.attentions.0.transformer_blocks.0.{}.to_q.weight", ("attn1",), ("attn2",)),
    ("bert.encoder.layer.1.{}.self.query.weight", ("attention",), ("crossattention",)),
    ("transformer.h.1.{}.c_proj.weight", ("attn",), ("crossattention",)),
    ("decoder.layers.1.{}.out_proj.weight", ("self_attn",), ("multihead_attn",)),
    ("dec.blk.1.{}_q.weight", ("attn",), ("cross_attn",)),
]


@pytest.mark.parametrize(("name", "own", "cross"), CROSS, ids=[name for name, *_ in CROSS])
def test_cross_attention(name: str, own: tuple[str, ...], cross: tuple[str, ...]) -> None:
    """Cross-attention has the slot `cross`, with and without self-attention in the file."""
    both = dict.fromkeys((name.format(*own), name.format(*cross)), (8, 8))
    assert [at(both, n).slot for n in both] == ["", "cross"]
    assert [at({n: (8, 8)}, n).slot for n in both] == ["", "cross"]


def test_norms_of_a_transformer() -> None:
    """A decoder's second norm belongs to cross-attention; without proof its slot is its path."""
    inner = {
        "self_attn.in_proj_weight": (24, 8),
        "linear1.weight": (16, 8),
        "norm1.weight": (8,),
        "norm2.weight": (8,),
    }
    encoder = {f"encoder.layers.0.{name}": dims for name, dims in inner.items()}
    other = {"norm3.weight": (8,), "multihead_attn.in_proj_weight": (24, 8)}
    decoder = {f"decoder.layers.0.{name}": dims for name, dims in (inner | other).items()}
    names = encoder | decoder
    own = [("encoder", 1), ("encoder", 2), ("decoder", 1), ("decoder", 2), ("decoder", 3)]
    norms = [f"{tower}.layers.0.norm{i}.weight" for tower, i in own]
    assert [at(names, name).slot for name in norms] == ["attn", "mlp", "attn", "cross", "mlp"]
    del names["decoder.layers.0.multihead_attn.in_proj_weight"]
    assert at(names, "decoder.layers.0.norm2.weight").slot == "norm2"


def test_one_rnn_is_one_tower() -> None:
    """Weights and biases of a module stand in one stack, whose name is that of the module."""
    names = {"lstm.weight_ih_l0": (8, 8), "lstm.bias_ih_l0": (8,), "lstm.weight_hh_l1": (8, 8)}
    assert {at(names, name).stack for name in names} == {""}
    names |= {"gru.weight_ih_l0": (8, 8)}
    assert [at(names, name).stack for name in names] == ["lstm", "lstm", "lstm", "gru"]


def test_what_a_rule_does_not_tell_apart_has_its_path() -> None:
    """Of two heads at one place the one with the shorter name keeps the slot that it has alone."""
    names = {"AuxLogits.fc.weight": (8, 4), "fc.weight": (8, 4)}
    assert [at(names, name).slot for name in names] == ["AuxLogits.fc", ""]
    assert at({"fc.weight": (8, 4)}, "fc.weight").slot == ""


def test_the_copy_of_a_saved_module_is_called_so() -> None:
    """PEFT's `modules_to_save` keeps the place of the module, its original is beside it."""
    names = {
        f"lm_head.{copy}.weight": (V, D) for copy in ("modules_to_save.default", "original_module")
    }
    assert [at(names, name).slot for name in names] == ["", "lm_head.original_module"]


def test_a_part_that_is_a_role_has_the_place_of_one_stored_alone() -> None:
    """q of a fused matrix and q_proj differ in the piece that is shown, not in their place."""
    fused = places({"blocks.0.attn.qkv.weight": (24, 8)}, {})["blocks.0.attn.qkv.weight"]
    alone = at(
        {"layer.0.attention.attention.query.weight": (8, 8)},
        "layer.0.attention.attention.query.weight",
    )
    assert key_of(fused[0]) == key_of(alone)
    assert [(place.part, place.piece, place.shown) for place in fused] == [
        ("", "q", "q"),
        ("", "k", "k"),
        ("", "v", "v"),
    ]


def test_inner_blocks_have_their_number() -> None:
    """Transformer blocks of one attention of a UNet differ in their slot; the first has none."""
    name = "down_blocks.1.attentions.0.transformer_blocks.{}.attn2.to_q.weight"
    assert [at({name.format(i): (8, 8)}, name.format(i)).slot for i in (0, 1)] == [
        "cross",
        "cross.1",
    ]


@pytest.mark.parametrize(
    ("name", "shape", "slot"),
    [
        ("model.layers.3.odd.thing.weight", (8, 8), "odd.thing"),
        ("trunk.odd.weight", (8, 8), "trunk.odd"),
        ("model.layers.3.odd.bias", (8,), "odd"),
        ("bert.embeddings.position_ids", (1, 8), "embeddings.position_ids"),
        ("model.layers.3.odd_norm.weight", (8,), "odd_norm"),
        ("module.tail.odd", (8, 8), "tail.odd"),
    ],
)
def test_what_no_rule_names_has_its_path(name: str, shape: tuple[int, ...], slot: str) -> None:
    """The path inside the layer or the whole path, alone and beside similar names."""
    assert at({name: shape}, name).slot == slot
    beside = {
        name: shape,
        "model.layers.3.other.thing.weight": (8, 8),
        "trunk.other.weight": (8, 8),
    }
    assert at(beside, name).slot == slot


def test_names_that_become_one_keep_two_places() -> None:
    """Wrappers' prefixes that are stripped leave places apart, in whatever order the names come."""
    names = [
        "module.a.thing",
        "a.thing",
        "module.module.a.thing",
        "a.thing#2",
        "h.0.attn.q_proj.weight",
        "module.h.0.attn.q_proj.weight",
    ]
    one = places(dict.fromkeys(names, (8, 8)), {})
    assert max(Counter(key_of(p) for parts in one.values() for p in parts).values()) == 1
    other = places(dict.fromkeys(reversed(names), (8, 8)), {})
    assert {n: one[n] for n in names} == {n: other[n] for n in names}


def test_equal_places_are_told_apart_in_linear_time() -> None:
    """With ten thousand equal places and every tenth number taken, each number is tried once."""
    same, numbered = Place(slot="a"), [Place(slot=f"a#{10 * i}") for i in range(1_000)]
    guard = _Guard({key_of(p) for p in (same, *numbered)})
    made = list(guard.own((same,) * 10_000 + tuple(numbered)))
    assert len({key_of(p) for p in made}) == 11_000
    assert sum(guard.number.values()) < 12_000


def test_samples_of_a_family_share_no_place() -> None:
    """The samples of each family, as one file, stand apart."""
    for family in families():
        names = {s.name: s.shape for s in family.samples}
        found = keys(names)
        assert len(found) == len(set(found)), family.id


WORDS = [
    "model",
    "layers",
    "0",
    "1",
    "h",
    "attn",
    "c_attn",
    "mlp",
    "experts",
    "gate_up_proj",
    "7",
    "w1",
    "weight",
    "bias",
    "module",
    "norm",
    "conv1",
    "body",
    "lora_A",
    "#2",
    "lstm",
    "weight_ih_l0",
    "linear",
    "",
]


@given(
    st.dictionaries(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(".".join),
        st.lists(st.integers(0, 4), max_size=4).map(tuple),
        max_size=12,
    )
)
@example({"weight": (0, 0, 0, 0), "module.weight": ()})  # one name without prefixes
def test_any_names_have_their_own_places(names: Shapes) -> None:
    """No two pieces share a place, whatever the names, the shapes and the order."""
    made = places(names, {})
    found = [key_of(p) for parts in made.values() for p in parts]
    assert len(found) == len(set(found))
    assert places(dict(reversed(names.items())), {}) == dict(reversed(made.items()))


@pytest.mark.parametrize(
    "source", [*DEMOS, *FILES, *([str(DATA / "gpt6" / "lora")] if FILES else [])]
)
def test_real_checkpoints(source: str) -> None:
    """Each piece of a readable file stands at its own place, as stored and as measured."""
    try:
        checkpoint = open_checkpoint(source, Opening())
    except WeightscopeError as fault:
        pytest.skip(str(fault))
    for model in (listed(checkpoint, NameOptions()), everything(checkpoint, NameOptions())):
        found = [key_of(piece.place) for piece in model.pieces]
        assert len(found) == len(set(found))
