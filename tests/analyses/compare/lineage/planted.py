"""Small language models, and others that a rule made of them, clean, with noise and rounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
import torch

from weightscope import api

Tensors = dict[str, torch.Tensor]
Lines = np.ndarray
LAYERS, WIDTH, HIDDEN, TOKENS = 2, 48, 72, 40
LAYER = re.compile(r"model\.layers\.(\d+)\.(.*)")


def model(
    seed: int = 0,
    layers: int = LAYERS,
    width: int = WIDTH,
    hidden: int = HIDDEN,
    tokens: int = TOKENS,
) -> Tensors:
    """A gated language model of Gaussian weights."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return 0.02 * torch.randn(*shape, generator=generator)

    tensors = {"model.embed_tokens.weight": draw(tokens, width)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        tensors[f"{prefix}self_attn.q_proj.weight"] = draw(width, width)
        tensors[f"{prefix}self_attn.o_proj.weight"] = draw(width, width)
        tensors[f"{prefix}mlp.gate_proj.weight"] = draw(hidden, width)
        tensors[f"{prefix}mlp.up_proj.weight"] = draw(hidden, width)
        tensors[f"{prefix}mlp.down_proj.weight"] = draw(width, hidden)
        tensors[f"{prefix}input_layernorm.weight"] = 1 + draw(width)
    tensors["model.norm.weight"] = 1 + draw(width)
    return tensors


def noised(tensors: Mapping[str, torch.Tensor], sigmas: float) -> Tensors:
    """Gaussian noise of so many standard deviations on each matrix; zeros stay zero."""
    generator = torch.Generator().manual_seed(77)
    found = {}
    for name, tensor in tensors.items():
        if tensor.ndim > 1:
            noise = torch.randn(tensor.shape, generator=generator)
            found[name] = tensor + sigmas * tensor[tensor != 0].std() * noise * (tensor != 0)
        else:
            found[name] = tensor
    return found


def rounded(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """All tensors as bfloat16."""
    return {name: tensor.bfloat16() for name, tensor in tensors.items()}


STORED: Mapping[str, Callable[[Tensors], Tensors]] = {
    "clean": dict,
    "noise of 1 sigma": lambda tensors: noised(tensors, 1.0),
    "noise of 3 sigma": lambda tensors: noised(tensors, 3.0),
    "bf16": rounded,
}
LEAST = {  # cosine that the noise leaves, less four standard errors
    "clean": 0.999,
    "noise of 1 sigma": 0.64,
    "noise of 3 sigma": 0.24,
    "bf16": 0.999,
}


def stride(short: int, long: int) -> Lines:
    """Every (long/short)-th line."""
    return np.arange(long)[:: long // short]


def linspace(short: int, long: int) -> Lines:
    """Evenly spaced lines, the first and the last with them."""
    return np.linspace(0, long - 1, short).round().astype(int)


def first(short: int, long: int) -> Lines:
    """The first lines."""
    return np.arange(short)


Rule = Callable[[int, int], Lines]


def cut(
    tensors: Tensors, widths: Mapping[int, int], rows: Rule, columns: Rule, factor: float = 1.0
) -> Tensors:
    """Rows and columns of these lengths by two rules; vectors by that of columns."""
    found = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 1:
            size = len(tensor)
            chosen = tensor[columns(widths.get(size, size), size)]
        else:
            height, width = tensor.shape
            chosen = tensor[_lines(height, widths, rows)][:, _lines(width, widths, columns)]
            chosen = chosen * factor
        found[name] = chosen.contiguous()
    return found


def _lines(size: int, widths: Mapping[int, int], by: Rule) -> Lines:
    if size not in widths:
        return np.arange(size)
    return by(widths[size], size)


def rearranged(tensors: Tensors, order: list[int]) -> Tensors:
    """Layer i is layer `order[i]`."""
    found = {name: tensor for name, tensor in tensors.items() if not LAYER.match(name)}
    for place, layer in enumerate(order):
        for name, tensor in tensors.items():
            match = LAYER.match(name)
            if match and int(match[1]) == layer:
                found[f"model.layers.{place}.{match[2]}"] = tensor.clone()
    return found


def compare(a: Tensors, b: Tensors, **options: object):
    """The report of two models, without pictures."""
    return api.ask("compare", [a, b], {"panels": False, **options})


def said(report) -> str:
    """The last sentence before the table: that of the search, where there was one."""
    return str(report.notes[-1])


def rules(report, matrices: bool = True) -> dict[str, str | None]:
    """The rule of each tensor of B, of matrices alone or of vectors alone."""
    found = {}
    for row in report.rows:
        is_matrix = row["kind"] in ("matrix", "conv", "embed", "table")
        if is_matrix == matrices:
            found[row["tensor_b"] or row["tensor"]] = row["rule"]
    return found


def permuted(tensors: Tensors, seed: int = 3) -> Tensors:
    """The neurons of each feed-forward layer in another order, one order per layer."""
    generator = torch.Generator().manual_seed(seed)
    orders: dict[str, torch.Tensor] = {}
    found = {}
    for name, tensor in tensors.items():
        match = LAYER.match(name)
        if match and ".mlp." in name:
            is_down = "down" in name
            count = tensor.shape[1 if is_down else 0]
            order = orders.setdefault(match[1], torch.randperm(count, generator=generator))
            tensor = tensor[:, order] if is_down else tensor[order]
        found[name] = tensor.contiguous()
    return found


def rotated(tensors: Tensors, width: int = WIDTH) -> Tensors:
    """The residual stream rotated: inputs of each matrix, outputs of those that write into it."""
    generator = torch.Generator().manual_seed(4)
    turn = torch.linalg.qr(torch.randn(width, width, generator=generator))[0]
    found = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and ("o_proj" in name or "down_proj" in name):
            tensor = turn.T @ tensor
        elif tensor.ndim == 2:
            tensor = tensor @ turn
        found[name] = tensor.contiguous()
    return found


def padded(tensors: Tensors, widths: Mapping[int, int]) -> Tensors:
    """Each tensor in the corner of zeros, sides that are keys of `widths` extended."""
    found = {}
    for name, tensor in tensors.items():
        larger = torch.zeros([widths.get(side, side) for side in tensor.shape])
        larger[tuple(slice(side) for side in tensor.shape)] = tensor
        found[name] = larger
    return found


def experts(tensors: Tensors, count: int, granularity: int = 1, sigmas: float = 0.0) -> Tensors:
    """Experts that are copies of the dense layers, or shards of them, and equal routers."""
    generator = torch.Generator().manual_seed(5)
    found = {}
    for name, tensor in tensors.items():
        if ".mlp." not in name:
            found[name] = tensor
            continue
        head, _, part = name.partition(".mlp.")
        is_down = "down" in part
        width = tensor.shape[1 if is_down else 0] // granularity
        for number in range(count):
            lines = slice(number % granularity * width, (number % granularity + 1) * width)
            shard = tensor[:, lines] if is_down else tensor[lines]
            noise = sigmas * shard.std() * torch.randn(shard.shape, generator=generator)
            found[f"{head}.mlp.experts.{number}.{part}"] = shard + noise
        if "gate_proj" in part:
            rows = 0.02 * torch.randn(granularity, tensor.shape[1], generator=generator)
            found[f"{head}.mlp.gate.weight"] = rows.repeat(count // granularity, 1)
    return found


def shared(tensors: Tensors, period: int, rank: int = 0) -> Tensors:
    """Layer i is layer i mod `period`, plus a matrix of low rank from the second use on."""
    generator = torch.Generator().manual_seed(6)
    found = dict(tensors)
    for name, tensor in tensors.items():
        match = LAYER.match(name)
        if not match or int(match[1]) < period:
            continue
        block = tensors[f"model.layers.{int(match[1]) % period}.{match[2]}"].clone()
        if tensor.ndim == 2 and rank:
            up = torch.randn(block.shape[0], rank, generator=generator)
            down = torch.randn(rank, block.shape[1], generator=generator)
            block = block + 0.005 * up @ down
        found[name] = block
    return found
