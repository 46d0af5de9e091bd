"""Names of kohya's scripts: `lora_`, the network, and the path with underscores for dots.

Underscores become dots again, except inside words that occur in the adapted networks: diffusers,
transformers, and the original Stable Diffusion and Flux.
"""

from __future__ import annotations

import re

_WORDS = (
    "down_blocks",
    "mid_block",
    "up_blocks",
    "transformer_blocks",
    "single_transformer_blocks",
    "proj_in",
    "proj_out",
    "proj_mlp",
    "to_q",
    "to_k",
    "to_v",
    "to_qkv",
    "to_out",
    "to_add_out",
    "add_q_proj",
    "add_k_proj",
    "add_v_proj",
    "ff_context",
    "norm1_context",
    "norm_out",
    "conv_in",
    "conv_out",
    "conv_shortcut",
    "time_emb_proj",
    "text_model",
    "text_projection",
    "self_attn",
    "q_proj",
    "k_proj",
    "v_proj",
    "out_proj",
    "wi_0",
    "wi_1",
    "input_blocks",
    "middle_block",
    "output_blocks",
    "in_layers",
    "out_layers",
    "emb_layers",
    "double_blocks",
    "single_blocks",
    "img_attn",
    "txt_attn",
    "img_mlp",
    "txt_mlp",
    "img_mod",
    "txt_mod",
    "final_layer",
    "adaLN_modulation",
)
_NAME = re.compile(r"(lora_(?:unet|te\d?|transformer))_([^.]+)")
_UNDERSCORE = re.compile(rf"(?:^|(?<=_))(?:{'|'.join(_WORDS)})(?![^_])|_")


def dotted(name: str) -> str:
    """The name with its path in dots, any other name as it is.

    >>> dotted("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight")
    'lora_unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_down.weight'
    """
    found = _NAME.match(name)
    if not found:
        return name
    path = _UNDERSCORE.sub(lambda m: m[0] if len(m[0]) > 1 else ".", found[2])
    return f"{found[1]}.{path}{name[found.end() :]}"
