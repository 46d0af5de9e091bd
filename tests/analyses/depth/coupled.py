"""Small transformers whose vectors are independent, and one model in several forms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

import weightscope as ws

LAYERS, WIDTH, HIDDEN = 4, 32, 48
LLAMA = "model.layers.{}."
NAMES = {
    "attn.q": "self_attn.q_proj.weight",
    "attn.k": "self_attn.k_proj.weight",
    "attn.v": "self_attn.v_proj.weight",
    "attn.o": "self_attn.o_proj.weight",
    "mlp.gate": "mlp.gate_proj.weight",
    "mlp.up": "mlp.up_proj.weight",
    "mlp.down": "mlp.down_proj.weight",
}
Model = dict[str, torch.Tensor]


def llama(kv: int = WIDTH, seed: int = 0, layers: int = LAYERS) -> Model:
    """Gaussian matrices; `kv` rows of k and v."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {
        "attn.q": (WIDTH, WIDTH),
        "attn.k": (kv, WIDTH),
        "attn.v": (kv, WIDTH),
        "attn.o": (WIDTH, WIDTH),
        "mlp.gate": (HIDDEN, WIDTH),
        "mlp.up": (HIDDEN, WIDTH),
        "mlp.down": (WIDTH, HIDDEN),
    }
    return {
        name(role, i): torch.randn(size, generator=generator)
        for i in range(layers)
        for role, size in sizes.items()
    }


def name(role: str, layer: int) -> str:
    """The name of a matrix."""
    return LLAMA.format(layer) + NAMES[role]


def stored(model: Mapping[str, torch.Tensor], folder: Path, **config: Any) -> Path:
    """The model in a folder with a config."""
    folder.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def coupled(model: Any, **options: Any) -> Any:
    """The report of the coupling of a model."""
    return ws.depth(model, coupling=True, panels=False, **options)


def by_pair(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """The rows by a, b and of."""
    return {(row["a"], row["b"], row["of"]): row for row in rows}


def pair(report: Any, a: str, b: str, of: str) -> Mapping[str, Any]:
    """One row."""
    return by_pair(report.rows)[a, b, of]
