"""A small decoder-only transformer as a pure function of its named weights, and a low-rank adapter.

The names are those of a Llama in transformers: rotary positions, RMS norms, SwiGLU, no biases.
Weights are a plain dict, so initialising, training, adapting and storing are operations on names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

# The usual initialisation since GPT-2; projections into the residual stream have
# STD / sqrt(2 layers).
STD = 0.02
ADAPTED = ("q_proj", "v_proj")  # as in the LoRA paper (Hu et al. 2021, section 4.2)


@dataclass(frozen=True)
class Shape:
    """The sizes of a model; `width` is split evenly over `heads`."""

    vocab: int = 508
    width: int = 128
    inner: int = 288
    layers: int = 4
    heads: int = 4


def sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight, matrices as (out, in).

    >>> sizes(Shape(layers=1))["model.layers.0.mlp.down_proj.weight"]
    (128, 288)
    """
    d, inner = shape.width, shape.inner
    by_name: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (shape.vocab, d)}
    for layer in range(shape.layers):
        block = f"model.layers.{layer}."
        by_name[block + "input_layernorm.weight"] = (d,)
        by_name |= {f"{block}self_attn.{part}_proj.weight": (d, d) for part in "qkvo"}
        by_name[block + "post_attention_layernorm.weight"] = (d,)
        by_name |= {f"{block}mlp.{part}_proj.weight": (inner, d) for part in ("gate", "up")}
        by_name[block + "mlp.down_proj.weight"] = (d, inner)
    return by_name | {"model.norm.weight": (d,), "lm_head.weight": (shape.vocab, d)}


def start(shape: Shape, random: Generator) -> dict[str, Tensor]:
    """The untrained weights: matrices N(0, std), norms one."""
    weights = {}
    for name, size in sizes(shape).items():
        if len(size) == 1:
            weights[name] = torch.ones(size)
        else:
            weights[name] = torch.randn(size, generator=random) * std(name, shape)
    return weights


def std(name: str, shape: Shape) -> float:
    """The standard deviation of an untrained matrix."""
    if "o_proj" in name or "down_proj" in name:
        return STD / math.sqrt(2 * shape.layers)
    return STD


def logits(weights: Mapping[str, Tensor], tokens: Tensor, shape: Shape) -> Tensor:
    """Logits of the token after each token: (texts, length) -> (texts, length, vocab)."""
    turn = _turns(tokens.shape[1], shape.width // shape.heads)
    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(shape.layers):
        block = f"model.layers.{layer}."
        normed = _norm(x, weights[block + "input_layernorm.weight"])
        x = x + _attention(weights, block + "self_attn.", normed, turn, shape)
        normed = _norm(x, weights[block + "post_attention_layernorm.weight"])
        x = x + _mlp(weights, block + "mlp.", normed)
    return _linear(_norm(x, weights["model.norm.weight"]), weights["lm_head.weight"])


def loss(weights: Mapping[str, Tensor], texts: Tensor, shape: Shape) -> Tensor:
    """Mean cross-entropy of every next token, in nats."""
    tokens, targets = texts[:, :-1], texts[:, 1:]
    predicted = logits(weights, tokens, shape)
    return torch.nn.functional.cross_entropy(predicted.flatten(0, 1), targets.flatten())


def adapter(shape: Shape, rank: int, random: Generator) -> dict[str, Tensor]:
    """A fresh adapter under PEFT's names: A uniform within 1 / sqrt(in), B zero."""
    factors = {}
    for name, size in sizes(shape).items():
        if not any(part in name for part in ADAPTED):
            continue
        outputs, inputs = size
        stem = "base_model.model." + name.removesuffix(".weight")
        uniform = torch.rand(rank, inputs, generator=random) * 2 - 1
        factors[stem + ".lora_A.weight"] = uniform / math.sqrt(inputs)
        factors[stem + ".lora_B.weight"] = torch.zeros(outputs, rank)
    return factors


def adapted(
    weights: Mapping[str, Tensor], adapter: Mapping[str, Tensor], scale: float
) -> dict[str, Tensor]:
    """The weights with `scale * B @ A` added where the adapter has a pair."""
    changed = dict(weights)
    for name, a in adapter.items():
        if name.endswith(".lora_A.weight"):
            target = name.removeprefix("base_model.model.").replace(".lora_A", "")
            b = adapter[name.replace("lora_A", "lora_B")]
            changed[target] = weights[target] + scale * b @ a
    return changed


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    return x @ weight.T


def _norm(x: Tensor, gain: Tensor) -> Tensor:
    return torch.nn.functional.rms_norm(x, list(gain.shape), gain, eps=1e-5)


def _mlp(weights: Mapping[str, Tensor], at: str, x: Tensor) -> Tensor:
    gate = _linear(x, weights[at + "gate_proj.weight"])
    up = _linear(x, weights[at + "up_proj.weight"])
    inner = torch.nn.functional.silu(gate) * up
    return _linear(inner, weights[at + "down_proj.weight"])


def _attention(
    weights: Mapping[str, Tensor], at: str, x: Tensor, turn: tuple[Tensor, Tensor], shape: Shape
) -> Tensor:
    split = (*x.shape[:2], shape.heads, -1)
    parts = []
    for part in "qkv":
        projected = _linear(x, weights[f"{at}{part}_proj.weight"])
        parts.append(projected.view(split).transpose(1, 2))  # (texts, heads, length, size)
    q, k, v = _rotated(parts[0], turn), _rotated(parts[1], turn), parts[2]
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    joined = mixed.transpose(1, 2).flatten(2)  # (texts, length, width)
    return _linear(joined, weights[at + "o_proj.weight"])


def _turns(length: int, size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary angles (Su et al. 2021), (length, size / 2)."""
    frequency = 10000.0 ** (-torch.arange(0, size, 2) / size)
    angle = torch.arange(length)[:, None] * frequency
    return angle.cos(), angle.sin()


def _rotated(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions: pairs of the first and second half, rotated by their angles."""
    cos, sin = turn
    a, b = x.chunk(2, -1)
    first = a * cos - b * sin
    second = b * cos + a * sin
    return torch.cat((first, second), -1)
