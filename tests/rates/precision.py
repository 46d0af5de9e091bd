"""How often `precision_history` names the format: `python -m tests.rates.precision`.

Prints the table of docs/statistics.md: constructed tensors by quantiser and stored type, and
tensors that no quantiser has rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor

from weightscope.geometry import whole
from weightscope.sketches import Count, Measure, RowPairs, Scratch, Tile
from weightscope.statistics.elements.precision import precision_history

from .quantisers import QUANTISERS, drawn

STORED = {
    "F32": torch.float32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F64": torch.float64,
}
MEASURED = ("F32", "BF16", "F16")
LAWS = ("gaussian", "laplace", "t5", "t3", "uniform", "rows")
SHAPES = ((64, 512), (256, 256), (768, 768), (512, 2048), (3072, 768))
ORDINARY_SHAPES = (*SHAPES[:3], (64, 64), (30, 2000), (1000, 33))
SEEDS = 10  # of ordinary tensors


def history(w: Tensor, dtype: str) -> str | None:
    """precision_history of a matrix in one stored type."""
    stored = w.to(STORED[dtype])[None]
    shape = (w.shape[0], w.shape[1])
    tile = Tile(stored, dtype, whole(shape), shape, 0, Scratch())
    return precision_history(_taken(Count(), tile), _taken(RowPairs(), tile), dtype)


def _taken(measure: Measure, tile: Tile) -> object:
    state = measure.start(1, tile.shape, tile.dtype, "cpu")
    return measure.finish(measure.add(state, tile))[0]


def rates() -> Iterator[str]:
    """A line for each quantiser and stored type: how many are found, and named exactly."""
    for name, (expected, quantise) in QUANTISERS.items():
        for dtype in MEASURED:
            if expected in ("F16", "BF16") and dtype != "F32":
                continue
            found = named = total = 0
            for seed, (law, shape) in enumerate(product(LAWS, SHAPES)):
                got = history(quantise(drawn(law, shape, seed)), dtype)
                total += 1
                found += got is not None
                named += got == expected
            yield f"| {name} | {dtype} | {found} of {total} | {named} of {total} |"


def ordinary() -> str:
    """How many ordinary tensors have a history."""
    found = total = 0
    for seed in range(SEEDS):
        for law, shape, dtype in product(LAWS, ORDINARY_SHAPES, MEASURED):
            got = history(drawn(law, shape, 1000 + seed), dtype)
            total += 1
            found += got is not None
    return f"ordinary tensors with a history: {found} of {total}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("| quantiser | stored as | found | named |")
    print("| --- | --- | --- | --- |")
    for line in rates():
        print(line, flush=True)
    print(ordinary())
