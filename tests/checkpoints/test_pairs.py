"""LoRA pairs: every spelling, every source of the scale, and what only looks like a pair."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
import torch

from tests.noted import told
from weightscope.checkpoints import scales
from weightscope.checkpoints.entry import Stored
from weightscope.checkpoints.pairs import lone_factors, lora_pairs
from weightscope.notes import Note

DATA = Path(__file__).parents[3] / "shared" / "data"


def pair_of(a: str, b: str, *more: Stored, dims=((4, 8), (6, 4)), config=None):
    tensors = [Stored(a, dims[0], "F32"), Stored(b, dims[1], "F32"), *more]
    found = lora_pairs(tensors, config or {})
    return found[0] if found else None


@pytest.mark.parametrize(
    ("a", "b", "module"),
    [
        (
            "base_model.model.h.0.q.lora_A.weight",
            "base_model.model.h.0.q.lora_B.weight",
            "base_model.model.h.0.q",
        ),
        ("h.q.lora_A.default.weight", "h.q.lora_B.default.weight", "h.q"),
        ("m.embed.lora_embedding_A", "m.embed.lora_embedding_B", "m.embed"),
        ("m.embed.lora_embedding_A.default", "m.embed.lora_embedding_B.default", "m.embed"),
        ("unet.attn1.to_q.lora.down.weight", "unet.attn1.to_q.lora.up.weight", "unet.attn1.to_q"),
        (
            "attn1.processor.to_q_lora.down.weight",
            "attn1.processor.to_q_lora.up.weight",
            "attn1.processor.to_q",
        ),
        (
            "attn1.to_k.lora_linear_layer.down.weight",
            "attn1.to_k.lora_linear_layer.up.weight",
            "attn1.to_k",
        ),
        ("lora_unet_mid_q.lora_down.weight", "lora_unet_mid_q.lora_up.weight", "lora_unet_mid_q"),
        ("unet:12:down", "unet:12:up", "unet:12"),
        (
            "layers.0.attn.q_proj.lora_a.weight",
            "layers.0.attn.q_proj.lora_b.weight",
            "layers.0.attn.q_proj",
        ),
        ("model.layers.0.q_proj.lora_a", "model.layers.0.q_proj.lora_b", "model.layers.0.q_proj"),
        ("h.0.attn.c_attn.lora_A", "h.0.attn.c_attn.lora_B", "h.0.attn.c_attn"),
        ("attn1.to_q_lora_down.weight", "attn1.to_q_lora_up.weight", "attn1.to_q"),
    ],
)
def test_every_spelling_is_found_and_names_the_module(a: str, b: str, module: str) -> None:
    """A and B are told apart and the module is what stands before them."""
    found = pair_of(a, b)
    assert found is not None
    assert (found.module, found.a, found.b) == (module, a, b)
    assert found.scale == 1.0
    assert told(found).startswith("unscaled: ")


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({"r": 4, "lora_alpha": 8}, 2.0),
        ({"r": 64, "lora_alpha": 8}, 2.0),  # the tensor knows its rank better than the config
        ({"lora_alpha": 8, "use_rslora": True}, 4.0),
        ({"lora_alpha": 8, "alpha_pattern": {"attn.q": 2}}, 0.5),
        ({"lora_alpha": 8, "alpha_pattern": {"^h.attn.q": 2}}, 0.5),
        ({"lora_alpha": 8, "alpha_pattern": {"^attn.q": 2}}, 2.0),
        ({"lora_alpha": 8, "alpha_pattern": {r"attn\.q$": 2}}, 0.5),
        ({"lora_alpha": 8, "alpha_pattern": {"tn.q": 2}}, 2.0),
    ],
)
def test_scale_follows_the_adapter_config(config: dict, scale: float) -> None:
    """alpha / r, or alpha / sqrt(r), with the module's own alpha where a pattern names it."""
    a = "base_model.model.h.attn.q.lora_A.weight"
    found = pair_of(a, a.replace("lora_A", "lora_B"), config={"peft": config})
    assert found.scale == scale
    assert told(found) == ""


@pytest.mark.parametrize(
    "config",
    [
        {"r": [4], "target_parameters": []},
        {"lora_alpha": "8"},
        {"lora_alpha": True},
        {"lora_alpha": float("inf")},
        {"lora_alpha": 10**400},
        {"lora_alpha": None},
        {"lora_alpha": 8, "alpha_pattern": {"q": "8"}},
    ],
)
def test_an_unusable_alpha_leaves_the_pair_unscaled(config: dict) -> None:
    """Whatever a config holds instead of a number, the pair stays and says that it is unscaled."""
    found = pair_of("q.lora_A.weight", "q.lora_B.weight", config={"peft": config})
    assert found.scale == 1.0
    assert told(found) == "unscaled: alpha is not a number that can be read"


