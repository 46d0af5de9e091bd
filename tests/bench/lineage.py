"""The search for a rule: models of 32 and 48 layers beside equal ones, and an assignment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.optimize import linear_sum_assignment

import weightscope
from tests.bench.common import MEMORY, Line
from tests.bench.compare import spent
from weightscope.statistics.lineage import assignment

ROUNDS = 3
LAYERS = 32
GROWN = (*range(24), *range(8, 32))  # layers of A in a B of 48
WIDTH, HIDDEN = 256, 704
NEURONS = 3072


def searched() -> Iterator[Line]:
    """Least CPU seconds of several rounds, in turns, on one worker."""
    with tempfile.TemporaryDirectory() as folder:
        a, b, grown = write(Path(folder))
        run: Mapping[str, object] = {"device": "cpu", "memory": MEMORY, "threads": 1}
        run |= {"panels": False, "by": "model"}
        runs = (
            partial(weightscope.compare, a, b, **run),
            partial(weightscope.compare, a, grown, **run),
        )
        rounds = [[spent(each) for each in runs] for _ in range(ROUNDS)]
    equal, found = (min(times) for times in zip(*rounds, strict=True))
    yield f"compare of {LAYERS} and {LAYERS} layers", f"{equal:.2f} CPU s", "", ""
    share = f"{found / equal:.2f} x"
    yield f"  {LAYERS} and {len(GROWN)} layers, map found", f"{found:.2f} CPU s", share, "<= 3 x"


def assigned() -> Iterator[Line]:
    """An assignment with its null and share beside scipy's assignment alone."""
    draw = np.random.default_rng(0)
    cosines = (draw.standard_normal((NEURONS, NEURONS)) / 28).astype(np.float32)
    own = min(spent(partial(assignment, cosines)) for _ in range(ROUNDS))
    alone = partial(linear_sum_assignment, cosines, maximize=True)
    peer = min(spent(alone) for _ in range(ROUNDS))
    share = f"{own / peer:.2f} x scipy"
    yield f"assignment of {NEURONS:,} neurons", f"{own:.2f} CPU s", share, "<= 2 s"


def write(folder: Path) -> Sequence[Path]:
    """A, A with noise, and a model of 48 layers of A with noise."""
    draw = torch.Generator().manual_seed(0)
    layers = [_layer(draw) for _ in range(LAYERS)]
    paths = []
    for name, order, noise in (
        ("a", range(LAYERS), 0.0),
        ("b", range(LAYERS), 0.1),
        ("grown", GROWN, 0.1),
    ):
        model = {}
        for number, layer in enumerate(order):
            for tensor, values in layers[layer].items():
                drawn = torch.randn(values.shape, generator=draw)
                noised = values + noise * 0.02 * drawn
                model[f"model.layers.{number}.{tensor}.weight"] = noised.bfloat16()
        path = folder / f"{name}.safetensors"
        save_file(model, path)
        paths.append(path)
    return paths


def _layer(draw: torch.Generator) -> Mapping[str, torch.Tensor]:
    """The matrices of one layer."""
    shapes = {f"self_attn.{name}_proj": (WIDTH, WIDTH) for name in "qkvo"}
    shapes |= {"mlp.gate_proj": (HIDDEN, WIDTH), "mlp.up_proj": (HIDDEN, WIDTH)}
    shapes["mlp.down_proj"] = (WIDTH, HIDDEN)
    return {name: 0.02 * torch.randn(shape, generator=draw) for name, shape in shapes.items()}
