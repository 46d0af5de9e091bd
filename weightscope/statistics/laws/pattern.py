"""The pattern label of arXiv 2501.10661: the shape of a tensor by the first rule that applies.

The paper gives no thresholds; these are ours, tuned on simulated laws (`docs/confusion.py`
counts how often they hold). beta is that of the weights after both filters of the paper, so that a
few outliers do not decide the shape. Null below 1,000 weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

from ...sketches.quantiles import resolved, spread_over_cells
from ..elements.excess_zeros import fitted_weights, pruned_zeros
from ..elements.filters import both_filters
from ..elements.largest_z import max_z, max_z_null
from ..elements.moments import moments
from .cells import WIDEST
from .fitting import Fits, shape_of
from .gennorm import Gennorm

if TYPE_CHECKING:
    from ...sketches.value_counts import ValueCounts

GENNORM = Gennorm()
FEWEST = 1000  # weights below which there is no label
NO_LAW = 0.03  # ks of the best law, plus 1/sqrt(N), above which no law describes the weights
SPIKE_RATIO = 5.0  # sigma2/sigma1 of an inverted T, at least
BASE = 0.05  # share of its base, at least: fewer far weights are outliers
NO_SPIKE = 0.1  # ks of the best law: above, not even a spike on a base
SHARP = 1.07  # beta after both filters of a true 0.9
LINEAR = 1.28  # of a true 1.1
GAUSSIAN = 2.11  # of a true 2
NEAR = 0.1  # greatest distance of beta from that, plus ERRORS standard errors
ERRORS = 2.0
OUTLIERS = 2.0  # max_z over its expectation for a Gaussian


@dataclass(frozen=True, kw_only=True)
class Filtered:
    """The weights after both filters; None where they have no value."""

    beta: float | None = None  # of gennorm
    beta_se: float | None = None
    std: float | None = None
    kurtosis: float | None = None


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Input of the rules; None where a value could not be computed."""

    n: int  # finite weights
    distinct: int | None  # None: more than were counted
    zeros: int  # of pruning
    best: str | None  # law of lowest BIC
    ks_best: float | None
    spike_share: float | None  # w of normal_mixture, and sigma2/sigma1
    spike_ratio: float | None
    beta: float | None  # of gennorm, after both filters
    beta_se: float | None
    kurtosis: float | None
    max_z: float | None
    max_z_null: float | None


def pattern(traits: Traits) -> str | None:
    """The label, perhaps with `+outliers`; None below 1,000 weights and where no rule applies.

    Labels: `constant`, `sparse`, `inverted-T`, `none`, `uniform`, `sharp`, `linear`, `gaussian`,
    `heavy`, `light`.
    """
    if traits.n < FEWEST:
        return None
    if traits.distinct == 1:
        return "constant"
    label = _first_label(traits)
    if label is not None and _has_outliers(traits):
        label += "+outliers"
    return label


def labelled(counts: ValueCounts, fits: Fits, filtered: Filtered) -> str | None:
    """The pattern label from counts and fits; None where bins are too wide for a law."""
    best, mixture = fits.best, fits.get("normal_mixture")
    if best is None and not spread_over_cells(counts, WIDEST):
        return None
    spike_share = spike_ratio = None
    if mixture is not None:
        spike_share = mixture.params["w"]
        spike_ratio = mixture.params["sigma2"] / mixture.params["sigma1"]
    traits = Traits(
        n=counts.n,
        distinct=counts.distinct,
        zeros=pruned_zeros(counts),
        best=best.law if best else None,
        ks_best=best.ks if best else None,
        spike_share=spike_share,
        spike_ratio=spike_ratio,
        beta=filtered.beta,
        beta_se=filtered.beta_se,
        kurtosis=moments(counts)["kurtosis"],
        max_z=max_z(counts),
        max_z_null=max_z_null(counts.n),
    )
    return pattern(traits)


def after_filters(counts: ValueCounts) -> Filtered:
    """A generalised Gaussian fitted to the weights that pass both filters, and their moments."""
    if not resolved(counts):
        return Filtered()
    weights = fitted_weights(counts)
    if not resolved(weights):
        # A lattice in bins: cells are a step wide, and the middles of the bins are its values.
        weights = replace(weights, exact=True)
    passed = both_filters(weights)
    if passed is None:
        return Filtered()
    after = moments(passed)
    shape = shape_of(passed, GENNORM, "beta")
    if shape is None:
        return Filtered(std=after["std"], kurtosis=after["kurtosis"])
    beta, error = shape
    return Filtered(beta=beta, beta_se=error, std=after["std"], kurtosis=after["kurtosis"])


def _first_label(t: Traits) -> str | None:
    """The rules in their order; a rule whose value is unknown does not apply."""
    if t.zeros:
        return "sparse"
    if _is_spike_on_base(t):
        return "inverted-T"
    if _above(t.ks_best, NO_LAW + 1 / sqrt(t.n)):
        return "none"
    if t.best == "uniform":
        return "uniform"
    if t.beta is None:
        return _by_kurtosis(t.kurtosis)
    if t.beta < SHARP:
        return "sharp"
    if t.beta < LINEAR:
        return "linear"
    if abs(t.beta - GAUSSIAN) < NEAR + ERRORS * (t.beta_se or 0.0):
        return "gaussian"
    if t.beta < GAUSSIAN:
        return "heavy"
    return "light"


def _is_spike_on_base(t: Traits) -> bool:
    """The best law is a mixture of a spike and a base at least five times as wide."""
    base = t.spike_share is not None and 1 - t.spike_share >= BASE
    wide = t.spike_ratio is not None and t.spike_ratio >= SPIKE_RATIO
    return t.best == "normal_mixture" and base and wide and _below(t.ks_best, NO_SPIKE)


def _by_kurtosis(kurtosis: float | None) -> str | None:
    if kurtosis is None:
        return None
    if kurtosis > 0:
        return "heavy"
    return "light"


def _has_outliers(t: Traits) -> bool:
    if t.max_z_null is None:
        return False
    return _above(t.max_z, OUTLIERS * t.max_z_null)


def _above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit
