"""Columns of the i.i.d. readings, each beside what an i.i.d. matrix of the same shape gives."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Count, Lines
from ..iid import SPREADS, iid_readings
from ..statistic import Evidence, Statistic

_READINGS = (
    Column("row_spread", "float", "sd of the log RMS of rows: uneven outputs", shown=True),
    Column("col_spread", "float", "sd of the log RMS of columns: uneven inputs"),
    Column(
        "row_mean_share", "float", "share of the variance that lies in row means", "", "two-way ANOVA, arXiv 2408.08681"
    ),
    Column(
        "col_mean_share",
        "float",
        "share of the variance that lies in column means",
        "",
        "two-way ANOVA, arXiv 2408.08681",
    ),
    Column("lag_row", "float", "correlation of neighbours along a row", "", "numpy.corrcoef"),
    Column("lag_col", "float", "correlation of neighbours along a column", "", "numpy.corrcoef"),
)
_KURTIC = tuple(
    Column(f"{side}_spread_iid", "float", f"{side}_spread of i.i.d. elements of the measured kurtosis")
    for side in ("row", "col")
)
COLUMNS = (
    tuple(x for c in _READINGS for x in (c, c.suffixed("_null", "what i.i.d. Gaussian elements give for"))) + _KURTIC
)
SPREAD_COLUMNS = tuple(c for c in COLUMNS if c.name in SPREADS)


def _of(evidence: Evidence) -> Mapping[str, object]:
    return iid_readings(evidence.sketches[Lines()], evidence.sketches[Count()].power)


LINES = Statistic(COLUMNS, frozenset({Count(), Lines()}), _of)
