"""Underscores that stand for dots, and those that do not."""

from __future__ import annotations

import pytest

from weightscope.naming import strip_prefixes
from weightscope.naming.kohya import dotted


@pytest.mark.parametrize(
    ("stored", "plain"),
    [
        (
            "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_out_0.alpha",
            "lora_unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0.alpha",
        ),
        (
            "lora_unet_up_blocks_3_resnets_2_conv_shortcut.lora_up.weight",
            "lora_unet.up_blocks.3.resnets.2.conv_shortcut.lora_up.weight",
        ),
        (
            "lora_te_text_model_encoder_layers_11_self_attn_q_proj.weight",
            "lora_te.text_model.encoder.layers.11.self_attn.q_proj.weight",
        ),
        (
            "lora_te2_text_model_encoder_layers_0_mlp_fc1.weight",
            "lora_te2.text_model.encoder.layers.0.mlp.fc1.weight",
        ),
        (
            "lora_unet_input_blocks_4_0_in_layers_2.weight",
            "lora_unet.input_blocks.4.0.in_layers.2.weight",
        ),
        (
            "lora_unet_double_blocks_0_img_mod_lin.weight",
            "lora_unet.double_blocks.0.img_mod.lin.weight",
        ),
        (
            "lora_transformer_transformer_blocks_0_attn_add_q_proj.weight",
            "lora_transformer.transformer_blocks.0.attn.add_q_proj.weight",
        ),
        ("lora_unet__to_q_.weight", "lora_unet..to_q..weight"),
        ("lora_unet_to_queue_into_q.weight", "lora_unet.to.queue.into.q.weight"),
    ],
)
def test_dotted(stored: str, plain: str) -> None:
    """Only whole words keep their underscore; what follows the first dot is left as it is."""
    assert dotted(stored) == plain
    assert strip_prefixes(f"module.{stored}") == plain


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet.down_blocks_0",
        "lora_unet_",
        "lora_A.weight",
        "unet_mid_block_0.weight",
        "xlora_unet_mid_block.weight",
        "lora_te12_layers_0.weight",
        "",
        "to_q.weight",
    ],
)
def test_other_names(name: str) -> None:
    """Names without that beginning stay."""
    assert dotted(name) == name
