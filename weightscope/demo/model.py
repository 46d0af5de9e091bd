"""A small decoder-only transformer as a pure function of its named weights, with a low-rank adapter beside it.

The names are those that transformers writes for a Llama: rotary positions, RMS norms, SwiGLU, no biases. Weights
live in a plain dict, so starting, training, adapting and storing are all operations on names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

STD = 0.02  # the customary start since GPT-2; projections into the residual stream start at STD / sqrt(2 layers)
ADAPTED = ("q_proj", "v_proj")  # what LoRA's paper adapts (Hu et al. 2021, section 4.2)


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
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (shape.vocab, d)}
    for layer in range(shape.layers):
        block = f"model.layers.{layer}."
        found[block + "input_layernorm.weight"] = (d,)
        found |= {f"{block}self_attn.{part}_proj.weight": (d, d) for part in "qkvo"}
        found[block + "post_attention_layernorm.weight"] = (d,)
        found |= {f"{block}mlp.{part}_proj.weight": (inner, d) for part in ("gate", "up")}
        found[block + "mlp.down_proj.weight"] = (d, inner)
    return found | {"model.norm.weight": (d,), "lm_head.weight": (shape.vocab, d)}


def start(shape: Shape, random: Generator) -> dict[str, Tensor]:
    """The untrained weights: matrices N(0, std), norms one."""
    return {
        name: torch.ones(size)
        if len(size) == 1
        else torch.randn(size, generator=random) * std(name, shape)
        for name, size in sizes(shape).items()
    }


def std(name: str, shape: Shape) -> float:
    """The standard deviation that a matrix starts with."""
    return STD / math.sqrt(2 * shape.layers) if "o_proj" in name or "down_proj" in name else STD


def logits(weights: Mapping[str, Tensor], tokens: Tensor, shape: Shape) -> Tensor:
    """What the model expects after each token: (texts, length) -> (texts, length, vocab)."""
    turn = _turns(tokens.shape[1], shape.width // shape.heads)
    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(shape.layers):
        block = f"model.layers.{layer}."
        normed = _norm(x, weights[block + "input_layernorm.weight"])
        x = x + _attention(weights, block + "self_attn.", normed, turn, shape)
        x = x + _mlp(
            weights, block + "mlp.", _norm(x, weights[block + "post_attention_layernorm.weight"])
        )
    return _linear(_norm(x, weights["model.norm.weight"]), weights["lm_head.weight"])


def loss(weights: Mapping[str, Tensor], texts: Tensor, shape: Shape) -> Tensor:
    """Mean cross-entropy of every next token, in nats."""
    expected = logits(weights, texts[:, :-1], shape)
    return torch.nn.functional.cross_entropy(expected.flatten(0, 1), texts[:, 1:].flatten())


def adapter(shape: Shape, rank: int, random: Generator) -> dict[str, Tensor]:
    """A fresh adapter under PEFT's names: A uniform within 1 / sqrt(in), B zero."""
    found = {}
    for name, size in sizes(shape).items():
        if any(part in name for part in ADAPTED):
            stem = "base_model.model." + name.removesuffix(".weight")
            found[stem + ".lora_A.weight"] = (
                torch.rand(rank, size[1], generator=random) * 2 - 1
            ) / math.sqrt(size[1])
            found[stem + ".lora_B.weight"] = torch.zeros(size[0], rank)
    return found


def adapted(
    weights: Mapping[str, Tensor], adapter: Mapping[str, Tensor], scale: float
) -> dict[str, Tensor]:
    """The weights with `scale * B @ A` added where the adapter has a pair."""
    changed = dict(weights)
    for name, a in adapter.items():
        if name.endswith(".lora_A.weight"):
            target = name.removeprefix("base_model.model.").replace(".lora_A", "")
            changed[target] = (
                weights[target] + scale * adapter[name.replace("lora_A", "lora_B")] @ a
            )
    return changed


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    return x @ weight.T


def _norm(x: Tensor, gain: Tensor) -> Tensor:
    return torch.nn.functional.rms_norm(x, list(gain.shape), gain, eps=1e-5)


def _mlp(weights: Mapping[str, Tensor], at: str, x: Tensor) -> Tensor:
    gate, up = (_linear(x, weights[f"{at}{part}_proj.weight"]) for part in ("gate", "up"))
    return _linear(torch.nn.functional.silu(gate) * up, weights[at + "down_proj.weight"])


def _attention(
    weights: Mapping[str, Tensor], at: str, x: Tensor, turn: tuple[Tensor, Tensor], shape: Shape
) -> Tensor:
    split = (*x.shape[:2], shape.heads, -1)
    q, k, v = (
        _linear(x, weights[f"{at}{part}_proj.weight"]).view(split).transpose(1, 2) for part in "qkv"
    )
    mixed = torch.nn.functional.scaled_dot_product_attention(
        _turned(q, turn), _turned(k, turn), v, is_causal=True
    )
    return _linear(
        mixed.transpose(1, 2).flatten(2), weights[at + "o_proj.weight"]
    )  # from (texts, heads, length, part)


def _turns(length: int, size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary angles (Su et al. 2021), (length, size / 2)."""
    angle = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, size, 2) / size)
    return angle.cos(), angle.sin()


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    (cos, sin), (a, b) = turn, x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)
