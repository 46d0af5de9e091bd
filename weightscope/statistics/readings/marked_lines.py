"""Columns of rows and columns that stand out: dead, constant, of one sign, duplicated, of unusual norm, padding."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Beyond, Groups, Lines, Twins
from ..marked_lines import constant, dead, loudest, one_sign, outlying, twins
from ..statistic import Evidence, Statistic
from ..zero_blocks import zero_blocks

MARGINS = Lines(extremes=True)
SPARSEST = 0.75  # share of zeros: what has more is sparse by other means than a pattern of halves
COLUMNS = (
    Column("dead_rows", "int", "rows of zeros", shown=True),
    Column("dead_cols", "int", "columns of zeros"),
    Column("constant_rows", "int", "rows of one value that is not zero"),
    Column("constant_cols", "int", "columns of one value that is not zero"),
    Column("duplicate_rows", "int", "rows that have a bit-identical twin; not zero or constant ones", shown=True),
    Column("outlier_rows", "int", "rows whose log RMS is far from the median, by a factor of 1.5 at least"),
    Column("outlier_cols", "int", "columns whose log RMS is far from the median, by a factor of 1.5 at least"),
    Column("row_loudest", "float", "RMS of the loudest row over that of the median row"),
    Column("col_loudest", "float", "RMS of the loudest column over that of the median column"),
    Column("one_sign_rows", "int", "rows of 16 weights or more that are all positive or all negative"),
    Column("one_sign_cols", "int", "columns of 16 weights or more that are all positive or all negative"),
    Column("zero_block", "str", "rows and columns of zeros at the end, zero rectangles at an edge: ranges from 0"),
    Column("sparsity_pattern", "str", "2:4 or 4:8 where every group of neighbours has its zeros"),
)


def _of(evidence: Evidence) -> Mapping[str, object]:
    margins, counts = evidence.sketches[MARGINS], evidence.sketches[Beyond()].counts
    rows, cols = margins.rows, margins.cols
    m, n = len(rows["sum"]), len(cols["sum"])
    found = evidence.sketches[Groups()].patterns
    return {
        "dead_rows": int(dead(rows).sum()),
        "dead_cols": int(dead(cols).sum()),
        "constant_rows": int(constant(rows).sum()),
        "constant_cols": int(constant(cols).sum()),
        "duplicate_rows": sum(map(len, twins(evidence.sketches[Twins()], rows))),
        "outlier_rows": int(outlying(rows, n).sum()),
        "outlier_cols": int(outlying(cols, m).sum()),
        "row_loudest": loudest(rows, n),
        "col_loudest": loudest(cols, m),
        "one_sign_rows": int(one_sign(rows, n).sum()),
        "one_sign_cols": int(one_sign(cols, m).sum()),
        "zero_block": zero_blocks(rows, cols),
        "sparsity_pattern": found[0] if found and counts.zeros < SPARSEST * counts.n else None,
    }


MARKED_LINES = Statistic(COLUMNS, frozenset({Beyond(), MARGINS, Groups(), Twins()}), _of)
