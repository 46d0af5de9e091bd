"""Stacks of experts: which names are stacks, and which way their matrices lie."""

from __future__ import annotations

from typing import Any

import pytest

from weightscope.naming import Place, places

Shapes = dict[str, tuple[int, ...]]
E, F, D = 4, 48, 32
AT = "model.layers.1.mlp.experts."


def turned(dims: tuple[int, ...], in_out: bool) -> tuple[int, ...]:
    return (dims[0], dims[2], dims[1]) if in_out else dims


def stack(names: Shapes, name: str, **config: Any) -> tuple[Place, ...]:
    return places(names, config)[name]


@pytest.mark.parametrize("in_out", [False, True])
@pytest.mark.parametrize(
    ("beside", "config"),
    [
        ({}, {"hidden_size": D}),
        ({}, {"text_config": {"hidden_size": D}}),
        ({"model.embed_tokens.weight": (100, D)}, {}),
        ({"model.layers.1.mlp.router.gate.weight": (E, D)}, {}),
        ({"model.layers.1.mlp.gate.weight": (E, D)}, {}),
        ({AT + "router.weight": (E, D)}, {}),
        ({AT + "w1_bias": (E, F), AT + "w2_bias": (E, D), AT + "w3_bias": (E, F)}, {}),
    ],
)
def test_what_tells_how_a_stack_is_stored(
    in_out: bool, beside: Shapes, config: dict[str, Any]
) -> None:
    """The width of the model or router, or a bias, makes rows outputs; the roles are Mixtral's."""
    names = {
        f"{AT}{w}": turned((E, *sides), in_out)
        for w, sides in {"w1": (F, D), "w3": (F, D), "w2": (D, F)}.items()
    }
    roles = {"w1": "moe.expert.gate", "w3": "moe.expert.up", "w2": "moe.expert.down"}
    for word, role in roles.items():
        made = stack(names | beside, AT + word, **config)
        assert [(p.role, p.part, p.expert, p.layer) for p in made] == [
            (role, str(e), e, 1) for e in range(E)
        ]
        assert {(p.orientation, p.transpose) for p in made} == {
            ("in_out" if in_out else "out_in", in_out)
        }


def test_shapes_of_w1_w2_and_w3_do_not_tell() -> None:
    """(F, D) and (D, F) may both be (out, in) or both (in, out); contradictory evidence is none."""
    names: Shapes = {AT + "w1": (E, F, D), AT + "w3": (E, F, D), AT + "w2": (E, D, F)}
    odd = {AT + "w2_bias": (E, F)}
    square = {AT + "w1": (E, D, D), AT + "w3": (E, D, D)}
    other = {"model.layers.1.mlp.gate.weight": (E + 1, D)}
    cases = (
        (names, {}),
        (names | odd, {"hidden_size": D}),
        (names, {"hidden_size": 7}),
        (names | other, {}),
    )
    for known, config in cases:
        made = stack(known, AT + "w2", **config)
        assert {(p.orientation, p.transpose) for p in made} == {("unknown", False)}
        assert len(made) == E
    assert {p.orientation for p in stack(square, AT + "w1", hidden_size=D)} == {"unknown"}


@pytest.mark.parametrize("in_out", [False, True])
@pytest.mark.parametrize("name", ["gate_up_proj", "down_proj"])
def test_gate_and_up_side_by_side_tell(in_out: bool, name: str) -> None:
    """Their other side is what down has too."""
    names = {
        AT + "gate_up_proj": turned((E, 2 * F, D), in_out),
        AT + "down_proj": turned((E, D, F), in_out),
    }
    assert {p.orientation for p in stack(names, AT + name)} == {"in_out" if in_out else "out_in"}
    odd = names | {AT + "down_proj": (E, D, F + 1), AT + "gate_up_proj": (E, 2 * F, D)}
    assert {p.orientation for p in stack(odd, AT + name)} == {"unknown"}


