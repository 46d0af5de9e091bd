"""Names of small networks as their libraries write them, and the series that `depth` follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

import weightscope as ws
from weightscope.analyses.collapse import ranges

Shapes = dict[str, tuple[int, ...]]
VECTOR = (4,)
SQUARE = (4, 4)
UP, DOWN = (6, 4), (4, 6)
KERNEL = (4, 4, 3, 3)
POINT = (4, 4, 1, 1)
NORM = {"weight": VECTOR, "bias": VECTOR}
STATE = {**NORM, "running_mean": VECTOR, "running_var": VECTOR, "num_batches_tracked": ()}
LLAMA = {
    "input_layernorm.weight": VECTOR,
    "self_attn.q_proj.weight": SQUARE,
    "self_attn.k_proj.weight": (2, 4),
    "self_attn.v_proj.weight": (2, 4),
    "self_attn.o_proj.weight": SQUARE,
    "post_attention_layernorm.weight": VECTOR,
}
GATED = {"gate_proj.weight": UP, "up_proj.weight": UP, "down_proj.weight": DOWN}
EXPERT_SERIES = "moe.expert.gate", "moe.expert.up", "moe.expert.down"


def under(prefix: str, names: Mapping[str, tuple[int, ...]]) -> Shapes:
    """The names behind a prefix."""
    return {f"{prefix}{name}": dims for name, dims in names.items()}


def repeated(prefix: str, numbers: Iterable[int], names: Mapping[str, tuple[int, ...]]) -> Shapes:
    """The names behind `h.{}.` for each number."""
    shapes: Shapes = {}
    for number in numbers:
        shapes |= under(prefix.format(number), names)
    return shapes


def staged(prefix: str, sizes: Mapping[int, int], names: Mapping[str, tuple[int, ...]]) -> Shapes:
    """The names behind `stages.{}.blocks.{}.` for each block of each stage."""
    shapes: Shapes = {}
    for stage, blocks in sizes.items():
        for block in range(blocks):
            shapes |= under(prefix.format(stage, block), names)
    return shapes


def tensors(shapes: Shapes) -> dict[str, torch.Tensor]:
    """Seeded Gaussian weights of these shapes."""
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(dims, generator=generator) for name, dims in shapes.items()}


def followed(model: Any, **options: Any) -> dict[str, str]:
    """The layers of each series: `{"decoder attn.q[cross]": "0-2"}`; vectors have their kind."""
    report = ws.depth(model, stat="params", per_layer=True, panels=False, **options)
    layers: dict[str, list[int]] = {}
    for row in report.rows:
        layers.setdefault(_name(row), []).append(row["layer"])
    ordered = {name: sorted(set(indices)) for name, indices in layers.items()}
    assert ordered == layers, "layers in another order, or twice"
    return {name: ranges(indices) for name, indices in layers.items()}


def matrices(model: Any) -> dict[str, str]:
    """The series of all but vectors."""
    return {name: layers for name, layers in followed(model).items() if ":" not in name}


def _name(row: Mapping[str, Any]) -> str:
    name: str = row["role"]
    if row["part"]:
        name += f".{row['part']}"
    if row["slot"]:
        name += f"[{row['slot']}]"
    if row["stack"]:
        name = f"{row['stack']} {name}"
    if row["kind"] in ("norm", "bias"):
        name += f": {row['kind']}"
    return name
