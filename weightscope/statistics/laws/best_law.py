"""Columns of the fits: best law, goodness of the Gaussian, shape parameters, pattern label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...notes import Note, united
from ...sketches import Count
from ..elements.excess_zeros import CENTRE_PRUNED, centre_is_pruned, excess_zeros
from ..statistic import Evidence, Statistic
from .fitting import fit_laws
from .pattern import FEWEST, Filtered, after_filters, labelled

if TYPE_CHECKING:
    from ...sketches import ValueCounts
    from .fitting import Fit, Fits

LEAST_NU = 1.0  # bound of the search
COLUMNS = (
    Column(
        "best",
        "str",
        "law of lowest BIC; the simplest within 0.001 bits per weight",
        shown=True,
        version=2,
    ),
    Column(
        "beta",
        "float",
        "shape of the generalised Gaussian by maximum likelihood (Gaussian: 2, Laplace: 1)",
        "",
        "scipy.stats.gennorm",
        shown=True,
        error="beta_se",
        version=2,
    ),
    Column(
        "beta_se",
        "float",
        "standard error of beta from the curvature of its profile likelihood",
        version=2,
    ),
    Column(
        "nu",
        "float",
        "degrees of freedom of Student's t by maximum likelihood (200: Gaussian), at least 1",
        "",
        "scipy.stats.t",
        version=2,
    ),
    Column(
        "ks_normal",
        "float",
        "greatest distance between the empirical and the fitted Gaussian distribution",
        "",
        "scipy.stats.kstest",
        shown=True,
        version=2,
    ),
    Column(
        "w1_normal",
        "float",
        "Wasserstein-1 distance to the fitted Gaussian",
        "std",
        "scipy.stats.wasserstein_distance",
        version=2,
    ),
    Column(
        "kl_bits_normal",
        "float",
        "information lost by the fitted Gaussian; null below 100 weights",
        "bits/weight",
        version=2,
    ),
    Column("ks_best", "float", "ks of the best law", version=2),
    Column("spike_share", "float", "share of the narrower part of normal_mixture, w"),
    Column("spike_ratio", "float", "sigma2/sigma1 of normal_mixture: from 5 on an inverted T"),
    Column(
        "filtered_beta",
        "float",
        "beta of the weights within 3 sigma and beyond std/1000 (Gaussian: 2.11)",
        "",
        "arXiv 2501.10661",
        error="filtered_beta_se",
    ),
    Column("filtered_beta_se", "float", "standard error of filtered_beta"),
    Column("filtered_std", "float", "std of the same weights", "weight", "arXiv 2501.10661"),
    Column("filtered_kurtosis", "float", "excess kurtosis of the same", "", "arXiv 2501.10661"),
    Column(
        "pattern",
        "str",
        "constant, sparse, inverted-T, none, uniform, sharp, linear, gaussian, heavy or light",
        "",
        "arXiv 2501.10661",
        shown=True,
        version=2,
    ),
)


def _best_law_columns(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    fits = fit_laws(counts)
    filtered, pruned = Filtered(), None
    if centre_is_pruned(counts):
        pruned = CENTRE_PRUNED
    else:
        filtered = after_filters(counts)
    values: dict[str, object] = dict.fromkeys(column.name for column in COLUMNS)
    if fits.best is not None:
        values |= _of_fits(fits, fits.best)
    values |= {
        "filtered_beta": filtered.beta,
        "filtered_beta_se": filtered.beta_se,
        "filtered_std": filtered.std,
        "filtered_kurtosis": filtered.kurtosis,
        "pattern": labelled(counts, fits, filtered),
    }
    values["notes"] = united(
        fits.reason,
        _zeros_left_out(counts),
        pruned,
        _few_weights(counts),
        _beta_at_bound(fits.get("gennorm")),
        nu_at_bound(fits.get("student_t")),
        not_converged(fits.fits.values()),
    )
    return values


def _of_fits(fits: Fits, best: Fit) -> dict[str, object]:
    normal, gennorm, student_t = fits["normal"], fits["gennorm"], fits["student_t"]
    mixture = fits["normal_mixture"].params
    return {
        "best": best.law,
        "ks_best": best.ks,
        "beta": gennorm.params["beta"],
        "beta_se": gennorm.beta_se,
        "nu": student_t.params["nu"],
        "ks_normal": normal.ks,
        "w1_normal": normal.w1,
        "kl_bits_normal": normal.kl_bits,
        "spike_share": mixture["w"],
        "spike_ratio": mixture["sigma2"] / mixture["sigma1"],
    }


def not_converged(fits: Iterable[Fit]) -> Note | None:
    """The note of laws whose search ended before it found a maximum."""
    laws = [fit.law for fit in fits if not fit.converged]
    if not laws:
        return None
    return Note.of("not-converged", "not converged: {laws}", laws=", ".join(laws))


def nu_at_bound(student_t: Fit | None) -> Note | None:
    """The note of a nu that the search could not follow below 1."""
    if student_t is None or student_t.params["nu"] > LEAST_NU:
        return None
    return Note("nu-at-bound", "nu is at the lower bound of its search range, 1")


def _zeros_left_out(counts: ValueCounts) -> Note | None:
    excess = excess_zeros(counts)
    if not excess or counts.zeros == counts.n:
        return None
    return Note.of(
        "zeros-left-out",
        "{percent:.1f}% exact zeros left out of the fits",
        percent=100 * (excess / counts.n),
    )


def _few_weights(counts: ValueCounts) -> Note | None:
    if counts.n == 0 or counts.n >= FEWEST:
        return None
    return Note("few-weights", f"fewer than {FEWEST:,} weights: pattern is null")


def _beta_at_bound(gennorm: Fit | None) -> Note | None:
    if gennorm is None or gennorm.beta_se is not None:
        return None
    return Note("beta-at-bound", "beta is at the bound of its search range: beta_se is null")


BEST_LAW = Statistic(COLUMNS, frozenset({Count()}), _best_law_columns, pools=True)
