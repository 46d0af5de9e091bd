"""The page of scores on noise: mean, standard deviation and rate beyond 3 of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TEXT = """\
[Scores](../statistics.md#scores) of i.i.d. noise: `python -m
tests.truth.calibration_lines` and `python -m tests.truth.calibration_spectra` draw matrices of
four shapes and four laws, rounded to float32, and compute each score by the functions of the
statistics. A cell is mean ± standard deviation, how many are beyond 3, and the number of draws
that have the score. A calibrated score has 0 ± 1. Scores of balanced matrices are those of
fewer draws, `balanced_kurtosis_score` is taken among five shuffles; `row_gini_score` and
`col_gini_score` are null where fewer than 1.5 pairs of outliers are expected in one line."""


def heads(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Column, law, and each shape."""
    return ("column", "law", *dict.fromkeys(record["shape"] for record in records))


def rows(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A row per score and law, with a cell per shape."""
    shapes = heads(records)[2:]
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for record in records:
        of_score = cells.setdefault((record["column"], record["law"]), {})
        of_score[record["shape"]] = (
            f"{record['mean']:.2f} ± {record['deviation']:.2f}, "
            f"{record['beyond']} of {record['draws']:,}"
        )
    for (column, law), of_score in sorted(cells.items(), key=lambda item: item[0][0]):
        yield (f"`{column}`", law, *(of_score.get(shape, "") for shape in shapes))
