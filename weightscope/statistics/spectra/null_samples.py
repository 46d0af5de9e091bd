"""Columns of `--null`: statistics of randomised matrices, beside those of the matrix itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes
from ..drawn import score_among
from ..laws import LAWS
from ..laws.fitting import fit_laws
from .bulk import bulk
from .power_law import power_law, tail_above
from .ranks import ranks

if TYPE_CHECKING:
    from ...sketches import SingularValues, ValueCounts

WITH_NULL = ("alpha", "spikes", "stable_rank", "effective_rank", "sigma_max")
ENDS = {
    "_null": ("median over randomised matrices of", 50.0),
    "_null_low": ("10% point over randomised matrices of", 10.0),
    "_null_high": ("90% point over randomised matrices of", 90.0),
}
SCORE = "_score"
NULL_COLUMNS = tuple(name + suffix for name in WITH_NULL for suffix in (*ENDS, SCORE))
NOTHING = Note("no-null-sample", "no randomised matrix has a spectrum")
FITTED = {"gaussian": ("normal", "sigma"), "logistic": ("logistic", "s")}  # law and its scale


def with_null_columns(columns: Sequence[Column], draws: int) -> tuple[Column, ...]:
    """Each column of WITH_NULL with its null, and with percentiles of several random matrices."""
    extended: list[Column] = []
    for column in columns:
        extended.append(column)
        if column.name in WITH_NULL:
            extended.extend(_nulls(column, draws))
    return tuple(extended)


def _nulls(column: Column, draws: int) -> Iterator[Column]:
    for suffix, meaning, _ in _ends(draws):
        yield Column(
            column.name + suffix,
            "float",
            f"{meaning} {column.name}",
            column.unit,
            option="--null",
        )
    if draws > 1:
        meaning = f"{column.name} among randomised matrices, as a standard Gaussian"
        yield Column(column.name + SCORE, "float", meaning, option="--null")


def _ends(draws: int) -> Iterator[tuple[str, str, float]]:
    """Suffix, meaning and percentile of each column beside one of WITH_NULL."""
    for suffix, (meaning, percentile) in ENDS.items():
        if suffix == "_null" or draws > 1:
            yield suffix, meaning, percentile


def law_of(counts: ValueCounts, name: str) -> tuple[float, float] | None:
    """Location and scale of the fitted Gaussian or logistic law; None where it cannot be fitted."""
    law, scale = FITTED[name]
    fit = fit_laws(counts, [member for member in LAWS if member.name == law]).get(law)
    if not fit:
        return None
    return fit.params["mu"], fit.params[scale]


def statistics_of(values: SingularValues, cut: float | None) -> Mapping[str, object]:
    """WITH_NULL of one random matrix; empty where its elements or their squares are not finite."""
    sigma, (m, n) = values.values, values.shape
    if values.nonfinite or len(sigma) < min(m, n):
        return {}
    fit = power_law(tail_above(sigma[sigma > values.floor] ** 2, cut))
    alpha = None
    if fit and fit.has_alpha:
        alpha = fit.alpha
    split = bulk(sigma, m, n, values.floor)
    return {
        **ranks(sigma, m, n, values.floor, 0.0),  # eps 0.0: it affects `rank`, which has no null
        "alpha": alpha,
        "spikes": split and split.spikes,
    }


def scores(
    values: Mapping[str, object], matrices: Sequence[Mapping[str, object]]
) -> Mapping[str, object]:
    """The score of each statistic of WITH_NULL among several random matrices that all have it."""
    columns: dict[str, object] = {}
    for name in WITH_NULL:
        value, drawn = values.get(name), _numbers(matrices, name)
        columns[name + SCORE] = None
        if isinstance(value, int | float) and len(drawn) == len(matrices):
            columns[name + SCORE] = score_among(float(value), drawn)
    return columns


def percentiles(matrices: Sequence[Mapping[str, object]], draws: int) -> Mapping[str, object]:
    """Median of each statistic of WITH_NULL, and 10% and 90% points where several were requested.

    Over the random matrices that have the statistic; `notes` name those that none has.
    """
    columns: dict[str, object] = {}
    missing = []
    for name in WITH_NULL:
        values = _numbers(matrices, name)
        for suffix, _, percentile in _ends(draws):
            columns[name + suffix] = None
            if values:
                columns[name + suffix] = float(np.percentile(values, percentile))
        if not values:
            missing.append(name)
    return columns | {"notes": _reasons(missing)}


def _numbers(matrices: Sequence[Mapping[str, object]], name: str) -> list[float]:
    """The values of a statistic in all random matrices that have it."""
    values = (statistics.get(name) for statistics in matrices)
    return [float(value) for value in values if isinstance(value, int | float)]


def _reasons(missing: Sequence[str]) -> Notes:
    """The notes about statistics that no random matrix has."""
    if len(missing) == len(WITH_NULL):
        return (NOTHING,)
    if missing:
        return (Note("no-null-sample", f"no {', '.join(missing)} in the randomised matrices"),)
    return ()
