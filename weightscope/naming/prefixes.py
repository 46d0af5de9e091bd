"""Prefixes of wrappers and converters: stripped to find places; rows show the stored name."""

from __future__ import annotations

import re

from .kohya import dotted

_LEADING = re.compile(
    r"^(?:(?:module|state_dict|model_state_dict|ema_model|base_model\.model"
    r"|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.)+"
)
_INSIDE = re.compile(
    r"\.(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|base_layer"
    r"|modules_to_save\.default|original_module)(?=\.)"
    r"|(?<=attn[12])\.processor(?=\.to_)"
)
_MODELS = (  # what transformers puts around the same model with a head
    r"model|transformer|bert|roberta|distilbert|albert|electra|deberta|mpnet|gpt_neox|backbone|rwkv"
    r"|vit|deit|dinov2|resnet|convnext|swin|wav2vec2|hubert"
)
MODEL = re.compile(rf"^(?:{_MODELS})\.(?=.)")
_WRAPPED = re.compile(rf"^(?:(?:module|{_MODELS})\.)+(?=.)")


def strip_prefixes(name: str) -> str:
    """The name without words of DataParallel, FSDP, torch.compile, PEFT and attention processors.

    Underscores that kohya's scripts wrote for the dots of a path are dots again.

    >>> strip_prefixes("module._orig_mod.h.0.attn.c_attn.weight")
    'h.0.attn.c_attn.weight'
    >>> strip_prefixes("mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q.weight")
    'mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight'
    """
    return dotted(_INSIDE.sub("", _LEADING.sub("", name)))


def bare(name: str) -> str:
    """The name without any wrapper and without the words for a whole model.

    >>> bare("module.bert.encoder.layer.0.output.dense.weight")
    'encoder.layer.0.output.dense.weight'
    """
    return _WRAPPED.sub("", strip_prefixes(name))
