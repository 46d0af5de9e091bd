"""Columns of `--coding`: what the weights cost to code."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Count
from ..coding import coding_costs
from ..statistic import Evidence, Statistic

_SOURCE = "arXiv 2506.00486"
COLUMNS = (
    Column(
        "entropy_bits",
        "float",
        "entropy of the weights rounded to steps of 2^-13",
        "bits/weight",
        _SOURCE,
        option="--coding",
    ),
    Column(
        "entropy_bits_std64",
        "float",
        "entropy at steps of std/64, comparable between models",
        "bits/weight",
        option="--coding",
    ),
    Column(
        "golomb_bits",
        "float",
        "cost of the best exp-Golomb code at steps of 2^-13",
        "bits/weight",
        _SOURCE,
        option="--coding",
    ),
    Column("golomb_order", "int", "order k of that code", option="--coding"),
    Column(
        "rf8_rmse",
        "float",
        "relative RMS error of two signed powers of two a weight (Gaussian: 0.0396)",
        "",
        _SOURCE,
        option="--coding",
    ),
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    return coding_costs(evidence.sketches[Count()])


CODING = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
