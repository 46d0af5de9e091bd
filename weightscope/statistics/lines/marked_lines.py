"""Rows and columns that stand out: dead, constant, of one sign, duplicated, of unusual norm.

From margins with extremes and from content hashes. Lines with non-finite elements are none of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...sketches import Beyond, Groups, Twins
from ..statistic import Evidence, Statistic
from .margins import MARGINS
from .zero_blocks import zero_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import TwinRows
    from .margins import Lines

SIGNED = 16  # elements: shorter lines have one sign by chance (2^-15)
FAR, FACTOR = 6 * 1.4826, 1.5  # MADs of log RMS from the median, and at least that ratio
SPARSEST = 0.75  # share of zeros: more than that is no pattern of halves
COLUMNS = (
    Column("dead_rows", "int", "rows of zeros", shown=True),
    Column("dead_cols", "int", "columns of zeros"),
    Column("constant_rows", "int", "rows of one value that is not zero"),
    Column("constant_cols", "int", "columns of one value that is not zero"),
    Column(
        "duplicate_rows",
        "int",
        "rows that have a bit-identical twin; not zero or constant ones",
        shown=True,
    ),
    Column(
        "outlier_rows",
        "int",
        "rows whose log RMS is far from the median, by a factor of 1.5 at least",
    ),
    Column(
        "outlier_cols",
        "int",
        "columns whose log RMS is far from the median, by a factor of 1.5 at least",
    ),
    Column("row_rms_ratio_max", "float", "RMS of the loudest row over that of the median row"),
    Column(
        "col_rms_ratio_max", "float", "RMS of the loudest column over that of the median column"
    ),
    Column(
        "one_sign_rows", "int", "rows of 16 weights or more that are all positive or all negative"
    ),
    Column(
        "one_sign_cols",
        "int",
        "columns of 16 weights or more that are all positive or all negative",
    ),
    Column(
        "zero_block",
        "str",
        "rows and columns of zeros at the end, zero rectangles at an edge: ranges from 0",
    ),
    Column("sparsity_pattern", "str", "2:4 or 4:8 where every group of neighbours has its zeros"),
)


def dead(lines: Lines) -> NDArray[np.bool_]:
    """All elements are zero."""
    return np.asarray(_finite(lines) & (lines["min"] == 0) & (lines["max"] == 0))


def constant(lines: Lines) -> NDArray[np.bool_]:
    """All elements are one value that is not zero; a line of one element is no evidence."""
    return np.asarray(_finite(lines) & (lines["min"] == lines["max"]) & (lines["max"] != 0))


def one_sign(lines: Lines, length: int) -> NDArray[np.bool_]:
    """All elements above zero, or all below; none in lines shorter than 16, and constant lines are constant.

    >>> lines = {"min": np.array([1.0]), "max": np.array([2.0]), "nonfinite": np.array([0.0])}
    >>> one_sign(lines, 100).tolist(), one_sign(lines, 8).tolist()
    ([True], [False])
    """
    signed = (lines["min"] > 0) | (lines["max"] < 0)
    return _finite(lines) & signed & ~constant(lines) & (length >= SIGNED)


def outlying(lines: Lines, length: int) -> NDArray[np.bool_]:
    """Log RMS further than 6 x 1.4826 MAD from the median of the non-zero lines, and by a factor of 1.5 at least."""
    away, mad = _from_median(rms(lines, length))
    return np.asarray(np.nan_to_num(np.abs(away)) > max(FAR * mad, float(np.log(FACTOR))))


def loudest(lines: Lines, length: int) -> float | None:
    """RMS of the line with the largest over that of the median line, zero lines left out; None without any.

    >>> lines = {"squares": np.array([4.0, 4.0, 36.0, 0.0]), "nonfinite": np.zeros(4)}
    >>> loudest(lines, 4)
    3.0
    """
    sizes = rms(lines, length)
    sizes = sizes[~np.isnan(sizes)]
    return float(sizes.max() / np.median(sizes)) if len(sizes) else None


def row_z(lines: Lines, length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """RMS of each line, and its log's distance from the median in 1.4826 MAD; NaN for zero and non-finite lines.

    Where all lines are alike (MAD 0) no distance has a unit: all are NaN.
    """
    sizes = rms(lines, length)
    away, mad = _from_median(sizes)
    return sizes, away / (1.4826 * mad if mad > 0 else np.nan)


def rms(lines: Lines, length: int) -> NDArray[np.float64]:
    """Root mean square of each line; NaN where it is zero, beyond float64, or not all finite."""
    squares = lines["squares"]
    sized = (lines["nonfinite"] == 0) & (squares > 0) & np.isfinite(squares)
    return np.sqrt(np.where(sized, squares, np.nan) / length)


def _from_median(sizes: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Log of each size, NaN apart, from their median, and the median distance (MAD)."""
    logs = np.log(sizes)
    seen = ~np.isnan(logs)
    away = logs - (np.median(logs[seen]) if seen.any() else np.nan)
    return away, float(np.median(np.abs(away[seen]))) if seen.any() else np.nan


def twins(found: TwinRows, lines: Lines) -> tuple[NDArray[np.int64], ...]:
    """Sets of equal rows, each ascending, by their first row; dead, constant and non-finite rows are no twins.

    >>> from weightscope.sketches import TwinRows
    >>> found = TwinRows(np.array([0, 3, 4, 7]), np.array([9, 5, 9, 5], np.uint64))
    >>> lines = {"min": np.zeros(8), "max": np.ones(8), "nonfinite": np.zeros(8)}
    >>> [rows.tolist() for rows in twins(found, lines)]
    [[0, 4], [3, 7]]
    """
    skipped = dead(lines) | constant(lines) | ~_finite(lines)
    kept = ~skipped[found.rows]
    rows, hashes = found.rows[kept], found.hashes[kept]
    order = np.argsort(hashes, kind="stable")
    sets = np.split(rows[order], np.flatnonzero(np.diff(hashes[order])) + 1)
    return tuple(
        sorted((equal for equal in sets if len(equal) > 1), key=lambda equal: int(equal[0]))
    )


def duplicated(hashes: NDArray[np.uint64], skipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that have a twin of the same hash, all of them; `skipped` (dead and constant rows) have none.

    >>> duplicated(np.array([7, 8, 7], np.uint64), np.zeros(3, bool)).tolist()
    [True, False, True]
    """
    _, place, many = np.unique(hashes, return_inverse=True, return_counts=True)
    twins = np.bincount(place[~skipped], minlength=len(many)) > 1
    return np.asarray(twins[place] & ~skipped)


def content(lines: Lines) -> NDArray[np.float64]:
    """(m, 4): sum, sum of squares, least and greatest of each line; tensors that agree in every line are equal.

    But for a chance of about 2^-80 a line.
    """
    return np.stack([lines[name] for name in ("sum", "squares", "min", "max")], -1)


def _finite(lines: Lines) -> NDArray[np.bool_]:
    return np.asarray(lines["nonfinite"] == 0)


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
        "row_rms_ratio_max": loudest(rows, n),
        "col_rms_ratio_max": loudest(cols, m),
        "one_sign_rows": int(one_sign(rows, n).sum()),
        "one_sign_cols": int(one_sign(cols, m).sum()),
        "zero_block": zero_blocks(rows, cols),
        "sparsity_pattern": found[0] if found and counts.zeros < SPARSEST * counts.n else None,
    }


MARKED_LINES = Statistic(COLUMNS, frozenset({Beyond(), MARGINS, Groups(), Twins()}), _of)
