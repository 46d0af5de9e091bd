"""Spellings of LoRA factors: a name is a factor for pairs exactly where it has the role of one."""

from __future__ import annotations

import pytest

from weightscope.factors import SPELLINGS, factor
from weightscope.naming import places

ENDINGS = {
    "layer": (".weight", ".default.weight", ".my-adapter.weight"),
    "embedding": ("", ".default", ".weight"),
    "bare": ("", ".default"),
    "numbered": ("",),
}
MODULES = {"numbered": ("unet:12", "text.encoder:3")}
SPELLED = [
    (f"{module}{word}{ending}", f"{module}{other}{ending}", module, role)
    for s in SPELLINGS
    for word, other, role in ((s.a, s.b, "lora.a"), (s.b, s.a, "lora.b"))
    for module in MODULES.get(s.form, ("h.0.q",))
    for ending in ENDINGS[s.form]
]


@pytest.mark.parametrize(("name", "partner", "module", "role"), SPELLED)
def test_each_spelling_is_a_factor_and_has_its_role(name, partner, module, role) -> None:
    """One list tells both."""
    found = factor(name)
    assert found is not None
    assert (found.partner, found.module, found.is_a) == (partner, module, role == "lora.a")
    assert places({name: (4, 8)}, {})[name][0].role == role


@pytest.mark.parametrize("name", [
    "h.q.lora_A.bias", "h.q.lora_A.weight.x.y", "h.q.lora_Action", "x:upper", "x:up", "up.weight",
    "h.lora_mid.weight", "h.q.lora_E", "lora_unet_q.alpha", "h.q.down.weight",
    "h.to_q.lora.downs.weight",
])  # fmt: skip
def test_what_only_looks_like_a_factor_is_none(name) -> None:
    """Names that are no factors, for pairs and for roles, except the role of a factor's bias."""
    assert factor(name) is None
    role = places({name: (4, 8)}, {})[name][0].role
    assert role in ("unknown", "lora.a.bias", "buffer")
