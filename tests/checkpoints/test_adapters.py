"""Factors of adapters that are no LoRA pairs: each is known by its word."""

from __future__ import annotations

import pytest

from weightscope.checkpoints.adapters import METHODS, other_factor

STEM = "base_model.model.model.layers.1.self_attn.q_proj"


@pytest.mark.parametrize(("word", "kind"), METHODS.items())
@pytest.mark.parametrize("ending", ["", ".default", ".weight", ".default.weight"])
def test_every_word_has_its_kind(word, kind, ending) -> None:
    """Alone, and behind the name of an adapter."""
    found = other_factor(f"{STEM}.{word}{ending}")
    assert (found.module, found.kind) == (STEM, kind)


@pytest.mark.parametrize(
    "name", [f"{STEM}.weight", "hada_w1_a_x.weight", "x.ia3_last", "lora_E.a.b.weight", "", "."]
)
def test_other_names_are_no_factors(name) -> None:
    """Whole words alone count."""
    assert other_factor(name) is None
