"""Scores of elements and lines on noise: `python -m tests.truth.calibration_lines`.

Each score is computed on draws of i.i.d. elements by the functions of the statistics, from sums and
counts that numpy takes. Results are stored; docs/generate.py writes their table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.records import store
from weightscope.sketches import BalancedMatrix, ValueCounts
from weightscope.sketches.margins import Margins
from weightscope.sketches.power_sums import PowerSums
from weightscope.statistics.drawn import score_among
from weightscope.statistics.elements.largest_z import largest_z
from weightscope.statistics.lines.balancing import spread_scores
from weightscope.statistics.lines.crowding import gini
from weightscope.statistics.lines.crowding_law import gini_law
from weightscope.statistics.lines.iid import COLUMNS, deviations
from weightscope.statistics.score import score

Array = NDArray[np.float64]
Scores = Mapping[str, float | None]
Random = np.random.Generator

STORED = Path(__file__).with_name("calibration_lines.json")
SHAPES = {(64, 64): 1000, (128, 512): 1000, (768, 768): 400, (30, 2000): 1000}  # and draws
BALANCED = 250  # draws of each shape that are balanced too; a tenth of them at 768 x 768
SHUFFLES = 5  # beside each, for the score among draws
LAWS: dict[str, Callable[[Random, tuple[int, int]], Array]] = {
    "Gaussian": lambda random, shape: random.standard_normal(shape),
    "Laplace": lambda random, shape: random.laplace(size=shape),
    "uniform": lambda random, shape: random.uniform(-1, 1, shape),
    "t5": lambda random, shape: random.standard_t(5, shape),
}
OF_LINES = tuple(column.name for column in COLUMNS if column.name.endswith("_score"))
SWEEPS, FLAT = 200, 1e-6
EXACT = 65_536  # weights, of which the values are counted


def main() -> None:
    """Scores of all shapes and laws."""
    records = []
    for shape, draws in SHAPES.items():
        for law in LAWS:
            records += measured(shape, law, draws, balanced=BALANCED * draws // 1000)
            print(*records[-1].values(), flush=True)
    store(records, STORED)


def measured(
    shape: tuple[int, int], law: str, draws: int, balanced: int
) -> list[dict[str, object]]:
    """A record per score: its number, mean, standard deviation, and how many exceed 3."""
    random = np.random.default_rng((19, *shape, list(LAWS).index(law)))
    found = defaultdict(list)
    for draw in range(draws):
        w = drawn(random, shape, law)
        every = dict(scores(w))
        if draw < balanced:
            every |= balanced_scores(w, random)
        for name, value in every.items():
            if value is not None:
                found[name].append(value)
    return [summary(shape, law, name, values) for name, values in found.items()]


def drawn(random: Random, shape: tuple[int, int], law: str) -> Array:
    """A matrix of i.i.d. elements, rounded to float32."""
    return LAWS[law](random, shape).astype(np.float32).astype(np.float64)


def summary(
    shape: tuple[int, int], law: str, name: str, values: Iterable[float]
) -> dict[str, object]:
    """The record of a score."""
    array = np.array(list(values))
    return {
        "column": name,
        "shape": f"{shape[0]} x {shape[1]}",
        "law": law,
        "draws": len(array),
        "mean": round(float(array.mean()), 3),
        "deviation": round(float(array.std()), 3),
        "beyond": int((np.abs(array) > 3).sum()),
    }


def uncalibrated(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Records of 90 draws and more with a mean, deviation or rate beyond the limits.

    The mean within 0.15, the deviation 0.85 to 1.15, |score| > 3 in 1% (t5: 3%); three standard
    errors more for the number of draws. Few draws have a score of sparse outliers.
    """
    wrong = []
    for record in records:
        draws = record["draws"]
        if draws < 90:
            continue
        expected = (0.03 if record["law"] == "t5" else 0.01) * draws
        error = 3 / sqrt(draws)
        near = abs(record["mean"]) < 0.15 + error and abs(record["deviation"] - 1) < 0.15 + error
        if not near or record["beyond"] > expected + 3 * sqrt(expected):
            wrong.append(record)
    return wrong