@pytest.mark.parametrize(
    "name",
    [
        "layers.1.moe.experts.w2",
        "model.layers.1.mlp.experts.w2.weight",
        "model.layers.1.mlp.switch_mlp.gate_proj.weight",
        "model.layers.1.block_sparse_moe.switch_mlp.up_proj.weight",
        "model.layers.1.moe.switch_mlp.fc2.weight",
        "model.layers.1.block_sparse_moe.output_linear.weight",
        "model.layers.1.moe.gate_proj.weight",
        "backbone.layers.1.mixer.experts.up_proj",
        "layers.1.ffn.experts.down_proj.weight",
        "blk.1.ffn_gate_exps.weight",
        "blk.1.ffn_up_exps.weight",
        "model.layers.1.mlp.experts.gate_proj.weight",
        "layers.1.moe.experts.w3",
    ],
)
@pytest.mark.parametrize("last", [31, 8, 48])
def test_stacks_are_taken_apart_however_narrow(name: str, last: int) -> None:
    """One place an expert, in its layer, and no convolution."""
    made = stack({name: (E, 64, last)}, name)
    assert [(p.expert, p.part, p.kind, p.layer) for p in made] == [
        (e, str(e), "matrix", 1) for e in range(E)
    ]
    assert {p.role.rpartition(".")[0] for p in made} == {"moe.expert"}


@pytest.mark.parametrize(
    ("beside", "config", "code"),
    [
        ({}, {"num_local_experts": E}, ""),
        ({"layers.1.moe.router.weight": (E, 64)}, {}, ""),
        ({}, {}, "not-split-needs-config"),
        ({}, {"num_experts": E + 1}, "not-split-needs-rule"),
        ({"layers.1.moe.router.weight": (64, E)}, {}, "not-split-needs-config"),
    ],
)
def test_a_stack_under_an_unknown_name(beside: Shapes, config: dict[str, Any], code: str) -> None:
    """Without a number of experts that agrees the stack is whole, with a note: no convolution."""
    name = "layers.1.moe.experts.htoh4.weight"
    made = stack({name: (E, 64, 16), **beside}, name, **config)
    assert {(p.role, p.kind, p.orientation) for p in made} == {("unknown", "matrix", "unknown")}
    if code:
        (place,) = made
        assert place.unsplit is not None
        assert (place.unsplit.code, place.part) == (code, "")
        assert place.unsplit.text.startswith("its experts stay together: ")
    else:
        assert [p.expert for p in made] == list(range(E))


def test_w1_alone_is_not_called_a_gate() -> None:
    """Without w3 it may be the only matrix before the activation."""
    (place,) = stack({AT + "w1": (E, F, D), AT + "w2": (E, D, F)}, AT + "w1")
    assert (place.role, place.kind) == ("unknown", "matrix")


@pytest.mark.parametrize(
    "config", [{}, {"ffn_config": {"moe_num_experts": E}}, {"ffn_config": {"ffn_hidden_size": F}}]
)
def test_flat_experts_without_their_number(config: dict[str, Any]) -> None:
    """DBRX's matrix stays whole and names what is missing."""
    at = "transformer.blocks.0.ffn.experts.mlp."
    for word in ("w1", "v1", "w2"):
        (place,) = stack({at + w: (E * F, D) for w in ("w1", "v1", "w2")}, at + word, **config)
        assert place.unsplit is not None
        assert place.unsplit.text.startswith(
            "its experts stay together: needs moe_num_experts and ffn_hidden_size of config.json"
        )
        assert (place.role.startswith("moe.expert."), place.part) == (True, "")


def test_gpt_oss_without_its_config_is_not_halved() -> None:
    """Gate and up alternate; the bias decides the orientation, not the order."""
    names: Shapes = {AT + "gate_up_proj": (E, D, 2 * F), AT + "gate_up_proj_bias": (E, 2 * F)}
    for name in names:
        made = stack(names, name)
        assert [(p.part, p.unsplit is not None) for p in made] == [(str(e), True) for e in range(E)]
    assert {p.orientation for p in stack(names, AT + "gate_up_proj")} == {"in_out"}
