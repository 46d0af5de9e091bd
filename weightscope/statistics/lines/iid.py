"""Is a matrix i.i.d.? Effect sizes from margins and power sums, each beside what i.i.d. elements of its shape give.

Spread of the lines' log RMS (uneven scales), share of variance in the lines' means (two-way ANOVA), correlation of
neighbours. Zero lines have no log: they are left out of the spreads and named in the note. A vector, a constant and
a matrix with non-finite elements have no such readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes, notes_of, united
from ...sketches import Count, Lines
from ..statistic import Evidence, Statistic
from .nulls import lag_null, mean_share_null, spread_iid, spread_null

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches.margins import Margins
    from ...sketches.power_sums import PowerSums

SPREADS = ("row_spread", "row_spread_null", "col_spread", "col_spread_null")
_READINGS = (
    Column("row_spread", "float", "sd of the log RMS of rows: uneven outputs", shown=True),
    Column("col_spread", "float", "sd of the log RMS of columns: uneven inputs"),
    Column(
        "row_mean_share",
        "float",
        "share of the variance that lies in row means",
        "",
        "two-way ANOVA, arXiv 2408.08681",
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
    Column(
        f"{side}_spread_iid", "float", f"{side}_spread of i.i.d. elements of the measured kurtosis"
    )
    for side in ("row", "col")
)
COLUMNS = (
    tuple(
        x
        for c in _READINGS
        for x in (c, c.suffixed("_null", "what i.i.d. Gaussian elements give for"))
    )
    + _KURTIC
)
SPREAD_COLUMNS = tuple(c for c in COLUMNS if c.name in SPREADS)

CONSTANT = 2.0**-48  # std over mean that rounding alone leaves of equal elements
LEAST = 1e-290  # mean square below which squares lose digits, and soon all of them
CANCELS = 1e-4  # variance over mean^2 below which float32 sums leave lags no digits
NO_LAGS = Note("no-lags", "spread too small beside the mean for lags")

Readings = Mapping[str, float | Notes | None]


def iid_readings(margins: Margins, power: PowerSums) -> Readings:
    """All readings with their nulls, and `notes` where something was left out or cannot be read."""
    reason = _unreadable(margins, power)
    if reason:
        return dict.fromkeys(c.name for c in COLUMNS) | {"notes": (reason,)}
    parts = (spreads(margins, power), mean_shares(margins, power), lags(margins))
    return {**parts[0], **parts[1], **parts[2], "notes": united(*map(notes_of, parts))}


def spreads(margins: Margins, power: PowerSums) -> Readings:
    """`line_spreads`, and what i.i.d. elements of the measured kurtosis give: between both nulls it is undecided."""
    found = dict(line_spreads(margins))
    m, n = non_zero_lines(margins)
    if found["row_spread"] is None:
        return found | {"row_spread_iid": None, "col_spread_iid": None}
    kurtosis = (_without_zeros(power, m * n) if (m, n) != _lines(margins) else power).kurtosis
    return found | {
        "row_spread_iid": spread_iid(kurtosis, n),
        "col_spread_iid": spread_iid(kurtosis, m),
    }


def line_spreads(margins: Margins) -> Readings:
    """`row_spread` = population sd of log RMS over the non-zero rows; columns alike; nulls for the shape that remains.

    The nulls are those of Gaussian elements.
    """
    rows, cols = _log_rms(margins.rows["squares"]), _log_rms(margins.cols["squares"])
    if min(len(rows), len(cols)) < 2:
        return dict.fromkeys(SPREADS) | {
            "notes": (Note("few-lines", "fewer than two non-zero rows or columns"),)
        }
    found = float(rows.std()), spread_null(len(cols)), float(cols.std()), spread_null(len(rows))
    return {**dict(zip(SPREADS, found, strict=True)), "notes": united(zero_lines(margins))}


def non_zero_lines(margins: Margins) -> tuple[int, int]:
    """How many rows and columns have any element that is not zero."""
    return int((margins.rows["squares"] > 0).sum()), int((margins.cols["squares"] > 0).sum())


def zero_lines(margins: Margins) -> Note | None:
    """What is left out."""
    rows, columns = (
        whole - some for whole, some in zip(_lines(margins), non_zero_lines(margins), strict=True)
    )
    kinds = ((rows, "{zero_rows} zero row"), (columns, "{zero_columns} zero column"))
    left = [text + "s" * (n > 1) for n, text in kinds if n]
    if not left:
        return None
    return Note.of(
        "zero-lines", f"{' and '.join(left)} left out", zero_rows=rows, zero_columns=columns
    )


def mean_shares(margins: Margins, power: PowerSums) -> Mapping[str, float]:
    """`row_mean_share` = n sum (row mean - mean)^2 / sum (w - mean)^2, of a two-way ANOVA; columns alike."""
    m, n = len(margins.rows["sum"]), len(margins.cols["sum"])
    total = power.about(power.mean).s2
    return {
        "row_mean_share": _between(margins.rows["sum"] / n, power.mean) * n / total,
        "row_mean_share_null": mean_share_null(m, n),
        "col_mean_share": _between(margins.cols["sum"] / m, power.mean) * m / total,
        "col_mean_share_null": mean_share_null(n, m),
    }


def lags(margins: Margins) -> Readings:
    """`lag_row` = correlation of W_ij with W_i,j+1, `lag_col` with W_i+1,j; equals numpy.corrcoef."""
    m, n = len(margins.rows["sum"]), len(margins.cols["sum"])
    row, col = _lag(margins.cols, margins.lag[0], m), _lag(margins.rows, margins.lag[1], n)
    null = lag_null(m, n)
    return {
        "lag_row": row,
        "lag_row_null": null,
        "lag_col": col,
        "lag_col_null": null,
        "notes": (NO_LAGS,) if None in (row, col) else (),
    }


def _unreadable(margins: Margins, power: PowerSums) -> Note | None:
    m, n = _lines(margins)
    if min(m, n) < 2:
        return Note("one-line", "one line is no matrix")
    if power.n < m * n:
        return Note("non-finite", "non-finite elements: rows and columns are not compared")
    if _leave(margins, power):
        return Note("lines-overflow", "squares leave float64: rows and columns are not compared")
    varies = power.std > CONSTANT * abs(power.mean)
    return None if varies else Note("constant", "constant: rows and columns are not compared")


def _leave(margins: Margins, power: PowerSums) -> bool:
    """Whether float64 does not hold the squares: they overflow, or vanish of elements that are not zero."""
    squares, sums = float(margins.rows["squares"].sum()), margins.rows["sum"]
    return not (isfinite(squares) and isfinite(power.std)) or (
        squares < LEAST * power.n and bool(sums.any())
    )


def _log_rms(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the log of each non-zero line's sum of squares: log RMS up to a constant."""
    return 0.5 * np.log(squares[squares > 0])