PATTERNS = [
    (r"layers\.\d+\.q", 2),
    (r"layers\.[0-9]+\.q", 2),
    (r".*\.q", 2),
    (r"(q|k)", 2),
    ("layers.(3|17).q", 2),
    (r"^model\.layers\.1.\.q$", 2),
    (r"^layers\.\d+\.q", None),
    (r"layers\.\d\.q", None),
    ("v|k", None),
    ("(a+)+$", None),
]


@pytest.mark.parametrize(("pattern", "alpha"), PATTERNS)
def test_an_expression_is_matched_as_peft_matches_it(pattern: str, alpha: float | None) -> None:
    """A key matches the end of a path after a dot, or all of it; others have the common alpha."""
    a = "base_model.model.model.layers.17.q.lora_A.weight"
    config = {"peft": {"lora_alpha": 8, "alpha_pattern": {pattern: 2}}}
    named = re.match(rf"(.*\.)?({pattern})$", "model.layers.17.q") is not None
    assert named == (alpha is not None)
    found = pair_of(a, a.replace("lora_A", "lora_B"), config=config)
    assert (found.scale, told(found)) == ((alpha or 8) / 4, "")


def test_the_first_key_that_names_a_module_counts() -> None:
    """Paths and expressions in the order of the config."""
    a, b = "layers.1.q.lora_A.weight", "layers.1.q.lora_B.weight"
    for keys, alpha in (
        ([r".*\.q", "q"], 2),
        (["q", r".*\.q"], 2),
        (["k", r"layers\.2\.q", "q"], 8),
    ):
        patterns = dict(zip(keys, (2, 4, 8), strict=False))
        assert (
            pair_of(a, b, config={"peft": {"lora_alpha": 1, "alpha_pattern": patterns}}).scale
            == alpha / 4
        )


@pytest.mark.parametrize("pattern", [r"(?=q)q", r"(q)\1", "(", "a" * 2000 + "*"])
def test_an_expression_that_cannot_be_read_unscales_what_it_may_name(pattern: str) -> None:
    """A module that an earlier key names keeps its scale."""
    config = {"peft": {"lora_alpha": 1, "alpha_pattern": {"layers.1.q": 8, pattern: 2, "k": 3}}}
    first, later = "layers.1.q.lora_A.weight", "layers.1.k.lora_A.weight"
    assert pair_of(first, first.replace("_A", "_B"), config=config).scale == 2
    unread = pair_of(later, later.replace("_A", "_B"), config=config)
    assert unread.scale == 1
    assert (
        told(unread)
        == "unscaled: an expression of alpha_pattern that cannot be read may name the module"
    )


def test_many_modules_and_expressions_end(monkeypatch) -> None:
    """Beyond a number of steps the rest is unscaled."""
    monkeypatch.setattr(scales, "STEPS", 200)
    names = [f"layers.{i}.q.lora_{side}.weight" for i in range(100) for side in "AB"]
    tensors = [Stored(name, (4, 4), "F32") for name in names]
    found = lora_pairs(tensors, {"peft": {"lora_alpha": 8, "alpha_pattern": {r".*\.k": 2}}})
    assert len(found) == 100
    assert {pair.scale for pair in found} == {2.0, 1.0}


@pytest.mark.parametrize(
    ("own", "scale"),
    [
        ({"rank": 4, "scale": 20.0}, 20.0),
        ({"rank": 4, "alpha": 16}, 4.0),
        ({"rank": 4, "alpha": 4, "scale": 3}, 3.0),
        ({"rank": 4, "alpha": 16, "scale": 10.0}, None),
        ({"rank": 4}, None),
        ({"scale": "20"}, None),
        ({"rank": 0, "alpha": 16}, None),
    ],
)
def test_the_scale_of_mlx_is_that_of_its_config(own: dict, scale: float | None) -> None:
    """The scale of MLX is not divided by the rank; with alpha beside it the product is unscaled."""
    config = {"peft": {"fine_tune_type": "lora", "lora_parameters": own}}
    found = pair_of("q.lora_a", "q.lora_b", dims=((8, 4), (4, 6)), config=config)
    assert found.turned
    assert found.scale == (scale or 1.0)
    assert told(found).startswith("unscaled" if scale is None else "")
    assert bool(told(found)) == (scale is None)


