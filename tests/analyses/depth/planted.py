"""Models with planted series: matrices of one or several roles over the layers."""

from __future__ import annotations

import numpy as np
import torch

NAMES = {
    "attn.q": "self_attn.q_proj",
    "attn.k": "self_attn.k_proj",
    "attn.o": "self_attn.o_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}


def transformer(sigmas, seed=0, shape=(48, 32), layers=None):
    """Gaussian matrices of the roles in `sigmas`, which has a std per layer of each.

    `layers` are the indices; by default from 0 up.
    """
    rng = np.random.default_rng(seed)
    model = {}
    for role, stds in sigmas.items():
        size = shape[::-1] if role in ("attn.o", "mlp.down") else shape
        for i, std in enumerate(stds):
            layer = i if layers is None else layers[i]
            name = f"model.layers.{layer}.{NAMES[role]}.weight"
            model[name] = torch.from_numpy(std * rng.standard_normal(size)).float()
    return model