def _without_zeros(power: PowerSums, n: int) -> PowerSums:
    """The power sums of the n elements that are left when lines of zeros are taken out."""
    about = power.about(0.0)
    return type(power)(n, 0.0, about.s1, about.s2, about.s3, about.s4)


def _lines(margins: Margins) -> tuple[int, int]:
    return len(margins.rows["squares"]), len(margins.cols["squares"])


def _between(means: NDArray[np.float64], mean: float) -> float:
    return float(((means - mean) ** 2).sum())


def _lag(lines: Mapping[str, NDArray[np.float64]], product: float, length: int) -> float | None:
    """Pearson correlation of all lines but the last with all but the first, from sums; None if they cancel."""
    total, squares = lines["sum"], lines["squares"]
    pairs = (len(total) - 1) * length
    x, y = float(total[:-1].sum()) / pairs, float(total[1:].sum()) / pairs
    var_x, var_y = (
        float(squares[:-1].sum()) / pairs - x * x,
        float(squares[1:].sum()) / pairs - y * y,
    )
    if not (var_x > CANCELS * x * x and var_y > CANCELS * y * y):
        return None
    return min(max((product / pairs - x * y) / (sqrt(var_x) * sqrt(var_y)), -1.0), 1.0)


def _of(evidence: Evidence) -> Mapping[str, object]:
    return iid_readings(evidence.sketches[Lines()], evidence.sketches[Count()].power)


LINES = Statistic(COLUMNS, frozenset({Count(), Lines()}), _of)
