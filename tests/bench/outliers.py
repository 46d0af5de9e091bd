"""`outliers` beside `fit` on the same file.

What a second look, lines and quantisation schemes cost.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import torch
from safetensors.torch import save_file

import weightscope
from tests.bench.common import MEMORY, THREADS, Line

ROUNDS = 3
NAMES = (  # tokens are asked for untrained rows too: a quarter of the weights
    "model.embed_tokens.weight",
    "model.layers.0.self_attn.q_proj.weight",
    "model.layers.0.mlp.up_proj.weight",
    "model.layers.0.mlp.down_proj.weight",
)


def beside_fit(side: int) -> Iterator[Line]:
    """The default run and all schemes, in both widths of float."""
    for dtype in (torch.bfloat16, torch.float32):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            write(path, side, dtype)
            yield from compared(
                path, f"{str(dtype).removeprefix('torch.')}, {4e-6 * side**2:.0f} M weights"
            )


def write(path: Path, side: int, dtype: torch.dtype) -> None:
    """Square Gaussian matrices of std 0.02."""
    draw = torch.Generator().manual_seed(0)
    save_file(
        {name: (torch.randn(side, side, generator=draw) * 0.02).to(dtype) for name in NAMES}, path
    )


def compared(path: Path, what: str) -> Iterator[Line]:
    """Each at its least CPU and wall seconds of several rounds, in turns."""
    run = {"device": "cpu", "memory": MEMORY, "threads": THREADS, "panels": False}
    runs = (
        partial(weightscope.fit, path, **run),
        partial(weightscope.outliers, path, **run),
        partial(weightscope.outliers, path, quant="all", **run),
    )
    rounds = [[spent(r) for r in runs] for _ in range(ROUNDS)]
    fit, *ours = (
        [min(seconds) for seconds in zip(*of_one, strict=True)]
        for of_one in zip(*rounds, strict=True)
    )
    yield f"fit, {what}", f"{fit[0]:.1f} CPU s", f"{fit[1]:.1f} s", ""
    for label, (cpu, wall), most in zip(
        ("outliers", "outliers --quant all"), ours, (2, 6), strict=True
    ):
        ratio = f"{cpu / fit[0]:.2f} x fit, {wall / fit[1]:.2f} x its time"
        yield f"  {label}", f"{cpu:.1f} CPU s", ratio, f"<= {most} x fit"


def spent(run: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of all threads, and wall seconds."""
    cpu, wall = process_time(), perf_counter()
    run()
    return process_time() - cpu, perf_counter() - wall
