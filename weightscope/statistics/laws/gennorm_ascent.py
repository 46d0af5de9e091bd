"""Newton's ascent to the maximum of a generalised normal's likelihood.

From beta = 1.25 on the likelihood is smooth in mu: mu and ln beta take a step together from the
same powers |x - mu|^beta. Below, ln beta alone does. The usual start is the beta of the ratio
(mean |x - m|)^2 / mean (x - m)^2 = Gamma(2/beta)^2 / (Gamma(1/beta) Gamma(3/beta)).

With M = mean |x - mu|^beta, A = mean |x - mu|^beta ln |x - mu| / M, B the same with the squared
logarithm, and psi the digamma function, the mean log-likelihood at the best alpha has

    dL/dbeta = 1/beta + (ln(beta M) + psi(1/beta)) / beta^2 - A / beta.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import exp, log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from ..elements.shape import log_rho

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

LEAST, MOST = 0.12, 7.5  # beta: near the bounds, 0.1 and 8, no ascent
SMOOTH = 1.25  # beta from which mu too takes Newton's steps
STEPS = 12
LONGEST = 0.3  # step of ln beta
SETTLED = 1e-7  # std, and of ln beta
NEAREST = 1e-4  # |x - mu| in std, in the weights of a step of mu
FLOOR = 1e-300  # |x - mu| in std: keeps ln finite where mu is a stored value
STARTS = 33  # betas of the table of ratios


@dataclass(frozen=True)
class Powers:
    """M, A and B at one beta and mu, and the mean of x - mu by weights |x - mu|^(beta - 2)."""

    beta: float
    moment: float
    mean_log: float
    mean_square_log: float
    pull: float

    @property
    def slope(self) -> float:
        """dL/d ln beta."""
        return self.beta * self._slope_of_beta

    @property
    def curvature(self) -> float:
        """d2L/d(ln beta)2 at fixed mu."""
        beta = self.beta
        variance = self.mean_square_log - self.mean_log**2
        of_beta = (
            (1 / beta - 1 + 2 * self.mean_log) / beta**2
            - 2 * self._of_scale / beta**3
            - float(special.zeta(2.0, 1 / beta)) / beta**4  # psi'(1/beta)
            - variance / beta
        )
        return beta**2 * of_beta + beta * self._slope_of_beta

    @cached_property
    def _slope_of_beta(self) -> float:
        beta = self.beta
        return 1 / beta + self._of_scale / beta**2 - self.mean_log / beta

    @cached_property
    def _of_scale(self) -> float:
        """ln(beta M) + psi(1/beta)."""
        beta = self.beta
        return log(beta * self.moment) + float(special.digamma(1 / beta))


def powers(cells: Cells, beta: float, mu: float) -> Powers:
    """The means of |x - mu|^beta and of its products with ln |x - mu|."""
    r = cells.z - mu
    size = np.maximum(np.abs(r), FLOOR)
    logs = np.log(size)
    power = np.exp(beta * logs)
    power *= cells.p
    moment = float(power.sum())
    mean_log = float(power @ logs) / moment
    logs *= logs
    mean_square_log = float(power @ logs) / moment
    weights = power / np.maximum(size, NEAREST) ** 2
    pull = float(weights @ r) / float(weights.sum())
    return Powers(beta, moment, mean_log, mean_square_log, pull)


def ascend(cells: Cells, log_beta: float, mu: float) -> tuple[float, float] | None:
    """ln beta and mu of the joint maximum; None where the way leads out of the smooth range."""
    for _ in range(STEPS):
        if not log(SMOOTH) <= log_beta <= log(MOST):
            return None
        at = powers(cells, exp(log_beta), mu)
        change, step = _change(at), at.pull / (at.beta - 1)
        if change is None:
            return None
        log_beta += change
        mu += step
        if max(abs(change), abs(step)) < SETTLED:
            return log_beta, mu
    return None


def ascend_beta(cells: Cells, log_beta: float, mu: float) -> float | None:
    """ln beta of the maximum at this mu; None where the way leads out of its range."""
    for _ in range(STEPS):
        if not log(LEAST) <= log_beta <= log(MOST):
            return None
        change = _change(powers(cells, exp(log_beta), mu))
        if change is None:
            return None
        log_beta += change
        if abs(change) < SETTLED:
            return log_beta
    return None


def _change(at: Powers) -> float | None:
    """Newton's step of ln beta, at most 0.3; None where the likelihood is not concave."""
    curvature = at.curvature
    if not curvature < 0:
        return None
    change = -at.slope / curvature
    return min(max(change, -LONGEST), LONGEST)


def start(cells: Cells) -> float:
    """ln beta of a generalised normal with the same ratio of moments."""
    distance = np.abs(cells.z - cells.median)
    first, second = float(cells.p @ distance), float(cells.p @ distance**2)
    ratios, log_betas = _table()
    return float(np.interp(first**2 / second, ratios, log_betas))


@cache
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ratios of moments, ascending, and ln beta."""
    log_betas = np.linspace(log(0.3), log(8.0), STARTS)
    ratios = [exp(-log_rho(exp(log_beta))) for log_beta in log_betas]
    return np.array(ratios), log_betas
