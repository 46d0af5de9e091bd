"""Columns of the fits: best law, goodness of the Gaussian, shape parameters, pattern label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...notes import Note, united
from ...sketches import Count
from ..elements.excess_zeros import excess_zeros
from ..statistic import Evidence, Statistic
from .fitting import fit_laws
from .pattern import FEWEST, labelled

if TYPE_CHECKING:
    from ...sketches import ValueCounts
    from .fitting import Fit, Fits

COLUMNS = (
    Column(
        "best", "str", "law of lowest BIC; the simplest within 0.001 bits per weight", shown=True
    ),
    Column(
        "beta",
        "float",
        "shape of the generalised Gaussian by maximum likelihood (Gaussian: 2, Laplace: 1)",
        "",
        "scipy.stats.gennorm",
        shown=True,
        error="beta_se",
    ),
    Column(
        "beta_se", "float", "standard error of beta from the curvature of its profile likelihood"
    ),
    Column(
        "nu",
        "float",
        "degrees of freedom of Student's t by maximum likelihood (200: Gaussian)",
        "",
        "scipy.stats.t",
    ),
    Column(
        "ks_normal",
        "float",
        "greatest distance between the empirical and the fitted Gaussian distribution",
        "",
        "scipy.stats.kstest",
        shown=True,
    ),
    Column(
        "w1_normal",
        "float",
        "Wasserstein-1 distance to the fitted Gaussian",
        "std",
        "scipy.stats.wasserstein_distance",
    ),
    Column("kl_bits_normal", "float", "information lost by the fitted Gaussian", "bits/weight"),
    Column("ks_best", "float", "ks of the best law"),
    Column(
        "pattern",
        "str",
        "gaussian, sharp, linear, inverted-T, uniform, constant, heavy or light",
        "",
        "arXiv 2501.10661",
        shown=True,
    ),
)


def _best_law_columns(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    fits = fit_laws(counts)
    values: dict[str, object] = dict.fromkeys(column.name for column in COLUMNS)
    if fits.best is not None:
        values |= _of_fits(fits, fits.best)
    values["pattern"] = labelled(counts, fits)
    bound = _beta_at_bound(fits.get("gennorm"))
    values["notes"] = united(fits.reason, _zeros_left_out(counts), _few_weights(counts), bound)
    return values


def _of_fits(fits: Fits, best: Fit) -> dict[str, object]:
    normal, gennorm, student_t = fits["normal"], fits["gennorm"], fits["student_t"]
    return {
        "best": best.law,
        "ks_best": best.ks,
        "beta": gennorm.params["beta"],
        "beta_se": gennorm.beta_se,
        "nu": student_t.params["nu"],
        "ks_normal": normal.ks,
        "w1_normal": normal.w1,
        "kl_bits_normal": normal.kl_bits,
    }


def _zeros_left_out(counts: ValueCounts) -> Note | None:
    if not excess_zeros(counts) or counts.zeros == counts.n:
        return None
    return Note.of(
        "zeros-left-out",
        "{percent:.1f}% exact zeros left out of the fits",
        percent=100 * (counts.zeros / counts.n),
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
