"""What wrappers put around names."""

from __future__ import annotations

import pytest

from weightscope.naming import strip_prefixes


@pytest.mark.parametrize(
    ("stored", "plain"),
    [
        ("module.conv1.weight", "conv1.weight"),
        ("state_dict.module._orig_mod.h.0.a", "h.0.a"),
        ("base_model.model.h.0.a", "h.0.a"),
        ("layers.0._fsdp_wrapped_module._checkpoint_wrapped_module.mlp.a", "layers.0.mlp.a"),
        ("h.0.c_fc.base_layer.weight", "h.0.c_fc.weight"),
        ("base_model.model.classifier.modules_to_save.default.weight", "classifier.weight"),
        ("base_model.model.classifier.original_module.weight", "classifier.weight"),
        ("modules.a", "modules.a"),
        ("modules_to_save.default.a", "modules_to_save.default.a"),
        ("model.layers.0.a", "model.layers.0.a"),
    ],
)
def test_strip(stored: str, plain: str) -> None:
    """Wrappers go, at the front repeatedly and inside; everything else stays."""
    assert strip_prefixes(stored) == plain
