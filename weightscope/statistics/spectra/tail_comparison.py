"""Which law a tail follows: likelihood ratios of the power law against three others.

Vuong's normalised ratio R/(sqrt(n) sd) of arXiv 0706.1062, appendix C, as the package `powerlaw`
has it: above 0 the power law is likelier. The start of the tail is the one that suits the power law
best, so its law is named only where the ratios leave no doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, log, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...notes import Note
from .power_law import PowerLaw
from .tail_laws import (
    exponential_densities,
    log_normal_densities,
    power_law_densities,
    score_against_log_normal,
    truncated_densities,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREFERRED = -0.9  # of the ratio: 5 to 10% of 5,000 Pareto tails, 45 to 99% of others (simulated)
ROUNDING = 1e-7  # of a sum of log ratios: none is likelier
WIDEST = 300.0  # of ln(x/xmin): beyond it squares of x/xmin leave float64
EXPONENTIAL = "exponential"
LOG_NORMAL = "lognormal"
TRUNCATED = "truncated"
POWER_LAW = "power_law"
UNDECIDED = "undecided"
WORDS = {
    EXPONENTIAL: "an exponential",
    LOG_NORMAL: "a log-normal",
    TRUNCATED: "a truncated power law",
}


@dataclass(frozen=True)
class Ratio:
    """Log-likelihood ratio R of the power law to another law, normalised, and its p-value."""

    total: float
    normalised: float
    p: float


@dataclass(frozen=True)
class Comparison:
    """Ratios to the log-normal, the exponential and the truncated power law on the same tail."""

    log_normal: Ratio
    exponential: Ratio
    truncated: Ratio


def comparison(eigenvalues: NDArray[np.float64], xmin: float) -> Comparison | None:
    """The ratios on the eigenvalues from `xmin` on.

    None where all are equal up to rounding or span more than e^300. Equals `powerlaw` 2.0.0's
    `distribution_compare(..., normalized_ratio=True)`.
    """
    tail = eigenvalues[eigenvalues >= xmin]
    width = log(float(tail.max(initial=xmin))) - log(xmin)
    if not 0 < width < WIDEST:
        return None
    y = np.log(tail / xmin)
    law = power_law_densities(y)
    return Comparison(
        _log_normal(y, law),
        _independent(law - exponential_densities(y)),
        _nested(law - truncated_densities(y)),
    )


def _log_normal(y: NDArray[np.float64], law: NDArray[np.float64]) -> Ratio:
    """The ratio to the likeliest log-normal; where that is the power law, the limit of ratios."""
    other = log_normal_densities(y)
    if other is None:
        limit = _independent(score_against_log_normal(y))
        return Ratio(0.0, limit.normalised, limit.p)
    return _independent(law - other)


def _independent(differences: NDArray[np.float64]) -> Ratio:
    """Vuong's test: R/(sqrt(n) sd) is standard normal where both laws are equally far."""
    total = float(differences.sum())
    normalised = _normalised(differences)
    return Ratio(total, normalised, erfc(abs(normalised) / sqrt(2)))


def _nested(differences: NDArray[np.float64]) -> Ratio:
    """The power law is the other law without its cut-off: 2|R| is chi-squared with one degree."""
    total = float(differences.sum())
    if total > -ROUNDING:
        return Ratio(0.0, 0.0, 1.0)
    return Ratio(total, _normalised(differences), erfc(sqrt(-total)))


def _normalised(differences: NDArray[np.float64]) -> float:
    spread = sqrt(len(differences)) * float(differences.std())
    if spread == 0:
        return 0.0
    return float(differences.sum()) / spread


def law_of_tail(fit: PowerLaw, ratios: Comparison | None) -> str:
    """The law that the tail follows: one of three others, `power_law`, or `undecided`.

    Another law where the ratio to the log-normal or the exponential is below -0.9: of the three the
    one of lowest AIC. `power_law` where both are above it, at 0 or more, and the note has no
    objection: at most 10% of exponential, log-normal(1) and log-normal(2) tails of 50 values and
    more, and 35 to 65% of Pareto tails; 5 to 10% of Pareto tails get another law or a note.
    """
    if ratios is None:
        return UNDECIDED
    if _least(ratios) < PREFERRED:
        return _likeliest(ratios)
    if fit.note is None and _least(ratios) >= 0:
        return POWER_LAW
    return UNDECIDED


def reason_against(fit: PowerLaw, ratios: Comparison | None) -> Note | None:
    """The reason against a power law: of the fit itself, or that the data prefer another law."""
    if fit.note is not None:
        return fit.note
    law = law_of_tail(fit, ratios)
    if law not in WORDS:
        return None
    return Note("poor-power-law", f"not a power law: the data prefer {WORDS[law]}")


def _least(ratios: Comparison) -> float:
    """The ratio to the log-normal or to the exponential, whichever speaks more against.

    That of the truncated power law is at most 0 and is never evidence for the power law.
    """
    return min(ratios.log_normal.normalised, ratios.exponential.normalised)


def _likeliest(ratios: Comparison) -> str:
    """The other law of lowest AIC: 2 parameters - 2 log-likelihood, relative to the power law."""
    criteria = {
        EXPONENTIAL: 2 + 2 * ratios.exponential.total,
        LOG_NORMAL: 4 + 2 * ratios.log_normal.total,
        TRUNCATED: 4 + 2 * ratios.truncated.total,
    }
    return min(criteria, key=lambda law: criteria[law])
