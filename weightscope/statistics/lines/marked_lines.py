"""Marked rows and columns: dead, constant, of one sign, duplicated, of unusual norm.

From margins with extremes and from content hashes. Lines with non-finite elements have no mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...sketches import Beyond, Duplicates, Groups
from ..statistic import Evidence, Statistic
from .margins import MARGINS
from .zero_blocks import zero_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import DuplicateRows
    from .margins import Margin

SIGNED = 16  # elements: shorter lines may have one sign by chance (2^-15 for 16)
NORMAL_MAD = 1.4826  # std over MAD of a normal law
FAR = 6 * NORMAL_MAD  # MADs of log RMS from the median to an outlier row or column
FACTOR = 1.5  # least ratio of its RMS to the median
SPARSEST = 0.75  # share of zeros: sparser tensors fit a pattern of halves by chance
COLUMNS = (
    Column("dead_rows", "int", "rows of zeros", shown=True),
    Column("dead_cols", "int", "columns of zeros"),
    Column("constant_rows", "int", "rows of one value that is not zero"),
    Column("constant_cols", "int", "columns of one value that is not zero"),
    Column(
        "duplicate_rows",
        "int",
        "rows bit-identical to another row; not zero or constant rows",
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
    Column("row_rms_ratio_max", "float", "largest RMS of a row over the median"),
    Column("col_rms_ratio_max", "float", "largest RMS of a column over the median"),
    Column(
        "one_sign_rows",
        "int",
        "rows of 16 weights or more that are all positive or all negative",
        version=2,
    ),
    Column(
        "one_sign_cols",
        "int",
        "columns of 16 weights or more that are all positive or all negative",
        version=2,
    ),
    Column(
        "zero_block",
        "str",
        "rows and columns of zeros at the end, zero rectangles at an edge: ranges from 0",
    ),
    Column(
        "sparsity_pattern", "str", "2:4 or 4:8 where every group of neighbours has as many zeros"
    ),
)


def dead(margin: Margin) -> NDArray[np.bool_]:
    """Whether all elements of each line are zero."""
    zero = (margin["min"] == 0) & (margin["max"] == 0)
    return np.asarray(_finite(margin) & zero)


def constant(margin: Margin) -> NDArray[np.bool_]:
    """Whether all elements of each line are one value that is not zero."""
    equal = margin["min"] == margin["max"]
    zero = margin["max"] == 0
    return np.asarray(_finite(margin) & equal & ~zero)


def one_sign(margin: Margin, length: int) -> NDArray[np.bool_]:
    """Whether all elements of each line are above zero, or all below; False for less than 16.

    >>> margin = {"min": np.array([1.0]), "max": np.array([2.0]), "nonfinite": np.array([0.0])}
    >>> one_sign(margin, 100).tolist(), one_sign(margin, 8).tolist()
    ([True], [False])
    """
    positive, negative = margin["min"] > 0, margin["max"] < 0
    return _finite(margin) & (positive | negative) & (length >= SIGNED)


def outlying(margin: Margin, length: int) -> NDArray[np.bool_]:
    """Whether the log RMS is further than 6 x 1.4826 MAD, and log 1.5, from the median line's."""
    distance, mad = _from_median(rms(margin, length))
    limit = max(FAR * mad, float(np.log(FACTOR)))
    # NaN to 0: zero and non-finite lines are no outliers
    size = np.nan_to_num(np.abs(distance))
    return np.asarray(size > limit)


def max_rms_ratio(margin: Margin, length: int) -> float | None:
    """Largest RMS of a line over the median RMS, without zero lines; None if all are zero.

    >>> margin = {"squares": np.array([4.0, 4.0, 36.0, 0.0]), "nonfinite": np.zeros(4)}
    >>> max_rms_ratio(margin, 4)
    3.0
    """
    sizes = rms(margin, length)
    sizes = sizes[~np.isnan(sizes)]
    if not len(sizes):
        return None
    return float(sizes.max() / np.median(sizes))


