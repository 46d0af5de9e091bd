"""Counts how often `pattern` names the law that was drawn from: `python -m docs.confusion`.

13 laws, 4 sizes, 100 seeded draws each in float32, through `weightscope.fit`. The table replaces
the one in docs/statistics.md. It takes 3 minutes of one core.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

import weightscope

PAGE = Path(__file__).with_name("statistics.md")
TABLE = re.compile(r"(?<=written by docs/confusion.py -->\n\n).*?(?=\n\n)", re.S)
SIDES = (32, 64, 128, 512)  # of square matrices
DRAWS = 100
Draw = Callable[[Generator, int], NDArray[np.float64]]


def generalised(beta: float) -> Draw:
    """|w|^beta of a generalised Gaussian has a gamma distribution."""

    def draw(g: Generator, n: int) -> NDArray[np.float64]:
        size = g.gamma(1 / beta, size=n) ** (1 / beta)
        return size * g.choice((-1.0, 1.0), n)

    return draw


def spike_on_base(g: Generator, n: int) -> NDArray[np.float64]:
    """Half of the weights in a spike of a tenth of the width."""
    return np.where(g.random(n) < 0.5, 0.1, 1.0) * g.normal(size=n)


def with_zeros(g: Generator, n: int) -> NDArray[np.float64]:
    """A Gaussian, half of it zero."""
    return np.where(g.random(n) < 0.5, 0.0, g.normal(size=n))


def without_centre(g: Generator, n: int) -> NDArray[np.float64]:
    """A Gaussian, its smaller half zero."""
    x = g.normal(size=n)
    return np.where(np.abs(x) < np.median(np.abs(x)), 0.0, x)


def two_lumps(g: Generator, n: int) -> NDArray[np.float64]:
    """Two Gaussians four sigma apart."""
    return np.where(g.random(n) < 0.5, 2.0, -2.0) + g.normal(size=n)


TRUTHS: tuple[tuple[str, str, Draw], ...] = (
    ("Gaussian", "gaussian", lambda g, n: g.normal(size=n)),
    ("generalised Gaussian, beta 1.7", "heavy", generalised(1.7)),
    ("Student's t, nu 4", "heavy", lambda g, n: g.standard_t(4, n)),
    ("Laplace", "linear", lambda g, n: g.laplace(size=n)),
    ("generalised Gaussian, beta 0.7", "sharp", generalised(0.7)),
    ("generalised Gaussian, beta 3", "light", generalised(3.0)),
    ("triangular", "light", lambda g, n: g.triangular(-1, 0, 1, n)),
    ("uniform", "uniform", lambda g, n: g.uniform(-1, 1, n)),
    ("spike on a base", "inverted-T", spike_on_base),
    ("Gaussian, half zero", "sparse", with_zeros),
    ("Gaussian, smaller half zero", "sparse", without_centre),
    ("two lumps", "none", two_lumps),
    ("exponential", "none", lambda g, n: g.exponential(size=n)),
)


def labels(draw: Draw, side: int, draws: int) -> Counter[str]:
    """How often each label is given, `+outliers` left out."""
    tensors = {}
    for seed in range(draws):
        x = draw(np.random.default_rng((seed, side)), side * side)
        name = f"layers.{seed}.mlp.up_proj.weight"
        tensors[name] = torch.from_numpy(x).float().reshape(side, side)
    report = weightscope.fit(tensors, columns=("pattern",))
    return Counter(str(row["pattern"]).removesuffix("+outliers") for row in report.rows)


def lines() -> Iterator[str]:
    """The table: of each law and size the share of right labels, and the wrong ones."""
    sizes = " | ".join(f"{side * side:,}" for side in SIDES)
    yield f"| drawn from | label | {sizes} |"
    yield "| --- | --- |" + " --- |" * len(SIDES)
    for name, expected, draw in TRUTHS:
        cells = [_cell(labels(draw, side, DRAWS), expected) for side in SIDES]
        yield f"| {name} | `{expected}` | {' | '.join(cells)} |"


def _cell(counts: Counter[str], expected: str) -> str:
    wrong = [f"{n} {label}" for label, n in counts.most_common() if label != expected]
    if not wrong:
        return str(counts[expected])
    return f"{counts[expected]} ({', '.join(wrong)})"


def main() -> None:
    """Writes the table into its page."""
    table = "\n".join(lines())
    text = PAGE.read_text()
    PAGE.write_text(TABLE.sub(lambda _: table, text, count=1))
    print(table)


if __name__ == "__main__":
    main()
