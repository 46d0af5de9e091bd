"""Nulls by draws: a value beside the same value of matrices in random order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, sqrt

from ..columns import Column
from ..lazy import numpy as np
from ..lazy import special

ENDS = {"_null_low": ("10% point", 10.0), "_null_high": ("90% point", 90.0)}


def draw_columns(column: Column, option: str) -> Iterator[Column]:
    """The 10% and 90% points of several draws, and the score among them."""
    for suffix, (point, _) in ENDS.items():
        meaning = f"{point} over element shuffles of {column.name}"
        yield Column(column.name + suffix, "float", meaning, option=option)
    meaning = f"{column.name} among element shuffles, as a standard Gaussian"
    yield Column(f"{column.name}_score", "float", meaning, option=option)


def of_draws(
    name: str, value: float | None, draws: Sequence[float | None]
) -> Mapping[str, float | None]:
    """`<name>_null`, the median of the draws; of several also their 10% and 90% and the score.

    All but the null are null where a draw has no value.
    """
    values = [draw for draw in draws if draw is not None]
    columns: dict[str, float | None] = {f"{name}_null": None}
    if values:
        columns[f"{name}_null"] = float(np.median(values))
    if len(draws) < 2:
        return columns
    complete = len(values) == len(draws)
    for suffix, (_, percentile) in ENDS.items():
        columns[name + suffix] = float(np.percentile(values, percentile)) if complete else None
    columns[f"{name}_score"] = score_among(value, values) if complete else None
    return columns


def score_among(value: float | None, draws: Sequence[float]) -> float | None:
    """The normal quantile of Student's t of a value among draws; None for equal draws.

    t = (value - mean)/(sd sqrt(1 + 1/k)) with k - 1 degrees of freedom for k draws: of few draws
    the standard deviation is itself uncertain.

    >>> round(score_among(3.0, [-1.0, 0.0, 1.0]), 2)
    1.55
    """
    count = len(draws)
    if value is None or count < 2:
        return None
    deviation = float(np.std(draws, ddof=1))
    if not deviation > 0:
        return None
    t = (value - float(np.mean(draws))) / (deviation * sqrt(1 + 1 / count))
    # By the lower tail, whose probability has all its digits.
    quantile = -float(special.ndtri(special.stdtr(count - 1, -abs(t))))
    if not isfinite(quantile):
        return None
    return quantile if t > 0 else -quantile
