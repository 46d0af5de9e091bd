"""Scores of spectra on noise: `python -m tests.truth.calibration_spectra [SHAPE ...]`.

Each score is computed on draws of i.i.d. elements by the statistics themselves, from numpy's
singular values of the Gram matrix. With shapes, such as 64x64, only their results are replaced.
Results are stored; docs/generate.py writes their table. A new score of a spectrum is measured as
soon as its statistic is in `STATISTICS`.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.records import store
from weightscope.sketches import Count, Decompose, MarginSums, SingularValues
from weightscope.statistics.spectra.bulk import noise
from weightscope.statistics.spectra.evenness import evenness
from weightscope.statistics.spectra.null_distance import null_distance
from weightscope.statistics.statistic import Evidence

from .calibration_lines import LAWS, SHAPES, counted, drawn, margins, summary

Array = NDArray[np.float64]

STORED = Path(__file__).with_name("calibration_spectra.json")
OF_LINES = ("row_", "col_")  # those of calibration_lines
MEASURE = Decompose()
STATISTICS = (null_distance(MEASURE), evenness(MEASURE), noise(MEASURE, balanced=False))


def main(wanted: Sequence[str]) -> None:
    """Scores of all shapes and laws, or of those named."""
    stored = json.loads(STORED.read_text("utf-8")) if STORED.exists() else []
    for shape, draws in SHAPES.items():
        if wanted and "{}x{}".format(*shape) not in wanted:
            continue
        stored = [record for record in stored if record["shape"] != "{} x {}".format(*shape)]
        for law in LAWS:
            stored += measured(shape, law, draws)
            print(*stored[-1].values(), flush=True)
    store(stored, STORED)


def measured(shape: tuple[int, int], law: str, draws: int) -> list[dict[str, object]]:
    """A record per score: its number, mean, standard deviation, and how many exceed 3."""
    random = np.random.default_rng((1919, *shape, list(LAWS).index(law)))
    found = defaultdict(list)
    for _ in range(draws):
        for name, value in scores(drawn(random, shape, law)):
            found[name].append(value)
    return [summary(shape, law, name, values) for name, values in found.items()]


def scores(w: Array) -> Iterator[tuple[str, float]]:
    """Each score of the spectrum of one matrix that has a value."""
    sketches = {MEASURE: decomposed(w), MarginSums(): margins(w), Count(): counted(w)}
    evidence = Evidence(sketches, w.shape, "F32")
    for statistic in STATISTICS:
        for name, value in statistic.of(evidence).items():
            if not name.endswith("_score") or name.startswith(OF_LINES):
                continue
            if isinstance(value, float):
                yield name, value


def decomposed(w: Array) -> SingularValues:
    """Singular values by the eigenvalues of the Gram matrix of the shorter side."""
    lines = w if w.shape[0] <= w.shape[1] else w.T
    eigenvalues = np.linalg.eigvalsh(lines @ lines.T)[::-1]
    sigma = np.sqrt(np.maximum(eigenvalues, 0.0))
    floor = float(sigma[0]) * len(sigma) ** 0.5 * 2.0**-26
    index = np.arange(max(w.shape))
    diagonal = float((w[index % w.shape[0], index % w.shape[1]] ** 2).sum())
    return SingularValues(sigma, w.shape, "gram", floor, diagonal)


if __name__ == "__main__":
    main(sys.argv[1:])
