"""44 samples on which searches for the greatest likelihood fail, drawn from seeds.

`python -m tests.statistics.laws.hard_samples [FIRST LAST]` searches each law's best log-likelihood
and stores it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.records import store

Array = NDArray[np.float64]
Random = np.random.Generator

STORED = Path(__file__).with_name("hard_samples.json")


@dataclass(frozen=True, eq=False)
class Sample:
    """Weights; of a lattice the step, which each value's cell is wide."""

    x: Array
    step: float = 0.0


def _with(x: Array, *far: float) -> Array:
    return np.append(x, far)


def _mixed(g: Random, n: int) -> Array:
    """Two spikes of different widths at 0 and 1."""
    return np.append(0.01 * g.normal(size=n), 1 + 0.1 * g.normal(size=n))


CONTINUOUS: Mapping[str, Callable[[Random], Array]] = {
    "3 normal": lambda g: g.normal(size=3),
    "4 normal": lambda g: g.normal(size=4),
    "5 Laplace": lambda g: g.laplace(size=5),
    "8 normal": lambda g: g.normal(size=8),
    "12 normal": lambda g: g.normal(size=12),
    "20 t with nu 2": lambda g: g.standard_t(2, 20),
    "40 normal": lambda g: g.normal(size=40),
    "100 Laplace": lambda g: g.laplace(size=100),
    "250 normal": lambda g: g.normal(size=250),
    "2000 Laplace": lambda g: g.laplace(size=2000),
    "60 with ties": lambda g: np.round(g.normal(size=60), 1),
    "half in one tie": lambda g: np.append(np.full(15, 1.0), 1 + g.normal(size=12)),
    "12 in 4 ties": lambda g: np.repeat(g.normal(size=4), 3),
    "20 t with nu 0.5": lambda g: g.standard_t(0.5, 20),
    "200 t with nu 0.5": lambda g: g.standard_t(0.5, 200),
    "1500 t with nu 0.5": lambda g: g.standard_t(0.5, 1500),
    "300 t with nu 1": lambda g: g.standard_t(1, 300),
    "1000 t with nu 2": lambda g: g.standard_t(2, 1000),
    "far 1e2 of 50": lambda g: _with(g.normal(size=49), 1e2),
    "far 1e2 of 1500": lambda g: _with(g.normal(size=1499), 1e2),
    "far 1e4 of 2000": lambda g: _with(g.normal(size=1999), 1e4),
    "far 1e8 of 20": lambda g: _with(g.normal(size=19), 1e8),
    "far 1e8 of 1000": lambda g: _with(g.normal(size=999), 1e8),
    "two far of 300": lambda g: _with(g.normal(size=298), 1e3, -1e4),
    "100 log-normal(1)": lambda g: np.exp(g.normal(size=100)),
    "2000 log-normal(1)": lambda g: np.exp(g.normal(size=2000)),
    "30 log-normal(2)": lambda g: np.exp(2 * g.normal(size=30)),
    "500 log-normal(2)": lambda g: np.exp(2 * g.normal(size=500)),
    "500 exponential": lambda g: g.exponential(size=500),
    "60 cubed exponential": lambda g: g.exponential(size=60) ** 3,
    "400 bimodal": lambda g: g.normal(size=400) + 6 * (np.arange(400) % 2),
    "60 bimodal": lambda g: g.normal(size=60) + 8 * (np.arange(60) % 3 > 0),
    "1000 uniform": lambda g: g.uniform(-1, 1, 1000),
    "10 uniform": lambda g: g.uniform(-1, 1, 10),
    "two spikes of 200": lambda g: _mixed(g, 100),
    "two spikes of 24": lambda g: _mixed(g, 12),
    "shifted by 1e3 std": lambda g: 1000 + g.normal(size=300),
    "constant plus one": lambda g: _with(1 + 1e-6 * g.normal(size=99), 2.0),
    "1000 cubed exponential": lambda g: g.exponential(size=1000) ** 3,
    "spike beside a base": lambda g: np.append(0.001 * g.normal(size=100), 1 + g.normal(size=200)),
}
LATTICES: Mapping[str, Callable[[Random], Sample]] = {
    "lattice of 5": lambda g: Sample(np.repeat([-2.0, -1, 0, 1, 2], (30, 95, 130, 90, 35)), 1.0),
    "lattice of 9": lambda g: Sample(np.round(2 * g.normal(size=600)) / 2, 0.5),
    "lattice of log-normal": lambda g: Sample(
        np.minimum(np.round(4 * np.exp(g.normal(size=800))), 40) / 4, 0.25
    ),
    "uniform lattice": lambda g: Sample(g.integers(-7, 8, 900) / 8, 0.125),
}
NAMES = (*CONTINUOUS, *LATTICES)


def sample(name: str) -> Sample:
    """The sample of this name."""
    g = np.random.default_rng((19, NAMES.index(name)))
    if name in LATTICES:
        return LATTICES[name](g)
    return Sample(CONTINUOUS[name](g))


@dataclass(frozen=True, eq=False)
class Points:
    """Distinct weights in standard units, their counts, and half the width of their cells."""

    z: Array
    count: Array
    half: float
    scale: float

    @property
    def n(self) -> float:
        """Number of weights."""
        return float(self.count.sum())

    @property
    def weights(self) -> Array:
        """All weights."""
        return np.repeat(self.z, self.count.astype(int))


def standard(sample: Sample) -> Points:
    """Mean 0 and std 1."""
    mean, scale = sample.x.mean(), sample.x.std()
    value, count = np.unique(sample.x, return_counts=True)
    z = (value - mean) / scale
    return Points(z, count.astype(float), sample.step / 2 / scale, float(scale))


def main(first: int = 0, last: int = len(NAMES)) -> None:
    """Search the samples from `first` to before `last`; those stored before stay."""
    from tests.statistics.laws.hard_peers import PEERS  # noqa: PLC0415 - it imports this

    records = {(r["sample"], r["law"]): r for r in stored()}
    for name in NAMES[first:last]:
        begin = time.process_time()
        points = standard(sample(name))
        for law, search in PEERS.items():
            value = search(points)
            records[name, law] = {"sample": name, "law": law, "loglik": value}
        print(name, f"{time.process_time() - begin:.1f} s", flush=True)
        store(records.values(), STORED)


def stored() -> list[dict[str, object]]:
    """Records of sample, law and its best log-likelihood in nats."""
    if not STORED.exists():
        return []
    records: list[dict[str, object]] = json.loads(STORED.read_text("utf-8"))
    return records


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
