"""Columns of `--balance`: the law of the core that is left when row and column scales are divided out.

Balancing shrinks isolated outliers too, so each reading stands beside the same after one seeded element shuffle: scales
explain the tails where `balanced_beta` rises above that.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...sketches import Balanced, Core, Count, Measure, Shuffled, ValueCounts
from ..balancing import scale_spreads
from ..fitting import fit_laws
from ..laws import LAWS
from ..moments import moments
from ..statistic import Evidence, Statistic

COLUMNS = (
    Column("balanced_kurtosis", "float", "excess kurtosis of the balanced core", option="--balance"),
    Column("balanced_kurtosis_null", "float", "the same after one element shuffle", option="--balance"),
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
        "row_scale_spread_null", "float", "what i.i.d. Gaussian elements give for row_scale_spread", option="--balance"
    ),
    Column("col_scale_spread", "float", "sd of the log column scales b", option="--balance"),
    Column(
        "col_scale_spread_null", "float", "what i.i.d. Gaussian elements give for col_scale_spread", option="--balance"
    ),
)


def core(seed: int) -> Statistic:
    """The statistic of the balanced core; its shuffle null is drawn with `seed`."""
    balanced: Measure = Balanced((Count(),))
    shuffled: Measure = Shuffled(balanced, seed)

    def of(evidence: Evidence) -> Mapping[str, object]:
        if evidence.sketches[Count()].nan or evidence.sketches[Count()].inf:
            return dict.fromkeys(c.name for c in COLUMNS) | {"note": "non-finite elements: not balanced"}
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
