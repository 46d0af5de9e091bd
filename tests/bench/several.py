"""`compare` of more than two beside `compare` of two, and an animation of 20 steps."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file

import weightscope
from tests.bench.common import MEMORY, Line
from tests.bench.compare import spent

ROUNDS = 3
STEPS = 20  # of the animation, of a small model


def beside_two(side: int) -> Iterator[Line]:
    """A series of 3 and 4 steps over so many comparisons of two, a set, and an animation."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), side, 4)
        yield from compared(paths, f"bf16, {3e-6 * side**2:.0f} M weights")
        yield animated(Path(folder))


def write(folder: Path, side: int, steps: int) -> list[Path]:
    """Three square Gaussian matrices, changed by a tenth of their std at each step."""
    draw = torch.Generator().manual_seed(0)
    names = ("self_attn.q_proj", "mlp.up_proj", "mlp.down_proj")
    tensors = {}
    for name in names:
        full = f"model.layers.0.{name}.weight"
        tensors[full] = torch.randn(side, side, generator=draw) * 0.02
    paths = []
    for step in range(steps):
        path = folder / f"side{side}-step{step}.safetensors"
        save_file({name: tensor.bfloat16() for name, tensor in tensors.items()}, path)
        paths.append(path)
        for tensor in tensors.values():
            tensor += torch.randn(side, side, generator=draw) * 0.002
    return paths


def compared(paths: list[Path], what: str) -> Iterator[Line]:
    """Each at its least CPU seconds of several rounds, in turns, on one worker."""
    run: Mapping[str, object] = {"device": "cpu", "memory": MEMORY, "threads": 1, "panels": False}
    runs: tuple[Callable[[], object], ...] = (
        partial(weightscope.compare, *paths[:2], **run),
        partial(weightscope.compare, *paths[:3], **run),
        partial(weightscope.compare, *paths, **run),
        partial(weightscope.compare, *paths, set=True, **run),
    )
    rounds = [[spent(each) for each in runs] for _ in range(ROUNDS)]
    two, three, four, tunings = (min(times) for times in zip(*rounds, strict=True))
    yield f"compare of two, {what}", f"{two:.2f} CPU s", "", ""
    yield "  series of 3", f"{three:.2f} CPU s", f"{three / two / 3:.2f} x 3 of two", "<= 0.8 x"
    yield "  series of 4", f"{four:.2f} CPU s", f"{four / two / 5:.2f} x 5 of two", "<= 0.8 x"
    yield "  set of 3 tunings", f"{tunings:.2f} CPU s", f"{tunings / two:.2f} x one of two", ""


def animated(folder: Path) -> Line:
    """Seconds to draw and bytes of an animation; its numbers are measured before."""
    report = weightscope.compare(*write(folder, 128, STEPS), panels=True)
    path = folder / "steps.gif"
    seconds = spent(partial(report.plot, path))
    size = path.stat().st_size / 1e6
    return f"animation of {STEPS} steps", f"{seconds:.1f} CPU s", f"{size:.2f} MB", "20 s, 5 MB"
