"""What balancing says of a matrix W_ij = a_i b_j g_ij: how uneven its row scales a and column scales b are.

Nulls are those of i.i.d. Gaussian elements. Kurtosis, beta and ks of the core g come from the core's own counts.
Balancing shrinks isolated outliers too, so each of these stands beside the same after one seeded element shuffle:
scales explain the tails where `balanced_beta` rises above that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes
from ...sketches import Balanced, Core, Count, Measure, Shuffled, ValueCounts
from ..elements.moments import moments
from ..laws import LAWS
from ..laws.fitting import fit_laws
from ..statistic import Evidence, Statistic
from .nulls import scale_spread_null

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPREADS = ("row_scale_spread", "row_scale_spread_null", "col_scale_spread", "col_scale_spread_null")
NONE_EXISTS = Note(
    "no-balancing", "no balancing exists: scales do not settle (triangular or very sparse)"
)
FEW = Note("few-lines", "fewer than two non-zero rows or columns to balance")
NONFINITE = Note("non-finite", "non-finite elements: not balanced")
COLUMNS = (
    Column(
        "balanced_kurtosis", "float", "excess kurtosis of the balanced core", option="--balance"
    ),
    Column(
        "balanced_kurtosis_null", "float", "the same after one element shuffle", option="--balance"
    ),
    Column("balanced_beta", "float", "beta of the balanced core", shown=True, option="--balance"),
    Column(
        "balanced_beta_null",
        "float",
        "the same after one element shuffle: what no structure gives",
        shown=True,
        option="--balance",
    ),
    Column("balanced_ks_normal", "float", "ks_normal of the balanced core", option="--balance"),
    Column("row_scale_spread", "float", "sd of the log row scales a", option="--balance"),
    Column(
        "row_scale_spread_null",
        "float",
        "what i.i.d. Gaussian elements give for row_scale_spread",
        option="--balance",
    ),
    Column("col_scale_spread", "float", "sd of the log column scales b", option="--balance"),
    Column(
        "col_scale_spread_null",
        "float",
        "what i.i.d. Gaussian elements give for col_scale_spread",
        option="--balance",
    ),
)


def scale_spreads(core: Core) -> Mapping[str, float | Notes | None]:
    """`row_scale_spread`, `col_scale_spread` = population sd of log a and log b over non-zero lines.

    Nulls sqrt(1/(2n)) and sqrt(1/(2m)) for the m x n lines that are not zero; null, with a note, where the core is
    missing (`of` is empty: 200 sweeps did not suffice or max a/min a > 1e6) or fewer than two lines are left.
    """
    rows, cols = _scaled(core.log_rows), _scaled(core.log_cols)
    if min(len(rows), len(cols)) < 2:
        return dict.fromkeys(SPREADS) | {"notes": (FEW,)}
    if not core.of:
        return dict.fromkeys(SPREADS) | {"notes": (NONE_EXISTS,)}
    found = (
        float(rows.std()),
        scale_spread_null(len(cols)),
        float(cols.std()),
        scale_spread_null(len(rows)),
    )
    return dict(zip(SPREADS, found, strict=True))


def _scaled(log_scales: NDArray[np.float64]) -> NDArray[np.float64]:
    return log_scales[np.isfinite(log_scales)]


def core(seed: int) -> Statistic:
    """The statistic of the balanced core; its shuffle null is drawn with `seed`."""
    balanced: Measure = Balanced((Count(),))
    shuffled: Measure = Shuffled(balanced, seed)

    def of(evidence: Evidence) -> Mapping[str, object]:
        if evidence.sketches[Count()].nan or evidence.sketches[Count()].inf:
            return dict.fromkeys(c.name for c in COLUMNS) | {"notes": (NONFINITE,)}
        real, null = _law(evidence.sketches[balanced]), _law(evidence.sketches[shuffled])
        return {
            "balanced_kurtosis": real["kurtosis"],
            "balanced_kurtosis_null": null["kurtosis"],
            "balanced_beta": real["beta"],
            "balanced_beta_null": null["beta"],
            "balanced_ks_normal": real["ks"],
            **scale_spreads(evidence.sketches[balanced]),
        }

    return Statistic(COLUMNS, frozenset({Count(), balanced, shuffled}), of)


def _law(found: Core) -> dict[str, float | None]:
    """Kurtosis, beta and ks_normal of a core; nulls where there is none."""
    counts = found.of[0] if found.of else ValueCounts()
    fits = fit_laws(counts, [law for law in LAWS if law.name in ("normal", "gennorm")])
    normal, gennorm = fits.get("normal"), fits.get("gennorm")
    return {
        "kurtosis": moments(counts)["kurtosis"],
        "beta": gennorm.params["beta"] if gennorm else None,
        "ks": normal.ks if normal else None,
    }
