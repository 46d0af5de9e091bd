"""Error rates of `alpha_law`: diagonal matrices whose squared singular values follow known laws."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from .case import Array
from .checking import Run, measured
from .storing import write

SHORTEST = 50  # values in the tail
DRAWS = {100: 120, 200: 60, 400: 15}  # matrices by their number of values
LAWS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "exponential": lambda rng, n: rng.exponential(size=n),
    "log-normal, s = 1": lambda rng, n: np.exp(rng.normal(size=n)),
    "log-normal, s = 2": lambda rng, n: np.exp(2 * rng.normal(size=n)),
    "Pareto, alpha = 1.5": lambda rng, n: rng.pareto(0.5, n) + 1,
    "Pareto, alpha = 2.5": lambda rng, n: rng.pareto(1.5, n) + 1,
    "Pareto, alpha = 4": lambda rng, n: rng.pareto(3, n) + 1,
    "Pareto, alpha = 2.5, above as many uniform values": lambda rng, n: np.concatenate(
        [rng.pareto(1.5, n // 2) + 1, rng.random(n - n // 2)]
    ),
}


def rates(run: Run) -> list[Mapping[str, object]]:
    """Of each law, the tails of 50 values and more by `alpha_law`, and those with the note."""
    return [_rate(run, law, seed) for seed, law in enumerate(LAWS)]


def _rate(run: Run, law: str, seed: int) -> Mapping[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tails.safetensors"
        write(path, dict(_matrices(law, np.random.default_rng(seed))))
        rows = measured(run, "spectrum", str(path)).values()
    long = [row for row in rows if int(str(row["alpha_tail"])) >= SHORTEST]
    labels = Counter(str(row["alpha_law"]) for row in long)
    noted = sum("poor-power-law" in str(row["note_codes"]) for row in long)
    return {"law": law, "tails": len(long), "labels": dict(labels), "noted": noted}


def _matrices(law: str, rng: np.random.Generator) -> Iterator[tuple[str, torch.Tensor]]:
    number = 0
    for size, draws in DRAWS.items():
        for _ in range(draws):
            diagonal = np.sqrt(LAWS[law](rng, size))
            name = f"model.layers.{number}.mlp.up_proj.weight"
            yield name, torch.diag(torch.from_numpy(diagonal))
            number += 1
