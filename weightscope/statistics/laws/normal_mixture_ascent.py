"""Newton's ascents to the maxima of a mixture's likelihood, from all starts at once.

Of few weights a call of numpy costs more than its arithmetic, so an ascent is a row of arrays: one
evaluation moves every ascent that has not ended. Steps are Newton's in (mu, logit w, ln v1, ln v2)
on |eigenvalues| of the Hessian. A dozen sums over the points hold gradient and Hessian; a general
optimiser's small matrix calls wait for BLAS threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log1p
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Likelihood = tuple[Array, Array, Array]  # (k,), (k, 4), (k, 4, 4): value, gradient, Hessian

ROUNDS = 400  # evaluations of an ascent
AT_ONCE = 12_288  # points times ascents: arrays that a cache holds
RIDGE = 1e-6  # curvature (nats per weight) below which a direction is flat
GAIN = 1e-10  # nats per weight that a step must promise
LONGEST = 2.0  # step
SHORTEST = 1e-9


@dataclass(frozen=True, eq=False)
class End:
    """Where an ascent ended: x = (mu, logit w, ln v1, ln v2)."""

    value: float
    x: Array
    converged: bool


def ends_of(z: Array, p: Array, starts: Array, low: Array, high: Array) -> list[End]:
    """The maxima above the starts, (k, 4), for points z with shares p."""
    together = max(1, AT_ONCE // len(z))
    ends = []
    for first in range(0, len(starts), together):
        ends += _ascend(z, p, starts[first : first + together], low, high)
    return ends


def _ascend(z: Array, p: Array, starts: Array, low: Array, high: Array) -> list[End]:
    """Newton steps, each halved until the likelihood rises.

    Between two parts of nearly one sigma the likelihood is a ridge, hence the floor under the
    curvature. Gains below rounding are none, so that a step that only rounds ends the ascent.
    """
    x = np.clip(starts, low, high)
    value, gradient, hessian = _likelihoods(x, z, p)
    step, promised = _newton_steps(x, gradient, hessian, low, high)
    converged = promised < GAIN
    for _ in range(ROUNDS):
        live = np.flatnonzero(~converged)
        if not len(live):
            break
        trial = np.clip(x[live] + step[live], low, high)
        new, gradient, hessian = _likelihoods(trial, z, p)
        rises = new >= value[live]

        fallen = live[~rises]
        step[fallen] /= 2
        converged[fallen] = np.abs(step[fallen]).max(axis=1) < SHORTEST

        risen = live[rises]
        x[risen], value[risen] = trial[rises], new[rises]
        step[risen], promised = _newton_steps(x[risen], gradient[rises], hessian[rises], low, high)
        converged[risen] = promised < GAIN
    return [End(float(value[i]), x[i], bool(converged[i])) for i in range(len(x))]


def _newton_steps(
    x: Array, gradient: Array, hessian: Array, low: Array, high: Array
) -> tuple[Array, Array]:
    """Steps uphill, (k, 4), and the gain that each promises.

    Uphill along every eigenvector, whatever the sign of its curvature; no component is longer than
    LONGEST. Along a bound no step depends on the slope across it.
    """
    outward = ((x <= low) & (gradient < 0)) | ((x >= high) & (gradient > 0))
    if outward.any():
        gradient[outward] = 0.0
        hessian[outward] = 0.0
        hessian.swapaxes(1, 2)[outward] = 0.0
    curvatures, directions = np.linalg.eigh(hessian)
    slopes = gradient[:, None] @ directions
    lengths = slopes / np.maximum(np.abs(curvatures), RIDGE)[:, None]
    step = (lengths @ directions.swapaxes(1, 2))[:, 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    step *= LONGEST / np.maximum(longest, LONGEST)
    return step, (gradient * step).sum(axis=1)


def _likelihoods(x: Array, z: Array, p: Array) -> Likelihood:
    """Mean log-likelihoods (without ln(2 pi)/2), their gradients and Hessians in each row of x.

    x = (mu, logit w, ln v1, ln v2).
    """
    logs = np.array([_logs_of_parts(*row) for row in x.tolist()])
    d = z - x[:, :1]
    r = d * d
    first = r * logs[:, 1:2]
    first += logs[:, :1]
    gap = r * logs[:, 3:]
    gap += logs[:, 2:3]
    gap -= first
    above = gap > 0
    e = np.exp(-np.abs(gap))
    both = 1 + e
    first += np.maximum(gap, 0.0)
    first += np.log(both)
    q = np.where(above, 1.0, e) / both  # the second part's probability
    q *= p
    u = np.where(above, e, 1.0) / both
    u *= q  # p q (1 - q)
    ur = u * r

    sums = [np.vecdot(p, d), np.vecdot(p, r), q.sum(axis=1), np.vecdot(q, d), np.vecdot(q, r)]
    sums += [u.sum(axis=1), np.vecdot(u, d), np.vecdot(u, r), np.vecdot(ur, d), np.vecdot(ur, r)]
    slopes = [_slopes(*row) for row in np.concatenate([x, np.stack(sums, axis=1)], axis=1).tolist()]
    gradients, hessians = zip(*slopes, strict=True)
    return np.vecdot(p, first), np.array(gradients), np.array(hessians)


def _logs_of_parts(mu: float, logit: float, log_v1: float, log_v2: float) -> list[float]:
    """Each part's log-density at its centre, times its weight, and -1/(2 v)."""
    return [
        -log1p(exp(-logit)) - log_v1 / 2,
        -0.5 * exp(-log_v1),
        -log1p(exp(logit)) - log_v2 / 2,
        -0.5 * exp(-log_v2),
    ]


def _slopes(
    mu: float,
    logit: float,
    log_v1: float,
    log_v2: float,
    *sums: float,
) -> tuple[list[float], list[list[float]]]:
    """Gradient and Hessian from sums of 1, d, d^2, ... by weight: p, p q and p q (1 - q)."""
    w = 1 / (1 + exp(-logit))
    a, b = exp(-log_v1), exp(-log_v2)
    all_d, all_r, q0, qd, q1, u0, ud, u1, u3, u2 = sums
    p0, pd, p1 = 1 - q0, all_d - qd, all_r - q1  # the first part's

    gradient = [pd * a + qd * b, p0 - w, (p1 * a - p0) / 2, (q1 * b - q0) / 2]
    # sums of u (r/v - 1)/2, and of the products of two such factors
    g1 = (u1 * a - u0) / 2
    g2 = (u1 * b - u0) / 2
    g11 = (u2 * a * a - u1 * (a + a) + u0) / 4
    g12 = (u2 * a * b - u1 * (a + b) + u0) / 4
    g22 = (u2 * b * b - u1 * (b + b) + u0) / 4
    h11 = u0 - w * (1 - w)
    h22 = g11 - p1 * a / 2
    h33 = g22 - q1 * b / 2
    # the same with u d, and the slope of the first part's score over that of the second, d (a - b)
    c = a - b
    h00 = u1 * c * c - (p0 * a + q0 * b)
    h01 = ud * c
    h02 = (u3 * a - ud) / 2 * c - pd * a
    h03 = -(u3 * b - ud) / 2 * c - qd * b
    hessian = [
        [h00, h01, h02, h03],
        [h01, h11, g1, -g2],
        [h02, g1, h22, -g12],
        [h03, -g2, -g12, h33],
    ]
    return gradient, hessian
