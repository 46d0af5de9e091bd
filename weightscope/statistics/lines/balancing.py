"""Unevenness of the row scales a and column scales b of a matrix W_ij = a_i b_j g_ij, by balancing.

Kurtosis, beta and ks are those of the balanced matrix g, from its own counts. Balancing shrinks
isolated outliers too, so each of them stands beside its values after seeded element shuffles:
scales explain the tails where `balanced_beta` exceeds those. Nulls of spreads are those of i.i.d.
Gaussian elements; their scores compare them with the shuffles, which have the measured kurtosis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, notes_of, united
from ...sketches import Balanced, BalancedMatrix, Count, Measure, Shuffled, ValueCounts
from ..drawn import draw_columns, of_draws
from ..elements.moments import moments
from ..laws import LAWS
from ..laws.fitting import fit_laws
from ..statistic import Evidence, Statistic
from .nulls import scale_spread_null
from .spread_law import spread_law, squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPREADS = ("row_scale_spread", "row_scale_spread_null", "col_scale_spread", "col_scale_spread_null")
SCORES = ("row_scale_spread_score", "col_scale_spread_score")
NONE_EXISTS = Note(
    "no-balancing",
    "no balancing exists: row and column scales do not converge (triangular or very sparse)",
)
FEW = Note("few-lines", "fewer than two non-zero rows or columns to balance")
NONFINITE = Note("non-finite", "non-finite elements: not balanced")
AT_BOUND = Note("beta-at-bound", "balanced_beta is at the bound of its search range, 0.1 or 8")
APART = 1 << 32  # between the seeds of shuffles: those of --seed 1 are others than of --seed 0
COLUMNS = (
    # the elements of the balanced matrix
    Column(
        "balanced_kurtosis", "float", "excess kurtosis of the balanced matrix", option="--balance"
    ),
    Column(
        "balanced_kurtosis_null",
        "float",
        "median of the same after element shuffles",
        option="--balance",
    ),
    Column("balanced_beta", "float", "beta of the balanced matrix", shown=True, option="--balance"),
    Column(
        "balanced_beta_null",
        "float",
        "median of the same after element shuffles, without structure",
        shown=True,
        option="--balance",
    ),
    Column("balanced_ks_normal", "float", "ks_normal of the balanced matrix", option="--balance"),
    # the scales that balancing divides by
    Column("row_scale_spread", "float", "sd of the log row scales a", option="--balance"),
    Column(
        "row_scale_spread_null",
        "float",
        "row_scale_spread of i.i.d. Gaussian elements",
        option="--balance",
    ),
    Column(
        "row_scale_spread_score",
        "float",
        "row_scale_spread among element shuffles, as a standard Gaussian",
        option="--balance",
    ),
    Column("col_scale_spread", "float", "sd of the log column scales b", option="--balance"),
    Column(
        "col_scale_spread_null",
        "float",
        "col_scale_spread of i.i.d. Gaussian elements",
        option="--balance",
    ),
    Column(
        "col_scale_spread_score",
        "float",
        "col_scale_spread among element shuffles, as a standard Gaussian",
        option="--balance",
    ),
)


def scale_spreads(matrix: BalancedMatrix) -> Mapping[str, Any]:
    """`row_scale_spread`, `col_scale_spread` = population sd of log a, log b over non-zero lines.

    Nulls sqrt(1/(2n)) and sqrt(1/(2m)) for the m x n lines that are not zero. All are null, with a
    note, without a balanced matrix (200 sweeps did not suffice or max a/min a > 1e6) and with fewer
    than two lines.
    """
    rows, cols = _finite(matrix.log_rows), _finite(matrix.log_cols)
    if min(len(rows), len(cols)) < 2:
        return dict.fromkeys(SPREADS) | {"notes": (FEW,)}
    if not matrix.of:
        return dict.fromkeys(SPREADS) | {"notes": (NONE_EXISTS,)}
    return {
        "row_scale_spread": float(rows.std()),
        "row_scale_spread_null": scale_spread_null(len(cols)),
        "col_scale_spread": float(cols.std()),
        "col_scale_spread_null": scale_spread_null(len(rows)),
    }


def _finite(log_scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """The log scales of the non-zero lines."""
    return log_scales[np.isfinite(log_scales)]


def balanced_elements(seed: int, draws: int = 1) -> Statistic:
    """The statistic of the balanced matrix; `seed` is that of the first of `draws` shuffles."""
    balanced: Measure = Balanced((Count(),))
    # shuffled first, then balanced
    shuffles: list[Measure] = [Shuffled(balanced, seed + i * APART) for i in range(draws)]
    columns: tuple[Column, ...] = COLUMNS
    if draws > 1:
        columns = tuple(_with_draws())

    def values(evidence: Evidence) -> Mapping[str, object]:
        counts = evidence.sketches[Count()]
        if counts.nan or counts.inf:
            return dict.fromkeys(c.name for c in columns) | {"notes": (NONFINITE,)}
        matrix = evidence.sketches[balanced]
        random = [evidence.sketches[measure] for measure in shuffles]
        real = _laws(matrix)
        nulls = [_laws(shuffled) for shuffled in random]
        spreads = scale_spreads(matrix)
        bound = AT_BOUND if real.at_bound else None
        return {
            "balanced_kurtosis": real.kurtosis,
            **of_draws("balanced_kurtosis", real.kurtosis, [null.kurtosis for null in nulls]),
            "balanced_beta": real.beta,
            **of_draws("balanced_beta", real.beta, [null.beta for null in nulls]),
            "balanced_ks_normal": real.ks,
            **spreads,
            **spread_scores(matrix, random, counts),
            "notes": united(notes_of(spreads), bound),
        }

    return Statistic(columns, frozenset({Count(), balanced, *shuffles}), values)


def _with_draws() -> Iterator[Column]:
    """The columns with those of several shuffles."""
    for column in COLUMNS:
        yield column
        if column.name.endswith(("kurtosis_null", "beta_null")):
            yield from draw_columns(replace(column, name=column.null_of), "--draws")


def spread_scores(
    matrix: BalancedMatrix, shuffles: Sequence[BalancedMatrix], counts: ValueCounts
) -> Mapping[str, float | None]:
    """`f_score` of a squared spread over its mean in the k shuffles, of both sides."""
    measured = scale_spreads(matrix)
    random = [scale_spreads(shuffled) for shuffled in shuffles]
    m, n = len(_finite(matrix.log_rows)), len(_finite(matrix.log_cols))
    found: dict[str, float | None] = dict.fromkeys(SCORES)
    for side, lines, length in (("row", m, n), ("col", n, m)):
        name = f"{side}_scale_spread"
        spreads = [spread[name] for spread in random]
        if measured[name] is None or None in spreads:
            continue
        square = float(np.mean(np.square(spreads)))
        if square > 0:
            freedom = _freedom(counts, lines, length)
            ratio = measured[name] ** 2 / square
            found[f"{name}_score"] = f_score(ratio, freedom, freedom * len(spreads))
    return found


def f_score(ratio: float, above: float, below: float) -> float:
    """The normal quantile of an F-distributed ratio, by Wilson and Hilferty 1931.

    A ratio of two mean squares with these degrees of freedom. It is at most 3 sqrt(below/2), which
    the uncertainty of the lower one allows.

    >>> round(f_score(1.0, 63, 63), 6), round(f_score(2.114, 63, 63), 1)
    (0.0, 2.9)
    """
    root: float = ratio ** (1 / 3)
    of_above, of_below = 2 / (9 * above), 2 / (9 * below)
    distance = (1 - of_below) * root - (1 - of_above)
    return distance / sqrt(of_below * root * root + of_above)


def _freedom(counts: ValueCounts, lines: int, length: int) -> float:
    """Degrees of freedom of the variance of log scales of elements in random order.

    A far outlier fixes part of a plain spread, which then varies less than that of Gaussian lines.
    Balancing divides its energy between its row and its column; between equal sides nothing of
    this is left, and a much shorter line has it all. In between the logarithms of both degrees of
    freedom are interpolated (ours), checked by tests/truth/calibration_lines.py.
    """
    freedom = lines - 1.0
    if lines <= length:
        return freedom
    plain = spread_law(squares(counts, lines * length), lines, length)
    if plain is None:
        return freedom
    shorter = (lines - length) / (lines + length)
    mixed: float = freedom ** (1 - shorter) * plain.freedom**shorter
    return mixed


@dataclass(frozen=True)
class _Laws:
    """Kurtosis, beta and ks_normal, and whether beta is a bound of its search."""

    kurtosis: float | None
    beta: float | None
    ks: float | None
    at_bound: bool


def _laws(matrix: BalancedMatrix) -> _Laws:
    """Those of a balanced matrix; null where no balancing exists."""
    counts = matrix.of[0] if matrix.of else ValueCounts()  # no law fits empty counts
    fits = fit_laws(counts, [law for law in LAWS if law.name in ("normal", "gennorm")])
    normal, gennorm = fits.get("normal"), fits.get("gennorm")
    return _Laws(
        kurtosis=moments(counts)["kurtosis"],
        beta=gennorm.params["beta"] if gennorm else None,
        ks=normal.ks if normal else None,
        at_bound=gennorm is not None and gennorm.at_bound,
    )
