"""What is said of names that no rule knows."""

from __future__ import annotations

import pytest

from weightscope.naming import places
from weightscope.naming.fallback import unknown_kind


@pytest.mark.parametrize(
    ("name", "dims", "kind"),
    [
        ("a.thing", (8,), "norm"),
        ("a.weight", (8,), "norm"),
        ("prelu.weight", (), "norm"),
        ("<s1>", (768,), "norm"),
        ("a.bias", (8,), "bias"),
        ("a.in_bias", (8,), "bias"),
        ("a.beta", (8,), "bias"),
        ("A.BIAS", (), "bias"),
        ("a.bias", (8, 8), "matrix"),
        ("a.thing", (8, 8), "matrix"),
        ("a.thing", (0, 8), "matrix"),
        ("a.kernel", (8, 8, 3), "conv"),
        ("a.kernel", (8, 8, 31, 31), "conv"),
        ("a.experts", (4, 64, 64), "matrix"),
        ("a.experts", (4, 64, 16), "matrix"),
        ("a.moe_experts.kernel", (4, 64, 16), "matrix"),
        ("a.switch_mlp.b.kernel", (4, 64, 16), "matrix"),
        ("a.experts.b.kernel", (4, 64, 3, 3), "conv"),
        ("a.experts.0.b.kernel", (8, 8, 3), "conv"),
        ("a.experts.b.conv.kernel", (8, 8, 3), "conv"),
        ("a.expertise.kernel", (8, 8, 3), "conv"),
    ],
)
def test_kinds(name: str, dims: tuple[int, ...], kind: str) -> None:
    """A vector is a bias by its name, else a gain; a stack of matrices is no kernel."""
    (place,) = places({name: dims}, {})[name]
    assert (place.kind, unknown_kind(name, dims)) == (kind, kind)
    assert place.role == ("bias" if kind == "bias" else "unknown")


def test_a_vector_beside_a_running_mean() -> None:
    """Whatever the module is called, its gain is a norm's and its bias a norm's bias."""
    made = places(
        {"a.1.weight": (8,), "a.1.bias": (8,), "a.1.running_mean": (8,), "a.2.weight": (8,)}, {}
    )
    assert {n: (p.role, p.kind) for n, (p,) in made.items()} == {
        "a.1.weight": ("norm", "norm"),
        "a.1.bias": ("norm.bias", "bias"),
        "a.1.running_mean": ("buffer", "buffer"),
        "a.2.weight": ("unknown", "norm"),
    }


@pytest.mark.parametrize(
    "name", ["model.layers.0.mlp.up_proj.weight", "model.layers.0.self_attn.q_proj.weight"]
)
def test_a_vector_where_a_rule_expects_a_matrix(name: str) -> None:
    """Its kind is a vector's, its role the rule's."""
    (place,) = places({name: (8,)}, {})[name]
    assert (place.kind, place.family) == ("norm", "llama")