@pytest.mark.parametrize(
    ("dtype", "raw", "swapped"),
    [
        ("F32", struct.pack("<f", 6.0), False),
        ("F32", struct.pack(">f", 6.0), True),
        ("F64", struct.pack("<d", 6.0), False),
        ("F16", struct.pack("<e", 6.0), False),
        ("BF16", struct.pack("<f", 6.0)[2:], False),
        ("BF16", struct.pack(">f", 6.0)[:2], True),
        ("I64", struct.pack("<q", 6), False),
    ],
)
def test_an_alpha_tensor_is_read_from_its_file(
    tmp_path: Path, dtype: str, raw: bytes, swapped: bool
) -> None:
    """kohya stores alpha beside the factors, as a scalar of any type; it wins over the config."""
    file = tmp_path / "lora.bin"
    file.write_bytes(b"?????" + raw)
    alpha = Stored("q.alpha", (), dtype, str(file), 5, swapped=swapped)
    found = pair_of(
        "q.lora_down.weight", "q.lora_up.weight", alpha, config={"peft": {"lora_alpha": 1}}
    )
    assert found.scale == 1.5
    assert told(found) == ""


@pytest.mark.parametrize(
    ("dtype", "raw"), [("F32", struct.pack("<f", -6.0)), ("BF16", struct.pack("<f", -6.0)[2:])]
)
def test_a_negated_alpha_is_the_negative_of_its_bytes(
    tmp_path: Path, dtype: str, raw: bytes
) -> None:
    """The scalar is read with its pending negation."""
    (tmp_path / "a").write_bytes(raw)
    alpha = Stored("q.alpha", (), dtype, str(tmp_path / "a"), negated=True)
    assert pair_of("q.lora_down.weight", "q.lora_up.weight", alpha).scale == 1.5


def test_an_alpha_tensor_in_memory_is_looked_at() -> None:
    """A dict of tensors brings its alpha with it."""
    alpha = Stored("q.alpha", (), "BF16", tensor=torch.tensor(2.0, dtype=torch.bfloat16))
    assert pair_of("q.lora_down.weight", "q.lora_up.weight", alpha).scale == 0.5


def test_an_alpha_of_a_type_without_values_is_unknown(tmp_path: Path) -> None:
    """A scalar that is no number leaves the pair unscaled."""
    (tmp_path / "a").write_bytes(bytes(8))
    alpha = Stored("q.alpha", (), "C64", str(tmp_path / "a"))
    assert told(pair_of("q.lora_down.weight", "q.lora_up.weight", alpha)).startswith(
        "unscaled: alpha"
    )


def test_kernels_are_flattened() -> None:
    """A convolution's factors pair by the product of their kernel's sides."""
    assert (
        pair_of("c.lora_down.weight", "c.lora_up.weight", dims=((4, 3, 3, 3), (6, 4, 1, 1)))
        is not None
    )


@pytest.mark.parametrize("dims", [((4, 8), (6, 5)), ((8,), (6, 8)), ((0, 8), (6, 0))])
def test_shapes_that_do_not_multiply_are_no_pair(dims) -> None:
    """Names alone make no pair."""
    assert pair_of("q.lora_A.weight", "q.lora_B.weight", dims=dims) is None


def test_half_a_pair_is_no_pair() -> None:
    """A without B, B without A, and a name without a module."""
    for name in ("q.lora_A.weight", "q.lora_B.weight", "unet:0:up", ":down", "q.lora_A.bias"):
        assert lora_pairs([Stored(name, (4, 4), "F32")], {}) == ()


def test_codes_are_no_factors() -> None:
    """Quantised or integer factors have no product here."""
    tensors = [Stored("q.lora_A.weight", (4, 4), "I8"), Stored("q.lora_B.weight", (4, 4), "I8")]
    assert lora_pairs(tensors, {}) == ()


def test_a_third_factor_between_makes_no_pair() -> None:
    """Tucker-factored kernels are not B A."""
    middle = Stored("c.lora_mid.weight", (4, 4, 3, 3), "F32")
    assert (
        pair_of("c.lora_down.weight", "c.lora_up.weight", middle, dims=((4, 8, 1, 1), (6, 4, 1, 1)))
        is None
    )


def test_stacked_experts_make_no_pair() -> None:
    """Side by side, the factors of all experts would add up to nothing meaningful."""
    config = {"peft": {"r": 2, "lora_alpha": 2, "target_parameters": ["mlp.experts.gate_up_proj"]}}
    assert pair_of("mlp.experts.lora_A.weight", "mlp.experts.lora_B.weight", config=config) is None
    config["peft"]["rank_pattern"] = {"experts": 4}
    assert (
        pair_of("mlp.experts.lora_A.weight", "mlp.experts.lora_B.weight", config=config) is not None
    )


