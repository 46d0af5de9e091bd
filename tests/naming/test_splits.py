"""Why a fused tensor stays whole: each scheme says what it would have needed."""

from __future__ import annotations

from typing import Any

import pytest

from weightscope.naming import places
from weightscope.naming.facts import Facts
from weightscope.naming.fused import Lack
from weightscope.naming.splits import SCHEMES, split

NEW = {"num_attention_heads": 4, "new_decoder_architecture": True}
LINEAR = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 3,
    "linear_value_head_dim": 5,
}
WHOLE: list[tuple[str, int, int, dict[str, Any], str]] = [
    ("equal q k v", 25, 8, {}, "25 lines are not 3 equal parts"),
    ("equal q k v", 0, 8, {}, "0 lines are not 3 equal parts"),
    ("interleaved gate up", 25, 8, {}, "25 lines are not 2 interleaved parts"),
    ("interleaved gate up", 0, 8, {}, "0 lines are not 2 interleaved parts"),
    ("concat q k v", 24, 8, {}, "needs the output projection beside it, or num_attention_heads"),
    ("per_head q k v", 24, 8, {}, "needs num_attention_heads of config.json"),
    ("per_head q k v", 25, 8, {"n_head": 4}, "25 lines are not 3 parts of 4 heads"),
    ("per_head q k v", 0, 8, {"n_head": 4}, "0 lines are not 3 parts of 4 heads"),
    (
        "falcon q k v",
        24,
        8,
        {},
        "needs num_attention_heads, multi_query and new_decoder_architecture of config.json",
    ),
    ("falcon q k v", 25, 8, {"n_head": 4}, "rows do not fit heads + 2"),
    ("falcon q k v", 33, 8, {**NEW, "num_kv_heads": 2}, "rows do not fit num_kv_heads"),
    ("falcon q k v", 30, 8, {**NEW, "num_kv_heads": 3}, "rows do not fit num_kv_heads"),
    ("bigcode q k v", 11, 8, {}, "rows do not fit one shared key and value"),
    ("sizes latent=kv_lora_rank rope", 24, 8, {}, "needs kv_lora_rank of config.json"),
    (
        "sizes latent=kv_lora_rank rope",
        24,
        8,
        {"kv_lora_rank": 24},
        "24 lines are too few for 24 and a rest",
    ),
    (
        "heads_of nope=qk_nope_head_dim v",
        24,
        8,
        {"n_head": 4},
        "needs num_attention_heads, qk_nope_head_dim of",
    ),
    (
        "heads_of nope=qk_nope_head_dim v",
        24,
        8,
        {"n_head": 4, "qk_nope_head_dim": 6},
        "24 lines are not 4 heads of 6",
    ),
    (
        "heads_of nope=qk_nope_head_dim v",
        25,
        8,
        {"n_head": 4, "qk_nope_head_dim": 5},
        "25 lines are not 4 heads of 5",
    ),
    (
        "linear_attention q k v z",
        24,
        8,
        {},
        "needs linear_num_key_heads, linear_num_value_heads and their head_dim",
    ),
    (
        "linear_attention q k v z",
        53,
        8,
        LINEAR,
        "rows do not fit the linear attention heads of config.json",
    ),
    ("after_attention q k v mlp", 24, 8, {}, "needs its weight beside it"),
    ("after_attention q k v mlp", 24, 0, {}, "needs its weight beside it"),
    ("columns attn mlp", 8, 8, {}, "no MLP columns"),
    ("experts", 24, 8, {}, ""),
    ("undecided q k v", 24, 8, {}, "needs model_type of config.json"),
    ("undecided q k v", 24, 8, {"model_type": "x"}, "no layout is known for the model_type x"),
    ("unordered q k v", 24, 8, {"model_type": "x"}, "programs differ in the order of the parts"),
    (
        "flat_experts",
        24,
        8,
        {"ffn_config": {"moe_num_experts": 2}},
        "needs moe_num_experts and ffn_hidden_size of",
    ),
    (
        "flat_experts",
        24,
        8,
        {"moe_num_experts": 2, "ffn_hidden_size": 11},
        "24 lines are not 2 experts of 11",
    ),
    (
        "columns_experts",
        1 << 17,
        8,
        {"moe_num_experts": 1 << 17, "ffn_hidden_size": 1},
        "131072 experts, at most",
    ),
    ("gated ^.fc2 gate up", 24, 8, {}, ""),
    ("gated_stack fc2 gate up", 24, 8, {}, ""),
    ("experts", 24, 8, {}, ""),
]


@pytest.mark.parametrize(("scheme", "lines", "across", "config", "why"), WHOLE)
def test_what_a_scheme_lacks(
    scheme: str, lines: int, across: int, config: dict[str, Any], why: str
) -> None:
    """The result names the missing fact, and whether config.json has it; None if not fused."""
    answer = split(scheme, lines, across, "h.0.attn.qkv", Facts(config, {}))
    if not why:
        assert answer is None
        return
    assert isinstance(answer, Lack)
    assert answer.reason.startswith(why)
    assert answer.config == (
        answer.reason.startswith("needs ") and answer.reason.endswith(" of config.json")
    )


def test_every_scheme_may_refuse() -> None:
    """No scheme is missing above."""
    assert {scheme.split()[0] for scheme, *_ in WHOLE} == set(SCHEMES)


def test_a_bias_beside_fused_columns_is_one() -> None:
    """What is fused on the side of the inputs has one bias for all."""
    (place,) = places({"single_blocks.0.linear2.bias": (8,)}, {})["single_blocks.0.linear2.bias"]
    assert (place.role, place.part, place.cols) == ("attn.o.bias", "", None)


def test_hidden_size_without_a_config() -> None:
    """The token embedding gives the width, and so the orientation of an expert stack."""
    stack = "model.layers.0.mlp.experts.down_proj"
    made = places({stack: (2, 6, 4), "model.embed_tokens.weight": (100, 4)}, {})[stack]
    assert [(p.orientation, p.transpose) for p in made] == [("in_out", True)] * 2
    assert [p.orientation for p in places({stack: (2, 6, 4)}, {})[stack]] == ["unknown"] * 2
