"""`depth` beside `fit`, and beside the three commands whose columns it follows.

`fit` computes more columns by default: the ratio says that following them over depth costs nothing.
The sum counts the reading once, as one read gives all statistics.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import torch
from safetensors.torch import save_file

import weightscope
from tests.bench.common import MEMORY, Line
from weightscope.statistics.series import loglog, outlying, spearman, theil_sen

ROUNDS = 3
LAYERS = 6
OF_FIT = ("std", "beta")
OF_SPECTRUM = ("stable_rank", "alpha")
OF_OUTLIERS = ("beyond_3", "dead_rows")
SERIES = 1000  # layers of the longest series


def beside_all(side: int) -> Iterator[Line]:
    """Default columns, columns of all three commands, similarity, and one long series."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        write(path, side)
        what = f"fit, {LAYERS * 3 * side**2 / 1e6:.0f} M bf16 weights"
        yield from compared(path, what)
    yield long_series()


def write(path: Path, side: int) -> None:
    """Layers of three square Gaussian matrices of std 0.02."""
    draw = torch.Generator().manual_seed(0)
    tensors = {}
    for layer in range(LAYERS):
        for name in ("self_attn.q_proj", "mlp.up_proj", "mlp.down_proj"):
            matrix = torch.randn(side, side, generator=draw) * 0.02
            tensors[f"model.layers.{layer}.{name}.weight"] = matrix.bfloat16()
    save_file(tensors, path)


def compared(path: Path, what: str) -> Iterator[Line]:
    """Each at its least CPU seconds of several rounds, in turns, on one worker."""
    run: Mapping[str, object] = {"device": "cpu", "memory": MEMORY, "threads": 1, "panels": False}
    together = (*OF_FIT, *OF_SPECTRUM, *OF_OUTLIERS)
    runs: tuple[Callable[[], object], ...] = (
        partial(weightscope.fit, path, **run),
        partial(weightscope.depth, path, **run),
        partial(weightscope.fit, path, columns=OF_FIT, **run),
        partial(weightscope.spectrum, path, columns=OF_SPECTRUM, **run),
        partial(weightscope.outliers, path, columns=OF_OUTLIERS, **run),
        partial(weightscope.depth, path, stat=together, **run),
        partial(weightscope.depth, path, stat="params", columns=("role", "similarity"), **run),
    )
    coupled: tuple[Callable[[], object], ...] = (
        partial(weightscope.fit, path, balance=True, **run),
        partial(weightscope.depth, path, coupling=True, of="means", **run),
        partial(weightscope.depth, path, coupling=True, of="scales", **run),
        partial(weightscope.depth, path, layer_map=True, **run),
    )
    runs = (*coupled, *runs)
    rounds = [[spent(each) for each in runs] for _ in range(ROUNDS)]
    least = [min(times) for times in zip(*rounds, strict=True)]
    balanced, means, scales, layer_map, fit, depth, *parts, joined, similar = least
    yield what, f"{fit:.1f} CPU s", "", ""
    yield "  depth", f"{depth:.1f} CPU s", f"{depth / fit:.2f} x fit", "<= 1.1 x + 0.2 s"
    ratio = f"{joined / sum(parts):.2f} x the sum of the parts"
    yield "  depth of columns of all three", f"{joined:.1f} CPU s", ratio, "<= 1.15 x"
    yield "  coupling, means", f"{means:.2f} CPU s", f"{means / fit:.2f} x fit", "<= 1.2 x"
    ratio = f"{scales / balanced:.2f} x fit --balance"
    yield "  coupling, scales", f"{scales:.2f} CPU s", ratio, "<= 1.2 x"
    yield "  layer map", f"{layer_map:.2f} CPU s", f"{layer_map / fit:.2f} x fit", ""
    yield "  similarity alone", f"{similar:.2f} CPU s", f"{similar / fit:.2f} x fit", ""


def long_series() -> Line:
    """Line, correlation, trend and outliers of one series."""
    rng = np.random.default_rng(0)
    layers = range(SERIES)
    values = rng.uniform(1, 2, SERIES).tolist()

    def judge() -> None:
        line = theil_sen(layers, values)
        spearman(layers, values)
        outlying(layers, values, line.slope, loglog(layers, values))

    seconds = min(spent(judge) for _ in range(ROUNDS))
    return f"one series of {SERIES} layers", f"{1e3 * seconds:.0f} CPU ms", "", "< 100 ms"


def spent(run: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    start = process_time()
    run()
    return process_time() - start
