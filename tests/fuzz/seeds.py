"""Sound inputs of every parser, made here: fuzzing changes their bytes."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np
import torch

from tests.checkpoints.corpus import zeros

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 3,
    "tie_word_embeddings": True,
    "quantization_config": {"quant_method": "gptq", "bits": 4},
    "text_config": {"n_embd": 3},
}
ADAPTER = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "rank_pattern": {"a.*": 2}}
NAME_MAP = b"""
[[rule]]
regex = 'blocks.<L>.attn.Wqkv<W>'
role = "attn.qkv"
split = "equal q k v"
needs = ["num_attention_heads"]

[[rule]]
regex = 'blocks.<L>.(?P<slot>norm_1|norm_2)<W>'
role = "norm"
slot = { norm_1 = "attn", norm_2 = "mlp" }
"""
EXPRESSIONS = (
    b"nan > 0 or max_z > 40",
    b"abs(std) ** 2 / 3 >= 1e-3 and not isnull(beta)",
    b"role in ('attn.q', 'mlp.up') and 0 < layer <= 10",
    b"'q_proj' in tensor or beta = 2 && std <> 1",
)


def torch_files() -> tuple[bytes, ...]:
    """Files of torch.save in both formats, flat and nested, and pickles that are refused."""
    flat = {"a.weight": torch.zeros(2, 3), "b.bias": torch.ones(3).half()}
    nested = {"model": flat, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}, "epoch": 3}
    files = []
    for tree in (flat, nested):
        for is_zip in (True, False):
            stream = io.BytesIO()
            torch.save(tree, stream, _use_new_zipfile_serialization=is_zip)
            files.append(stream.getvalue())
    values = [1, {"a": (2.5, b"x", "y", None)}, {3}]
    files += [pickle.dumps(values, protocol) for protocol in range(6)]
    return tuple(files)


def archives() -> tuple[bytes, ...]:
    """Archives and arrays of numpy, as files."""
    arrays, array = io.BytesIO(), io.BytesIO()
    np.savez(arrays, w=np.zeros((2, 3)))
    np.save(array, np.zeros(3))
    return arrays.getvalue(), array.getvalue()


def headers() -> tuple[bytes, ...]:
    """Files of safetensors, one with metadata."""
    metadata = json.dumps(
        {
            "__metadata__": {"format": "pt", "quantization": "fp8"},
            "w": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
        }
    ).encode()
    return zeros("a.weight", "b.weight"), len(metadata).to_bytes(8, "little") + metadata + bytes(8)