def test_dora_is_named() -> None:
    """The magnitudes of DoRA need the base, so the row says that they are not in it."""
    found = pair_of(
        "q.lora_A.weight",
        "q.lora_B.weight",
        Stored("q.lora_magnitude_vector", (6,), "F32"),
        config={"peft": {"lora_alpha": 4}},
    )
    assert found.scale == 1.0
    assert told(found) == "a DoRA adapter: the update before its magnitudes"


@pytest.mark.skipif(not DATA.exists(), reason="the shared checkpoints are not here")
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("lora_disney/lora_disney.safetensors", 192),
        ("gpt6/lora/adapter_model.safetensors", 12),
    ],
)
def test_real_adapters_are_pairs_throughout(file: str, count: int) -> None:
    """Every factor of a real adapter is half of one pair."""
    with open(DATA / file, "rb") as stream:
        header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
    tensors = [
        Stored(k, tuple(v["shape"]), v["dtype"]) for k, v in header.items() if k != "__metadata__"
    ]
    found = lora_pairs(tensors, {})
    assert len(found) == count == sum(len(t.dims) == 2 for t in tensors) // 2


def test_an_endless_product_is_no_pair() -> None:
    """Two thin factors of a small file may claim an update too large to compute: no pair."""
    far = 1 << 17
    a, b = Stored("q.lora_A.weight", (1, far), "F32"), Stored("q.lora_B.weight", (far, 1), "F32")
    assert lora_pairs([a, b], {}) == ()
    assert len(lora_pairs([Stored("q.lora_A.weight", (1, 1 << 16), "F32"), b], {})) == 1


A, B = "h.0.q.lora_A.weight", "h.0.q.lora_B.weight"
MIDDLE = Stored("h.0.q.lora_mid.weight", (4, 4, 3, 3), "F32")
STACKED = {"peft": {"r": 2, "target_parameters": ["q"]}}


@pytest.mark.parametrize(
    ("tensors", "config", "why"),
    [
        (
            [Stored(A, (4, 8), "F32"), Stored(B, (6, 5), "F32")],
            {},
            "lora A of rank 4 and B of rank 5 do not multiply",
        ),
        (
            [Stored(A, (4, 8), "I8"), Stored(B, (6, 4), "F32")],
            {},
            "lora A and B are not both matrices of floats",
        ),
        (
            [Stored(A, (4, 8), "F32"), Stored(B, (6, 4), "F32"), MIDDLE],
            {},
            "lora A and B with a third factor between",
        ),
        (
            [Stored(A, (4, 8), "F32"), Stored(B, (6, 4), "F32")],
            STACKED,
            "lora A and B of stacked experts",
        ),
        (
            [Stored(A, (1, 1 << 17), "F32"), Stored(B, (1 << 17, 1), "F32")],
            {},
            "lora A and B of an update too large to compute, 131072x131072",
        ),
    ],
)
def test_factors_that_make_no_pair_say_why(tensors: list[Stored], config: dict, why: str) -> None:
    """Both of them, and nothing else does."""
    assert lora_pairs(tensors, config) == ()
    assert lone_factors(tensors, config) == dict.fromkeys(
        (A, B), Note("lone-factor", f"{why}: measured alone")
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("q.lora_A.weight", "A without its B"),
        ("q.lora_B.default.weight", "B without its A"),
        ("m.lora_embedding_B", "B without its A"),
        ("m.lora_embedding_A.default", "A without its B"),
        ("u.to_q.lora.up.weight", "B without its A"),
        ("to_q_lora.down.weight", "A without its B"),
        ("lora_unet_q.lora_up.weight", "B without its A"),
        ("unet:3:down", "A without its B"),
    ],
)
def test_half_a_pair_says_so(name: str, why: str) -> None:
    """In every spelling."""
    assert lone_factors([Stored(name, (4, 8), "F32")], {}) == {
        name: Note("lone-factor", f"lora {why}: measured alone")
    }


def test_what_is_half_of_a_pair_or_no_factor_is_silent() -> None:
    """Whole pairs, vectors, names that only begin or end alike."""
    pair = [Stored(A, (4, 8), "F32"), Stored(B, (6, 4), "F32")]
    names = (
        "x:upper",
        "up.weight",
        ".lora_A.weight",
        "h.lora_embedding_Action",
        "down_proj.weight",
    )
    rest = [Stored(name, (4, 8), "F32") for name in names] + [Stored("q.lora_A.bias", (4,), "F32")]
    assert lone_factors(pair + rest, {}) == {}
