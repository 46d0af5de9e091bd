"""Columns of the fitted laws: the best one, how well the Gaussian does, shape parameters, and the pattern label."""

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
    from .fitting import Fit

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


def _of(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    fits = fit_laws(counts)
    best, normal, gennorm, t = (
        fits.best,
        fits.get("normal"),
        fits.get("gennorm"),
        fits.get("student_t"),
    )
    return {
        "best": best and best.law,
        "ks_best": best and best.ks,
        "beta": gennorm and gennorm.params["beta"],
        "beta_se": gennorm and gennorm.beta_se,
        "nu": t and t.params["nu"],
        "ks_normal": normal and normal.ks,
        "w1_normal": normal and normal.w1,
        "kl_bits_normal": normal and normal.kl_bits,
        "pattern": labelled(counts, fits),
        "notes": united(fits.reason, _zeros(counts), _few(counts), _bound(gennorm)),
    }


def _zeros(counts: ValueCounts) -> Note | None:
    share = counts.zeros / counts.n if counts.n else 0
    if not excess_zeros(counts) or share == 1:
        return None
    return Note.of(
        "zeros-left-out", "{percent:.1f}% exact zeros left out of the fits", percent=100 * share
    )


def _few(counts: ValueCounts) -> Note | None:
    few = 0 < counts.n < FEWEST
    return Note("few-weights", f"fewer than {FEWEST:,} weights: no pattern") if few else None


def _bound(gennorm: Fit | None) -> Note | None:
    ended = gennorm is not None and gennorm.beta_se is None
    return Note("beta-at-bound", "beta ended at its bound") if ended else None


BEST_LAW = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
