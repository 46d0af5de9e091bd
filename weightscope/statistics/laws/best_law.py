"""Columns of the fitted laws: the best one, how well the Gaussian does, shape parameters, and the pattern label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...columns import Column
from ...sketches import Count
from ..elements.excess_zeros import excess_zeros
from ..statistic import Evidence, Statistic
from .fitting import fit_laws
from .pattern import FEWEST, labelled

if TYPE_CHECKING:
    from ...sketches import ValueCounts
    from .fitting import Fit

COLUMNS = (
    Column("best", "str", "law of lowest BIC; the simplest within 0.001 bits per weight", shown=True),
    Column(
        "beta",
        "float",
        "shape of the generalised Gaussian by maximum likelihood (Gaussian: 2, Laplace: 1)",
        "",
        "scipy.stats.gennorm",
        shown=True,
        error="beta_se",
    ),
    Column("beta_se", "float", "standard error of beta from the curvature of its profile likelihood"),
    Column(
        "nu", "float", "degrees of freedom of Student's t by maximum likelihood (200: Gaussian)", "", "scipy.stats.t"
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
        "w1_normal", "float", "Wasserstein-1 distance to the fitted Gaussian", "std", "scipy.stats.wasserstein_distance"
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
    best, normal, gennorm, t = fits.best, fits.get("normal"), fits.get("gennorm"), fits.get("student_t")
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
        "note": "; ".join(n for n in (fits.reason, _zeros(counts), _few(counts), _bound(gennorm)) if n),
    }


def _zeros(counts: ValueCounts) -> str:
    share = counts.zeros / counts.n if counts.n else 0
    return f"{share:.1%} exact zeros left out of the fits" if excess_zeros(counts) and share < 1 else ""


def _few(counts: ValueCounts) -> str:
    return f"fewer than {FEWEST:,} weights: no pattern" if 0 < counts.n < FEWEST else ""


def _bound(gennorm: Fit | None) -> str:
    return "beta ended at its bound" if gennorm and gennorm.beta_se is None else ""


BEST_LAW = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