def scores(w: Array) -> Iterable[tuple[str, float | None]]:
    """Each score of one matrix, without balancing."""
    counts = counted(w)
    of_lines = deviations(margins(w), counts)
    for name in OF_LINES:
        yield name, of_lines[name]
    yield "max_z_score", largest_z(counts)["max_z_score"]  # type: ignore[misc]
    low, middle, high = np.quantile(w, (0.25, 0.5, 0.75))
    outlying = np.abs(w - middle) > 4 * (high - low) / 1.349
    for name, lines in (("row_gini_score", outlying.sum(1)), ("col_gini_score", outlying.sum(0))):
        law = gini_law(len(lines), w.size // len(lines), int(lines.sum()))
        yield name, score(gini(lines), *law) if law else None


def balanced_scores(w: Array, random: Random) -> Scores:
    """Scores of the balanced matrix: of spreads beside one shuffle, of kurtosis among several."""
    matrix, kurtosis = balanced(w)
    shuffled = [balanced(random.permutation(w.ravel()).reshape(w.shape)) for _ in range(SHUFFLES)]
    spreads = spread_scores(matrix, [shuffled[0][0]], counted(w))
    return {**spreads, "balanced_kurtosis_score": score_among(kurtosis, [k for _, k in shuffled])}


def balanced(w: Array) -> tuple[BalancedMatrix, float]:
    """Log scales of the balanced matrix, and its excess kurtosis."""
    squares = w**2
    of_cols = np.ones(w.shape[1])
    for _ in range(SWEEPS):
        of_rows = (squares / of_cols).mean(1)
        before, of_cols = of_cols, (squares / of_rows[:, None]).mean(0)
        if (0.5 * np.log(of_cols / before)).std() < FLAT:
            break
    of_rows = (squares / of_cols).mean(1)
    balanced_squares = squares / of_cols / of_rows[:, None]
    kurtosis = float((balanced_squares**2).mean() / balanced_squares.mean() ** 2 - 3)
    logs = (0.5 * np.log(of_rows), 0.5 * np.log(of_cols))
    return BalancedMatrix(*logs, 1, ("of",)), kurtosis


def counted(w: Array) -> ValueCounts:
    """As of float32 tensors: exact values of few weights, else bins by the upper 16 bits."""
    if w.size <= EXACT:
        value, number = np.unique(w, return_counts=True)
        half = np.spacing(np.abs(value).astype(np.float32)).astype(np.float64) / 2
        power = PowerSums.of(value, number)
        low, high = value - half, value + half
        return ValueCounts(low, high, value, number, power, minimum=value[0], maximum=value[-1])
    words = w.astype(np.float32).view(np.uint32).ravel() >> 16
    number = np.bincount(words, minlength=1 << 16)
    used = np.flatnonzero(number)
    low = (used.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    high = (used.astype(np.uint32) << 16 | 0xFFFF).view(np.float32).astype(np.float64)
    order = np.argsort(low + high)
    low, high, counts = low[order], high[order], number[used][order]
    centre = float(w.mean())
    d = w - centre
    d2 = d * d
    power = PowerSums(
        w.size,
        centre,
        float(d.sum()),
        float(d2.sum()),
        float((d2 * d).sum()),
        float((d2 * d2).sum()),
    )
    return ValueCounts(
        np.minimum(low, high),
        np.maximum(low, high),
        (low + high) / 2,
        counts,
        power,
        exact=False,
        minimum=float(w.min()),
        maximum=float(w.max()),
    )


def margins(w: Array) -> Margins:
    """Sums of rows and columns, and of products of neighbours."""
    squares = w * w
    rows, cols = ({"sum": w.sum(axis), "squares": squares.sum(axis)} for axis in (1, 0))
    along = float(np.einsum("ij,ij->", w[:, 1:], w[:, :-1]))
    across = float(np.einsum("ij,ij->", w[1:], w[:-1]))
    return Margins(rows, cols, lag=(along, across))


if __name__ == "__main__":
    main()
