"""Weights after a quantiser: rounded to its grid and dequantised to float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from weightscope.statistics.elements.grids import NF4

E4M3_LARGEST = 448.0


def drawn(law: str, shape: tuple[int, int], seed: int) -> Tensor:
    """Float32 weights of a law, about 0.02 in size; `rows`: Gaussian rows of different sizes."""
    rng = np.random.default_rng(seed)
    if law == "gaussian":
        w = rng.normal(size=shape)
    elif law == "laplace":
        w = rng.laplace(size=shape)
    elif law == "uniform":
        w = rng.uniform(-1, 1, size=shape)
    elif law == "rows":
        w = rng.normal(size=shape) * np.exp(rng.normal(0, 0.3, (shape[0], 1)))
    else:
        w = rng.standard_t(int(law.removeprefix("t")), size=shape)
    return torch.from_numpy((0.02 * w).astype(np.float32))


def symmetric(w: Tensor, length: int, largest: int) -> Tensor:
    """Whole steps of absmax/largest, in groups of that length along rows."""
    groups = w.reshape(-1, length)
    step = groups.abs().amax(1, keepdim=True) / largest
    return ((groups / step).round() * step).reshape(w.shape)


def asymmetric(w: Tensor, length: int, largest: int) -> Tensor:
    """Whole steps of (max - min)/largest with a zero point that is a whole step."""
    groups = w.reshape(-1, length)
    low = groups.amin(1, keepdim=True).clamp(max=0)
    high = groups.amax(1, keepdim=True).clamp(min=0)
    step = (high - low) / largest
    zero = (-low / step).round()
    codes = ((groups / step).round() + zero).clamp(0, largest)
    return ((codes - zero) * step).reshape(w.shape)


def normal_float(w: Tensor, length: int) -> Tensor:
    """The nearest NF4 level times absmax, in groups of that length."""
    groups = w.reshape(-1, length)
    peak = groups.abs().amax(1, keepdim=True)
    levels = torch.tensor(NF4)
    between = (levels[1:] + levels[:-1]) / 2
    nearest = torch.bucketize((groups / peak).contiguous(), between)
    return (levels[nearest] * peak).reshape(w.shape)


def fp8(w: Tensor) -> Tensor:
    """E4M3 with one scale, absmax/448."""
    scale = w.abs().max() / E4M3_LARGEST
    return (w / scale).to(torch.float8_e4m3fn).float() * scale


def fp8_blocks(w: Tensor) -> Tensor:
    """E4M3 with a scale for each block of 128 x 128."""
    rows = []
    for band in w.split(128):
        blocks = [fp8(block) for block in band.split(128, 1)]
        rows.append(torch.cat(blocks, 1))
    return torch.cat(rows)


QUANTISERS: Mapping[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "int8 per row": ("int8 per row", lambda w: symmetric(w, w.shape[1], 127)),
    "int8 per row, zero point": ("int8 per row", lambda w: asymmetric(w, w.shape[1], 255)),
    "int8 g128": ("int8 g128", lambda w: symmetric(w, 128, 127)),
    "int4 per row": ("int4 per row", lambda w: symmetric(w, w.shape[1], 7)),
    "int4 g128": ("int4 g128", lambda w: symmetric(w, 128, 7)),
    "int4 g64": ("int4 g64", lambda w: symmetric(w, 64, 7)),
    "int4 g32": ("int4 g32", lambda w: symmetric(w, 32, 7)),
    "int4 g128, zero point": ("int4 g128", lambda w: asymmetric(w, 128, 15)),
    "int4 g64, zero point": ("int4 g64", lambda w: asymmetric(w, 64, 15)),
    "int4 g32, zero point": ("int4 g32", lambda w: asymmetric(w, 32, 15)),
    "nf4 g64": ("nf4 g64", lambda w: normal_float(w, 64)),
    "fp8_e4m3 per tensor": ("fp8_e4m3 per tensor", fp8),
    "fp8_e4m3 b128": ("fp8_e4m3 b128", fp8_blocks),
    "F16": ("F16", lambda w: w.half().float()),
    "BF16": ("BF16", lambda w: w.bfloat16().float()),
}
