"""Columns of moments, robust scale and special values: all from ValueCounts."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Count
from ..moments import l_kurtosis, moments, resolved, robust_std
from ..statistic import Evidence, Statistic

COLUMNS = (
    Column("mean", "float", "mean of the finite values", "weight", "numpy.mean"),
    Column("std", "float", "population standard deviation", "weight", "numpy.std", shown=True),
    Column("skew", "float", "third standardised moment", "", "scipy.stats.skew"),
    Column("kurtosis", "float", "excess kurtosis (Gaussian: 0)", "", "scipy.stats.kurtosis"),
    Column("l_kurtosis", "float", "L-kurtosis, fourth L-moment ratio (Gaussian: 0.1226)", "", "Hosking 1990"),
    Column("robust_std", "float", "interquartile range / 1.349", "weight", ""),
    Column("min", "float", "least finite value", "weight"),
    Column("max", "float", "greatest finite value", "weight"),
    Column("zeros", "int", "exact zeros, +0 and -0"),
    Column("nan", "int", "NaN values"),
    Column("inf", "int", "infinite values, both signs"),
    Column("distinct", "int", "distinct finite values; null beyond 65,536"),
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    special = {name: getattr(counts, name) for name in ("zeros", "nan", "inf")}
    odd = " and ".join(f"{special[k]:,} {text}" for k, text in (("nan", "NaN"), ("inf", "Inf")) if special[k])
    notes = (
        "no elements" if not counts.n + counts.nan + counts.inf else "",
        f"{odd}: statistics of the finite values" if odd else "",
        "" if resolved(counts) else "bins too wide beside the spread: no quantiles",
    )
    return {
        **moments(counts),
        **special,
        "l_kurtosis": l_kurtosis(counts),
        "robust_std": robust_std(counts),
        "distinct": counts.distinct,
        "note": "; ".join(n for n in notes if n),
    }


MOMENTS = Statistic(COLUMNS, frozenset({Count()}), _of)
