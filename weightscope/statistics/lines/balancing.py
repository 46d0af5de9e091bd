"""Unevenness of the row scales a and column scales b of a matrix W_ij = a_i b_j g_ij, by balancing.

Nulls are those of i.i.d. Gaussian elements. Kurtosis, beta and ks are those of the balanced matrix
g, from its own counts. Balancing shrinks isolated outliers too, so each of them stands beside its
value after one seeded element shuffle: scales explain the tails where `balanced_beta` exceeds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes
from ...sketches import Balanced, BalancedMatrix, Count, Measure, Shuffled, ValueCounts
from ..elements.moments import moments
from ..laws import LAWS
from ..laws.fitting import fit_laws
from ..statistic import Evidence, Statistic
from .nulls import scale_spread_null

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPREADS = ("row_scale_spread", "row_scale_spread_null", "col_scale_spread", "col_scale_spread_null")
NONE_EXISTS = Note(
    "no-balancing",
    "no balancing exists: row and column scales do not converge (triangular or very sparse)",
)
FEW = Note("few-lines", "fewer than two non-zero rows or columns to balance")
NONFINITE = Note("non-finite", "non-finite elements: not balanced")
COLUMNS = (
    # the elements of the balanced matrix
    Column(
        "balanced_kurtosis", "float", "excess kurtosis of the balanced matrix", option="--balance"
    ),
    Column(
        "balanced_kurtosis_null", "float", "the same after one element shuffle", option="--balance"
    ),
    Column("balanced_beta", "float", "beta of the balanced matrix", shown=True, option="--balance"),
    Column(
        "balanced_beta_null",
        "float",
        "the same after one element shuffle, without structure",
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
    Column("col_scale_spread", "float", "sd of the log column scales b", option="--balance"),
    Column(
        "col_scale_spread_null",
        "float",
        "col_scale_spread of i.i.d. Gaussian elements",
        option="--balance",
    ),
)


def scale_spreads(matrix: BalancedMatrix) -> Mapping[str, float | Notes | None]:
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


def balanced_elements(seed: int) -> Statistic:
    """The statistic of the balanced matrix; `seed` is that of the element shuffle."""
    balanced: Measure = Balanced((Count(),))
    shuffled: Measure = Shuffled(balanced, seed)  # shuffled first, then balanced

    def values(evidence: Evidence) -> Mapping[str, object]:
        counts = evidence.sketches[Count()]
        if counts.nan or counts.inf:
            return dict.fromkeys(c.name for c in COLUMNS) | {"notes": (NONFINITE,)}
        real = _laws(evidence.sketches[balanced])
        null = _laws(evidence.sketches[shuffled])
        return {
            "balanced_kurtosis": real["kurtosis"],
            "balanced_kurtosis_null": null["kurtosis"],
            "balanced_beta": real["beta"],
            "balanced_beta_null": null["beta"],
            "balanced_ks_normal": real["ks"],
            **scale_spreads(evidence.sketches[balanced]),
        }

    return Statistic(COLUMNS, frozenset({Count(), balanced, shuffled}), values)


def _laws(matrix: BalancedMatrix) -> dict[str, float | None]:
    """Kurtosis, beta and ks_normal of a balanced matrix; null where no balancing exists."""
    counts = matrix.of[0] if matrix.of else ValueCounts()  # no law fits empty counts
    fits = fit_laws(counts, [law for law in LAWS if law.name in ("normal", "gennorm")])
    normal, gennorm = fits.get("normal"), fits.get("gennorm")
    return {
        "kurtosis": moments(counts)["kurtosis"],
        "beta": gennorm.params["beta"] if gennorm else None,
        "ks": normal.ks if normal else None,
    }
