"""Columns of shape without a fit, and of the filters: beta by moments, Weibull slope, trimmed moments, tiny weights."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Count
from ..filters import tiny_share, trimmed
from ..laws.cells import excess_zeros
from ..shape import beta_moment, weibull_k
from ..statistic import Evidence, Statistic

COLUMNS = (
    Column(
        "beta_moment",
        "float",
        "shape of the generalised Gaussian from E w^2 / (E |w|)^2, mean not removed",
        "",
        "arXiv 2506.00486",
    ),
    Column("weibull_k", "float", "Weibull slope of |w| over its middle 80% (Gaussian: 1.2054)"),
    Column(
        "trimmed_std",
        "float",
        "std of what lies within 3 sigma (Gaussian: 0.98658 sigma)",
        "weight",
        "arXiv 2501.10661",
    ),
    Column("trimmed_kurtosis", "float", "excess kurtosis of the same (Gaussian: -0.171)", "", "arXiv 2501.10661"),
    Column("tiny_share", "float", "share of weights with |w| < std/1000", "", "arXiv 2501.10661"),
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    dense = counts.without_zeros() if excess_zeros(counts) else counts
    return {
        "beta_moment": beta_moment(dense),
        "weibull_k": weibull_k(dense),
        "tiny_share": tiny_share(counts),
        **trimmed(counts),
    }


SHAPE = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
