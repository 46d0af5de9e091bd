"""The pattern label of arXiv 2501.10661: the shape of a tensor by the first rule that applies.

The paper gives no thresholds; these are ours, tuned on simulated laws. z is about the median in
units of iqr/1.349, so that outliers do not widen the unit they are measured in. Null below 1,000
weights.
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

FEWEST = 1000  # weights below which there is no label
CENTRE = 0.05  # |z| of the narrow centre of an inverted T
CENTRE_OF_NORMAL = 0.0399  # P(|z| < 0.05) of a Gaussian
CENTRE_TIMES = 3.0  # least share of an inverted T in the centre, over that of a Gaussian
FAR = 8.0  # |z| from which the bar of an inverted T begins
FAR_SHARE = 1e-5  # least share in the bar
SHARP = 1.07  # beta after both filters of a true 0.9
LINEAR = 1.28  # of a true 1.1
KS_NORMAL = 0.02  # plus 1/sqrt(N)
TRIMMED_KURTOSIS = 1.0  # greatest distance from that of a trimmed Gaussian
OUTLIERS = 2.0  # max_z over its expectation for a Gaussian


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Input of the rules; None where a value could not be computed."""

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
    """The label, perhaps with `+outliers`; None below 1,000 weights and where no rule applies.

    Labels: `constant`, `uniform`, `inverted-T`, `sharp`, `linear`, `gaussian`, `heavy`, `light`.
    """
    if traits.n < FEWEST:
        return None
    if traits.distinct == 1:
        return "constant"
    label = _first_label(traits)
    if label is not None and _has_outliers(traits):
        label += "+outliers"
    return label


def labelled(counts: ValueCounts, fits: Fits) -> str | None:
    """The pattern label from counts and fits; None where bins are too wide for a law."""
    if fits.best is None and not spread_over_cells(counts, WIDEST):
        return None
    normal = fits.get("normal")
    traits = Traits(
        n=counts.n,
        distinct=counts.distinct,
        best=fits.best.law if fits.best else None,
        ks_normal=normal.ks if normal else None,
        beta=_filtered_beta(counts),
        trimmed_kurtosis=trimmed(counts)["trimmed_kurtosis"],
        kurtosis=moments(counts)["kurtosis"],
        central=central_share(counts),
        far=far_share(counts),
        max_z=max_z(counts),
        max_z_null=max_z_null(counts.n),
    )
    return pattern(traits)


def _filtered_beta(counts: ValueCounts) -> float | None:
    """beta of a generalised Gaussian fitted to the weights that pass both filters."""
    filtered = both_filters(counts)
    if filtered is None:
        return None
    gennorm = [law for law in LAWS if law.name == "gennorm"]
    fit = fit_laws(filtered, gennorm).get("gennorm")
    if fit is None:
        return None
    return fit.params["beta"]


def central_share(counts: ValueCounts) -> float | None:
    """P(|z| < 0.05); a Gaussian has 0.0399."""
    z = _robust_z(counts)
    if z is None:
        return None
    return float(counts.counts[z < CENTRE].sum() / counts.n)


def far_share(counts: ValueCounts) -> float | None:
    """Share of weights beyond |z| = 8."""
    z = _robust_z(counts)
    if z is None:
        return None
    return float(counts.counts[z > FAR].sum() / counts.n)


def _first_label(t: Traits) -> str | None:
    """The rules in their order; a rule whose value is unknown does not apply."""
    narrow_centre = _above(t.central, CENTRE_TIMES * CENTRE_OF_NORMAL)
    if t.best == "uniform":
        return "uniform"
    if narrow_centre and _above(t.far, FAR_SHARE):
        return "inverted-T"
    if _below(t.beta, SHARP):
        return "sharp"
    if _below(t.beta, LINEAR):
        return "linear"
    if _near_normal(t):
        return "gaussian"
    if _above(t.kurtosis, 0.0):
        return "heavy"
    if t.kurtosis is not None:
        return "light"
    return None


def _near_normal(t: Traits) -> bool:
    if t.trimmed_kurtosis is None:
        return False
    near_trimmed = abs(t.trimmed_kurtosis - TRIMMED_GAUSSIAN_KURTOSIS) < TRIMMED_KURTOSIS
    return near_trimmed and _below(t.ks_normal, KS_NORMAL + 1 / sqrt(t.n))


def _has_outliers(t: Traits) -> bool:
    if t.max_z_null is None:
        return False
    return _above(t.max_z, OUTLIERS * t.max_z_null)


def _above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def _robust_z(counts: ValueCounts) -> NDArray[np.float64] | None:
    """|z| of each cell; if the interquartile range is 0, 0 at the median and infinity elsewhere."""
    middle, scale = median(counts), robust_std(counts)
    if middle is None or scale is None:
        return None
    distance = np.abs(counts.value - middle)
    if scale > 0:
        with np.errstate(over="ignore"):  # 1e308 beside a scale below 1: Inf is far out too
            return distance / scale
    return np.where(distance > 0, np.inf, 0.0)
