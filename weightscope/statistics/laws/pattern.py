"""The pattern label of arXiv 2501.10661: which of its shapes a tensor shows, by the first rule that holds.

The paper leaves its thresholds open; these are ours, tuned on simulated laws. z is about the median in units of
iqr/1.349, so that no outlier hides itself. Null below 1,000 weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...sketches.quantiles import median, robust_std, spread_over_cells
from ..elements.filters import TRIMMED_GAUSSIAN_KURTOSIS, both_filters, trimmed
from ..elements.largest_z import max_z, max_z_null
from ..elements.moments import moments
from .cells import WIDEST
from .fitting import Fits, fit_laws
from .members import LAWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

FEWEST = 1000  # weights below which no label is given
CENTRE = 0.05  # z: half width of the middle that an inverted T overfills
CENTRE_OF_NORMAL = 0.0399  # P(|z| < 0.05) of a Gaussian
CENTRE_TIMES = 3.0  # how many times over
FAR = 8.0  # z: where the bar of the inverted T is looked for
FAR_SHARE = 1e-5  # and how much of it there must be
SHARP = 1.07  # beta after both filters of a true 0.9
LINEAR = 1.28  # of a true 1.1
KS_NORMAL = 0.02  # plus 1/sqrt(N)
TRIMMED_KURTOSIS = 1.0  # distance from that of a trimmed Gaussian
OUTLIERS = 2.0  # max_z in units of what chance gives


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What the label looks at; None where it could not be computed."""

    n: int  # finite weights
    distinct: int | None  # None: more than were counted
    best: str | None  # law of lowest BIC
    ks_normal: float | None
    beta: float | None  # of gennorm, after both filters
    trimmed_kurtosis: float | None
    kurtosis: float | None
    central: float | None  # central_share
    far: float | None  # far_share
    max_z: float | None
    max_z_null: float | None


def pattern(traits: Traits) -> str | None:
    """`constant`, `uniform`, `inverted-T`, `sharp`, `linear`, `gaussian`, `heavy` or `light`, perhaps `+outliers`.

    None below 1,000 weights and where no rule can be decided.
    """
    if traits.n < FEWEST:
        return None
    if traits.distinct == 1:
        return "constant"
    label = _label(traits)
    return label and label + ("+outliers" if _outlying(traits) else "")


def labelled(counts: ValueCounts, fits: Fits) -> str | None:
    """The pattern label of a tensor from its counts and fits; None where bins show no law."""
    if fits.best is None and not spread_over_cells(counts, WIDEST):
        return None
    filtered = both_filters(counts)
    refit = (
        fit_laws(filtered, [law for law in LAWS if law.name == "gennorm"]).get("gennorm")
        if filtered
        else None
    )
    best, normal = fits.best, fits.get("normal")
    return pattern(
        Traits(
            n=counts.n,
            distinct=counts.distinct,
            best=best.law if best else None,
            ks_normal=normal.ks if normal else None,
            beta=refit.params["beta"] if refit else None,
            trimmed_kurtosis=trimmed(counts)["trimmed_kurtosis"],
            kurtosis=moments(counts)["kurtosis"],
            central=central_share(counts),
            far=far_share(counts),
            max_z=max_z(counts),
            max_z_null=max_z_null(counts.n),
        )
    )


def central_share(counts: ValueCounts) -> float | None:
    """P(|z| < 0.05); a Gaussian has 0.0399."""
    z = _robust_z(counts)
    return None if z is None else float(counts.counts[z < CENTRE].sum() / counts.n)


def far_share(counts: ValueCounts) -> float | None:
    """Share of weights beyond |z| = 8."""
    z = _robust_z(counts)
    return None if z is None else float(counts.counts[z > FAR].sum() / counts.n)


def _label(t: Traits) -> str | None:
    rules = (
        ("uniform", t.best == "uniform"),
        (
            "inverted-T",
            _above(t.central, CENTRE_TIMES * CENTRE_OF_NORMAL) and _above(t.far, FAR_SHARE),
        ),
        ("sharp", _below(t.beta, SHARP)),
        ("linear", _below(t.beta, LINEAR)),
        (
            "gaussian",
            _below(t.ks_normal, KS_NORMAL + 1 / sqrt(t.n)) and _near_trimmed(t.trimmed_kurtosis),
        ),
        ("heavy", _above(t.kurtosis, 0.0)),
        ("light", t.kurtosis is not None),
    )
    return next((label for label, holds in rules if holds), None)


def _near_trimmed(kurtosis: float | None) -> bool:
    return kurtosis is not None and abs(kurtosis - TRIMMED_GAUSSIAN_KURTOSIS) < TRIMMED_KURTOSIS


def _outlying(t: Traits) -> bool:
    return t.max_z_null is not None and _above(t.max_z, OUTLIERS * t.max_z_null)


def _above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def _robust_z(counts: ValueCounts) -> NDArray[np.float64] | None:
    """|z| of each cell; with no quartile distance the median has 0 and everything else infinity."""
    middle, scale = median(counts), robust_std(counts)
    if middle is None or scale is None:
        return None
    off = np.abs(counts.value - middle)
    return off / scale if scale > 0 else np.where(off > 0, np.inf, 0.0)