def row_z(margin: Margin, length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """RMS of each line, and the distance of its log from the median in 1.4826 MAD.

    NaN for zero and non-finite lines. Where the MAD is 0 a distance has no unit: all are NaN.
    """
    sizes = rms(margin, length)
    distance, mad = _from_median(sizes)
    if not mad > 0:
        return sizes, np.full_like(distance, np.nan)
    return sizes, distance / (NORMAL_MAD * mad)


def rms(margin: Margin, length: int) -> NDArray[np.float64]:
    """Root mean square of each line; NaN where it is zero, overflows or has non-finite elements."""
    squares = margin["squares"]
    valid = (margin["nonfinite"] == 0) & (squares > 0) & np.isfinite(squares)
    # NaN, so that neither the log nor the median of the others is affected
    mean_square = np.where(valid, squares, np.nan) / length
    return np.sqrt(mean_square)


def _from_median(sizes: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Distance of each log size from their median, and the median distance (MAD); NaN excluded."""
    logs = np.log(sizes)
    valid = ~np.isnan(logs)
    if not valid.any():
        return logs, np.nan
    distance = logs - np.median(logs[valid])
    return distance, float(np.median(np.abs(distance[valid])))


def duplicate_sets(hashed: DuplicateRows, margin: Margin) -> tuple[NDArray[np.int64], ...]:
    """Sets of identical rows, each ascending, by their first row.

    Dead, constant and non-finite rows are in none.

    >>> from weightscope.sketches import DuplicateRows
    >>> hashed = DuplicateRows(np.array([0, 3, 4, 7]), np.array([9, 5, 9, 5], np.uint64))
    >>> margin = {"min": np.zeros(8), "max": np.ones(8), "nonfinite": np.zeros(8)}
    >>> [rows.tolist() for rows in duplicate_sets(hashed, margin)]
    [[0, 4], [3, 7]]
    """
    # Dead and constant rows have columns of their own.
    excluded = dead(margin) | constant(margin) | ~_finite(margin)
    eligible = ~excluded[hashed.rows]
    rows, hashes = hashed.rows[eligible], hashed.hashes[eligible]
    # The sort is stable: rows of one hash stay in ascending order.
    order = np.argsort(hashes, kind="stable")
    starts = np.flatnonzero(np.diff(hashes[order])) + 1
    sets = np.split(rows[order], starts)
    duplicates = [identical for identical in sets if len(identical) > 1]
    return tuple(sorted(duplicates, key=lambda identical: int(identical[0])))


def duplicated(hashes: NDArray[np.uint64], skipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each row has the hash of another; False for `skipped` (dead and constant) rows.

    >>> duplicated(np.array([7, 8, 7], np.uint64), np.zeros(3, bool)).tolist()
    [True, False, True]
    """
    # index: position of each row's hash among the distinct ones
    distinct, index = np.unique(hashes, return_inverse=True)
    counts = np.bincount(index[~skipped], minlength=len(distinct))
    repeated = counts > 1
    return np.asarray(repeated[index] & ~skipped)


def content(margin: Margin) -> NDArray[np.float64]:
    """(m, 4): sum, sum of squares, least and greatest of each line.

    Tensors that agree in every line are equal, but for a probability of about 2^-80 per line.
    """
    fields = [margin[name] for name in ("sum", "squares", "min", "max")]
    return np.stack(fields, -1)


def _finite(margin: Margin) -> NDArray[np.bool_]:
    return np.asarray(margin["nonfinite"] == 0)


def _counts_of_marks(evidence: Evidence) -> Mapping[str, object]:
    margins = evidence.sketches[MARGINS]
    rows, cols = margins.rows, margins.cols
    m, n = len(rows["sum"]), len(cols["sum"])
    duplicates = duplicate_sets(evidence.sketches[Duplicates()], rows)
    return {
        "dead_rows": int(dead(rows).sum()),
        "dead_cols": int(dead(cols).sum()),
        "constant_rows": int(constant(rows).sum()),
        "constant_cols": int(constant(cols).sum()),
        "duplicate_rows": sum(map(len, duplicates)),
        "outlier_rows": int(outlying(rows, n).sum()),
        "outlier_cols": int(outlying(cols, m).sum()),
        "row_rms_ratio_max": max_rms_ratio(rows, n),
        "col_rms_ratio_max": max_rms_ratio(cols, m),
        "one_sign_rows": int(one_sign(rows, n).sum()),
        "one_sign_cols": int(one_sign(cols, m).sum()),
        "zero_block": zero_blocks(rows, cols),
        "sparsity_pattern": _sparsity_pattern(evidence),
    }


def _sparsity_pattern(evidence: Evidence) -> str | None:
    """The first pattern of zeros that fits; None for tensors that are sparse anyway."""
    patterns = evidence.sketches[Groups()].patterns
    counts = evidence.sketches[Beyond()].counts
    if not patterns or counts.zeros >= SPARSEST * counts.n:
        return None
    first: str = patterns[0]
    return first


MARKED_LINES = Statistic(
    COLUMNS, frozenset({Beyond(), MARGINS, Groups(), Duplicates()}), _counts_of_marks
)
