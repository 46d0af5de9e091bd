"""The cusps of a generalised normal's likelihood: below beta = 1 each stored value is one in mu.

They are searched by value, at one beta; and coarsely over beta too, on groups of the weights.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, nan
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .gennorm_ascent import FLOOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

CANDIDATES = 65
KEPT = 4  # candidates whose neighbourhoods are searched: nearly equal cusps lie far apart
MOST = 129  # points that are all tried
GROUPS = 65  # of equal share, in the coarse search
RATIOS = (0.8, 0.87, 0.92, 0.96, 0.98, 0.99, 1.0, 1.01, 1.02, 1.04, 1.08, 1.15, 1.25)  # of beta
BETAS = (0.1, 0.15, 0.22, 0.33, 0.5, 0.75)  # beyond, Newton's ascent comes from the median


def likelihood(beta: float, log_moment: float) -> float:
    """Mean log-likelihood at the best alpha, log_moment = ln mean |x - mu|^beta."""
    # The mean of (|x - mu|/alpha)^beta is 1/beta, since alpha^beta = beta moment is the best.
    log_alpha = (log(beta) + log_moment) / beta
    log_density_at_mu = log(beta / 2) - log_alpha - lgamma(1 / beta)
    return log_density_at_mu - 1 / beta


def likelihood_at(cells: Cells, log_beta: float, mu: float) -> float:
    """Mean log-likelihood at the best alpha."""
    beta = exp(log_beta)
    return likelihood(beta, log(moment(cells, beta, mu)))


def coarsely_likeliest(cells: Cells) -> tuple[float, float]:
    """ln beta and mu near the likeliest cusp.

    At each of six betas the likeliest of 65 groups is mu; all weights then give its likelihood.
    """
    z, p = _groups(cells)
    distance = np.maximum(np.abs(z - z[:, None]), FLOOR)
    logs = np.log(distance, out=distance)
    places = [(log(beta), float(z[np.argmin(np.exp(beta * logs) @ p)])) for beta in BETAS]
    return max(places, key=lambda place: likelihood_at(cells, *place))


def _groups(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and shares of neighbouring points, each group with an equal share."""
    order = np.argsort(cells.z)
    z, p = cells.z[order], cells.p[order]
    middle = np.cumsum(p) - p / 2
    group = (middle * GROUPS).astype(np.intp)
    share = np.bincount(group, p).astype(np.float64)
    total = np.bincount(group, p * z).astype(np.float64)
    filled = share > 0
    return total[filled] / share[filled], share[filled]


def cusp(cells: Cells, beta: float) -> float:
    """The point with the least mean |x - mu|^beta."""
    points = _likely_points(cells, beta)
    moments = np.exp(beta * _log_distances(cells, points)) @ cells.p
    return float(points[np.argmin(moments)])


def likeliest_cusp(cells: Cells, beta: float) -> tuple[float, float]:
    """ln beta and mu of the likeliest cusp, each at its own beta near this one.

    With A and B the means of ln |x - mu| and of its square by weights |x - mu|^beta,

        ln mean |x - mu|^(beta + d) = ln mean |x - mu|^beta + A d + (B - A^2) d^2 / 2 + ...
    """
    points = _likely_points(cells, beta)
    logs = _log_distances(cells, points)
    power = np.exp(beta * logs)
    moment = power @ cells.p
    power *= logs
    mean = power @ cells.p / moment
    power *= logs
    variance = power @ cells.p / moment - mean**2
    log_moment = np.log(moment)
    best = (-inf, log(beta), nan)
    for ratio in RATIOS:
        near = max(ratio * beta, BETAS[0])
        change = near - beta
        log_moments = log_moment + mean * change + variance * change**2 / 2
        at = int(np.argmin(log_moments))
        found = likelihood(near, float(log_moments[at])), log(near), float(points[at])
        best = max(best, found)
    return best[1:]


def _likely_points(cells: Cells, beta: float) -> NDArray[np.float64]:
    """At most 129 points: from 65 of all, the neighbourhoods of the best four, and so on."""
    points = np.unique(cells.z)
    while len(points) > MOST:
        at = np.linspace(0, len(points) - 1, CANDIDATES).round().astype(np.intp)
        moments = np.exp(beta * _log_distances(cells, points[at])) @ cells.p
        near = np.zeros(len(points), dtype=bool)
        for best in np.argsort(moments)[:KEPT]:
            near[at[max(best - 1, 0)] : at[min(best + 1, CANDIDATES - 1)] + 1] = True
        points = points[near]
    return points


def moment(cells: Cells, beta: float, mu: float) -> float:
    """Mean |x - mu|^beta."""
    distance = np.maximum(np.abs(cells.z - mu), FLOOR)
    return float(cells.p @ np.exp(beta * np.log(distance)))


def _log_distances(cells: Cells, mu: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln |x - mu|, a row per mu."""
    distance = cells.z - mu[:, None]
    # In place: new matrices of this size cost more than the logarithms.
    np.abs(distance, out=distance)
    np.maximum(distance, FLOOR, out=distance)
    return np.log(distance, out=distance)
