"""Factors of adapters that are no LoRA pairs: each is known by its word."""

from __future__ import annotations

import pytest

from weightscope.checkpoints.adapters import METHODS, other_factor

STEM = "base_model.model.model.layers.1.self_attn.q_proj"


@pytest.mark.parametrize("ending", ["", ".default", ".weight", ".default.weight"])
def test_every_word_has_its_kind(ending) -> None:
    """Alone, and behind the name of an adapter."""
    found = {word: other_factor(f"{STEM}.{word}{ending}") for word in METHODS}
    kinds = {word: (factor.module, factor.kind) for word, factor in found.items()}
    assert kinds == {word: (STEM, kind) for word, kind in METHODS.items()}


@pytest.mark.parametrize(
    "name", [f"{STEM}.weight", "hada_w1_a_x.weight", "x.ia3_last", "lora_E.a.b.weight", "", "."]
)
def test_other_names_are_no_factors(name) -> None:
    """Whole words alone count."""
    assert other_factor(name) is None
