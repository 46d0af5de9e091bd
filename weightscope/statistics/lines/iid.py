"""Deviations of a matrix from i.i.d. elements, from margins and power sums, with nulls.

Spread of the log RMS of lines (uneven scales), share of the variance in the means of lines (two-way
ANOVA), correlation of neighbours. Zero lines have no log: the spreads exclude them, and a note
counts them. For a vector, a constant and a matrix with non-finite elements all are null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, notes_of, united
from ...sketches import Count, MarginSums
from ..score import score, score_column
from ..statistic import Evidence, Statistic
from .lags import lags
from .nulls import mean_share_deviation, mean_share_null, spread_null
from .spread_law import spread_law, squares, without_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts
    from ...sketches.margins import Margins
    from ...sketches.power_sums import PowerSums

SPREADS = ("row_spread", "row_spread_null", "col_spread", "col_spread_null")
_EFFECTS = (
    # uneven scales
    Column("row_spread", "float", "sd of the log RMS of rows: uneven outputs", shown=True),
    Column("col_spread", "float", "sd of the log RMS of columns: uneven inputs"),
    # uneven means
    Column(
        "row_mean_share",
        "float",
        "share of the variance of the row means",
        "",
        "two-way ANOVA, arXiv 2408.08681",
    ),
    Column(
        "col_mean_share",
        "float",
        "share of the variance of the column means",
        "",
        "two-way ANOVA, arXiv 2408.08681",
    ),
    # neighbours
    Column("lag_row", "float", "correlation of neighbours along a row", "", "numpy.corrcoef"),
    Column("lag_col", "float", "correlation of neighbours along a column", "", "numpy.corrcoef"),
)
_KURTIC = tuple(
    Column(
        f"{side}_spread_iid",
        "float",
        f"expected {side}_spread of the same elements in random order",
        version=2,
    )
    for side in ("row", "col")
)
# A score is null where its value is, too.
SCORES = {
    "row_spread": "row_spread - row_spread_iid",
    "col_spread": "col_spread - col_spread_iid",
    "row_mean_share": "row_mean_share - row_mean_share_null",
    "col_mean_share": "col_mean_share - col_mean_share_null",
    "lag_row": "lag_row",  # lag_row_null is its standard deviation
    "lag_col": "lag_col",
}


def _with_nulls(columns: Iterable[Column]) -> Iterator[Column]:
    for column in columns:
        yield column
        yield column.suffixed("_null", "expectation for i.i.d. Gaussian elements of")
        meaning = f"{SCORES[column.name]} in standard deviations of i.i.d. elements"
        yield replace(score_column(column.name), meaning=meaning)


COLUMNS = (*_with_nulls(_EFFECTS), *_KURTIC)
# `spectrum` has them too
_OF_LAW = ("row_spread_iid", "row_spread_score", "col_spread_iid", "col_spread_score")
SPREAD_COLUMNS = tuple(c for c in COLUMNS if c.name in SPREADS + _OF_LAW)

# Std over mean, times the root of the length, below which sums of lines have no correct digit of
# their spread: 500 times the rounding of a sum over the std of the means of lines.
SPREAD = 2.0**-44
# Std over mean of the elements outside zero lines, below which sums without these have no digit of
# the spread, and no four digits of the kurtosis.
RESOLVED, SHAPED = 1e-7, 1e-3
LEAST = 1e-290  # mean square below which squares lose digits
FEW = Note("few-lines", "fewer than two non-zero rows or columns")
ONE_LINE = Note("one-line", "a single row or column: rows and columns are not compared")
NONFINITE = Note("non-finite", "non-finite elements: rows and columns are not compared")
BEYOND = Note(
    "lines-overflow",
    "values overflow or underflow when squared: rows and columns are not compared",
)
ALIKE = Note("constant", "constant: rows and columns are not compared")
SMALL = Note(
    "small-spread",
    "the spread is too small beside the mean for float64: rows and columns are not compared",
)
NO_IID = Note(
    "small-spread",
    "the spread is too small beside the mean: no spread of i.i.d. elements without the zero lines",
)

Values = Mapping[str, Any]


def deviations(margins: Margins, counts: ValueCounts) -> Values:
    """All statistics with nulls and scores, and `notes` with the reasons for missing ones."""
    power = counts.power
    reason = _not_compared(margins, power)
    if reason:
        return dict.fromkeys(c.name for c in COLUMNS) | {"notes": (reason,)}
    scales = spreads(margins, counts)
    means = mean_shares(margins, power)
    neighbours = lags(margins)
    notes = united(notes_of(scales), notes_of(neighbours))
    return {**scales, **means, **neighbours, "notes": notes}


def spreads(margins: Margins, counts: ValueCounts) -> Values:
    """`line_spreads`; their expectations for the same elements in random order, and scores.

    A spread between `_null` and `_iid` is undecided: uneven lines and heavy tails both explain it.
    Zero lines are excluded from the elements too; without them the sums lose digits beside a large
    mean.
    """
    measured = dict(line_spreads(margins))
    without = measured | dict.fromkeys(_OF_LAW)
    if measured["row_spread"] is None:
        return without
    m, n = non_zero_lines(margins)
    if (m, n) != _lines(margins):
        power = without_zeros(counts.power, m * n)
        relative = _relative_spread(power)
        equal = measured["row_spread"] == measured["col_spread"] == 0
        if relative < RESOLVED and not equal:
            return dict.fromkeys(without) | {"notes": united(notes_of(measured), SMALL)}
        if relative < SHAPED:
            return without | {"notes": united(notes_of(measured), NO_IID)}
    law = squares(counts, m * n)
    rows = spread_law(law, m, n)
    cols = rows if m == n else spread_law(law, n, m)
    return measured | {
        "row_spread_iid": rows and rows.mean,
        "row_spread_score": rows and score(measured["row_spread"], rows.mean, rows.deviation),
        "col_spread_iid": cols and cols.mean,
        "col_spread_score": cols and score(measured["col_spread"], cols.mean, cols.deviation),
    }


def _relative_spread(power: PowerSums) -> float:
    """Std over mean; Inf where the mean is 0."""
    if power.mean == 0:
        return inf
    return power.std / abs(power.mean)


def line_spreads(margins: Margins) -> Values:
    """`row_spread` = population sd of log RMS over the non-zero rows; columns alike.

    The nulls are those of Gaussian elements in the shape of the non-zero lines.
    """
    rows, cols = _log_rms(margins.rows["squares"]), _log_rms(margins.cols["squares"])
    if min(len(rows), len(cols)) < 2:
        return dict.fromkeys(SPREADS) | {"notes": (FEW,)}
    return {
        "row_spread": float(rows.std()),
        "row_spread_null": spread_null(len(cols)),
        "col_spread": float(cols.std()),
        "col_spread_null": spread_null(len(rows)),
        "notes": united(zero_lines(margins)),
    }


def non_zero_lines(margins: Margins) -> tuple[int, int]:
    """The numbers of rows and columns with any element that is not zero."""
    rows = int((margins.rows["squares"] > 0).sum())
    columns = int((margins.cols["squares"] > 0).sum())
    return rows, columns


def zero_lines(margins: Margins) -> Note | None:
    """The note that counts the zero rows and columns; None without any."""
    m, n = _lines(margins)
    live_rows, live_columns = non_zero_lines(margins)
    rows, columns = m - live_rows, n - live_columns
    counts = []
    if rows:
        counts.append("{zero_rows} zero row" + "s" * (rows > 1))
    if columns:
        counts.append("{zero_columns} zero column" + "s" * (columns > 1))
    if not counts:
        return None
    template = f"{' and '.join(counts)} left out"
    return Note.of("zero-lines", template, zero_rows=rows, zero_columns=columns)


def mean_shares(margins: Margins, power: PowerSums) -> Mapping[str, float | None]:
    """`row_mean_share` = n sum (row mean - mean)^2 / sum (w - mean)^2; columns alike.

    Of a two-way ANOVA.
    """
    m, n = _lines(margins)
    variance, _, _ = power.central
    total = variance * power.n
    row = _between(margins.rows["sum"] / n, power.mean) * n / total
    col = _between(margins.cols["sum"] / m, power.mean) * m / total
    row_null, col_null = mean_share_null(m, n), mean_share_null(n, m)
    return {
        "row_mean_share": row,
        "row_mean_share_null": row_null,
        "row_mean_share_score": score(row, row_null, mean_share_deviation(m, n, power.kurtosis)),
        "col_mean_share": col,
        "col_mean_share_null": col_null,
        "col_mean_share_score": score(col, col_null, mean_share_deviation(n, m, power.kurtosis)),
    }


def _not_compared(margins: Margins, power: PowerSums) -> Note | None:
    """The reason why rows and columns are not compared, None where they are."""
    m, n = _lines(margins)
    if min(m, n) < 2:
        return ONE_LINE
    if power.n < m * n:  # power sums are of finite elements alone
        return NONFINITE
    if _beyond_float64(margins, power):
        return BEYOND
    if power.std == 0:
        return ALIKE
    if not power.std > SPREAD * sqrt(max(m, n)) * abs(power.mean):
        return SMALL
    return None


def _beyond_float64(margins: Margins, power: PowerSums) -> bool:
    """Whether squares overflow, or those of elements that are not zero underflow."""
    squares = float(margins.rows["squares"].sum())
    if not (isfinite(squares) and isfinite(power.std)):
        return True
    return squares < LEAST * power.n and bool(margins.rows["sum"].any())


def _log_rms(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log RMS of each non-zero line, up to a constant, from its sum of squares."""
    non_zero = squares[squares > 0]
    return 0.5 * np.log(non_zero)


def _lines(margins: Margins) -> tuple[int, int]:
    """The numbers of rows and columns."""
    rows, columns = margins.rows["squares"], margins.cols["squares"]
    return len(rows), len(columns)


def _between(means: NDArray[np.float64], mean: float) -> float:
    """The sum of squares between the lines."""
    return float(((means - mean) ** 2).sum())


def _deviations(evidence: Evidence) -> Mapping[str, object]:
    return deviations(evidence.sketches[MarginSums()], evidence.sketches[Count()])


IID = Statistic(COLUMNS, frozenset({Count(), MarginSums()}), _deviations)
