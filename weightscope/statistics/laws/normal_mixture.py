"""Two normals about one mean: w N(mu, sigma1^2) + (1 - w) N(mu, sigma2^2), sigma1 <= sigma2.

Newton in (mu, logit w, ln v1, ln v2) on |eigenvalues| of the Hessian, from several starts: the
likelihood has several maxima. A dozen sums over the points hold gradient and Hessian; a general
optimiser's small matrix calls wait for BLAS threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, ScipyTerms
from .normal import HALF_LOG_TAU
from .normal_mixture_starts import likeliest_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Start = tuple[float, float, float, float]  # mu, w, v1, v2
    Likelihood = tuple[float, NDArray[np.float64], NDArray[np.float64]]  # value, gradient, Hessian

# w, v1, v2 in units of the variance
STARTS = (
    (0.9, 0.8, 4.0),
    (0.5, 0.5, 1.5),
    (0.99, 0.95, 20.0),
)
IQR_OF_NORMAL = 1.349
HEAVY = 0.7  # variance of the middle half over the whole: below, tails rule the whole
SHARES = (0.9, 0.98, 0.999)  # of the narrow part, in starts where tails rule
FEW = 512  # weights: of so few the likelihood has many maxima
STEPS = 200
FLAT = 12.0  # |logit w|: beyond, one part holds fewer than 6 of a million
LEAST = log(1e-6)  # of ln v: sigma1 >= 1e-3 std
LEAST_SPIKE = 0.01  # share of weights of a narrow part, where a search starts
RIDGE = 1e-6  # curvature (nats per weight) below which a direction is flat
GAIN = 1e-10  # nats per weight that a step must promise


@dataclass(frozen=True)
class NormalMixture:
    """mu, w, sigma1, sigma2."""

    name: str = "normal_mixture"
    parameters: tuple[str, ...] = ("mu", "w", "sigma1", "sigma2")
    locations: tuple[str, ...] = ("mu",)
    shapes: tuple[str, ...] = ("w",)
    symmetric: bool = True
    has_mean: bool = True
    costly: bool = False
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "w": 0.8, "sigma1": 0.02, "sigma2": 0.06},
        {"mu": 1.0, "w": 0.4, "sigma1": 0.1, "sigma2": 0.5},
    )

    def scipy_terms(self, p: Params) -> ScipyTerms:
        """The sum of two in scipy.stats."""
        return (
            (p["w"], "norm", {"loc": p["mu"], "scale": p["sigma1"]}),
            (1 - p["w"], "norm", {"loc": p["mu"], "scale": p["sigma2"]}),
        )

    def fit(self, cells: Cells) -> Fitted:
        """The likeliest end of several ascents."""
        z, p = cells.z, cells.p
        furthest = max(-float(z.min()), float(z.max()))
        largest = 2 * log(2 * furthest)
        low = np.array([-furthest, -FLAT, LEAST, LEAST])
        high = np.array([furthest, FLAT, largest, largest])
        ends = [_ascend(z, p, start, low, high) for start in _starts(cells)]
        best = max(ends, key=lambda end: end.value)
        x = best.x
        at_bound = bool((x <= low).any() or (x >= high).any())

        mu, logit, log_v1, log_v2 = x.tolist()
        if log_v1 > log_v2:
            logit, log_v1, log_v2 = -logit, log_v2, log_v1
        w = 1 / (1 + exp(-logit))
        params = {"mu": mu, "w": w, "sigma1": exp(log_v1 / 2), "sigma2": exp(log_v2 / 2)}
        return Fitted(params, at_bound, best.converged)

    def with_spike(self, p: Params, spike: tuple[float, float, float]) -> Params:
        """These weights with a narrow part in one cell: its value, width and share of weights."""
        value, width, excess = spike
        share = max(excess, LEAST_SPIKE)
        variance = p["w"] * p["sigma1"] ** 2 + (1 - p["w"]) * p["sigma2"] ** 2
        return {"mu": value, "w": share, "sigma1": width / 4, "sigma2": sqrt(variance)}

    def errors(self, cells: Cells, p: Params) -> dict[str, float]:
        """None are known."""
        return {}

    def within(self, p: Params) -> bool:
        """Whether w and the narrower sigma are between their bounds."""
        return p["w"] < 1 and exp(LEAST / 2) <= p["sigma1"] <= p["sigma2"]

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Log of the sum, from logs."""
        w = p["w"]
        r = (x - p["mu"]) ** 2
        first = _log_part(w, p["sigma1"], r)
        second = _log_part(1 - w, p["sigma2"], r)
        return np.logaddexp(first, second) - HALF_LOG_TAU

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Sum of two Phi."""
        w = p["w"]
        r = x - p["mu"]
        first = special.ndtr(r / p["sigma1"])
        second = special.ndtr(r / p["sigma2"])
        return np.asarray(w * first + (1 - w) * second)

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Bisection between the quantiles of the two parts."""
        z = special.ndtri(q)
        first, second = z * p["sigma1"], z * p["sigma2"]
        low = p["mu"] + np.minimum(first, second)
        high = p["mu"] + np.maximum(first, second)
        for _ in range(80):
            middle = (low + high) / 2
            below = self.cdf(middle, p) < q
            low = np.where(below, middle, low)
            high = np.where(below, high, middle)
        return np.asarray((low + high) / 2)


def _log_part(w: float, sigma: float, r: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln of w N(0, sigma^2) at squared distances r, without ln(2 pi)/2."""
    log_weight = log(max(w, 1e-300))  # w may be 0
    return log_weight - log(sigma) - r / (2 * sigma * sigma)


@dataclass(frozen=True, eq=False)
class _End:
    """Where an ascent ended: x = (mu, logit w, ln v1, ln v2)."""

    value: float
    x: NDArray[np.float64]
    converged: bool


def _starts(cells: Cells) -> list[Start]:
    """Three of the variance, three of the quartiles where tails rule, eight of few weights."""
    starts = [(0.0, *start) for start in STARTS]
    robust = max((cells.iqr / IQR_OF_NORMAL) ** 2, 4 * exp(LEAST))
    if robust < HEAVY:
        for w in SHARES:
            rest = max(1 - w * robust, robust) / (1 - w)
            starts.append((cells.median, w, robust, rest))
    if cells.n <= FEW and cells.parts is None:
        starts += likeliest_windows(cells, 1.5 * exp(LEAST))
    return starts


def _ascend(
    z: NDArray[np.float64],
    p: NDArray[np.float64],
    start: Start,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> _End:
    """A maximum, by Newton steps of at most 2, halved until the likelihood rises.

    Between two parts of nearly one sigma the likelihood is a ridge, hence the floor under the
    curvature. Gains below rounding are none, so that a step that only rounds ends the ascent.
    """
    mu, w, v1, v2 = start
    x = np.clip([mu, log(w / (1 - w)), log(v1), log(v2)], low, high)
    value, gradient, hessian = _likelihood(x, z, p)
    for _ in range(STEPS):
        outward = ((x <= low) & (gradient < 0)) | ((x >= high) & (gradient > 0))
        gradient[outward] = 0.0
        hessian[outward] = 0.0  # no step along a bound depends on one across it
        hessian[:, outward] = 0.0
        step = _newton_step(gradient, hessian)
        if float(gradient @ step) < GAIN:
            return _End(value, x, converged=True)
        while True:
            trial = np.clip(x + step, low, high)
            likelihood = _likelihood(trial, z, p)
            lower = likelihood[0] < value
            if not lower:
                break
            step /= 2
            if float(np.abs(step).max()) < 1e-9:
                return _End(value, x, converged=True)
        x = trial
        value, gradient, hessian = likelihood
    return _End(value, x, converged=False)


def _newton_step(
    gradient: NDArray[np.float64], hessian: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Uphill along every eigenvector, whatever the sign of its curvature; no component beyond 2."""
    curvatures, directions = np.linalg.eigh(hessian)
    step = directions @ ((gradient @ directions) / np.maximum(np.abs(curvatures), RIDGE))
    longest = max(float(np.abs(step).max()), 1e-300)
    step *= min(1.0, 2.0 / longest)
    return np.asarray(step)


def _likelihood(
    x: NDArray[np.float64], z: NDArray[np.float64], p: NDArray[np.float64]
) -> Likelihood:
    """Mean log-likelihood (without ln(2 pi)/2), its gradient and Hessian in x.

    x = (mu, logit w, ln v1, ln v2).
    """
    w = 1 / (1 + exp(-x[1]))
    a, b = exp(-x[2]), exp(-x[3])
    d = z - x[0]
    r = d * d
    first = r * (-0.5 * a) + (log(w) - float(x[2]) / 2)
    gap = r * (-0.5 * b) + (log(1 - w) - float(x[3]) / 2) - first
    e = np.exp(-np.abs(gap))
    value = float(p @ (first + np.maximum(gap, 0.0) + np.log1p(e)))

    q = p * np.where(gap > 0, 1.0, e) / (1 + e)  # p times the second part's probability
    q0, qd, q1 = float(q.sum()), float(q @ d), float(q @ r)
    p0, pd, p1 = 1 - q0, float(p @ d) - qd, float(p @ r) - q1  # the first part's
    u = p * e / (1 + e) ** 2  # p q (1 - q)
    ur = u * r
    u0, ud, u1 = float(u.sum()), float(u @ d), float(ur.sum())
    u3, u2 = float(ur @ d), float(ur @ r)

    gradient = np.array([pd * a + qd * b, p0 - w, (p1 * a - p0) / 2, (q1 * b - q0) / 2])
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
    hessian = np.array(
        [[h00, h01, h02, h03], [h01, h11, g1, -g2], [h02, g1, h22, -g12], [h03, -g2, -g12, h33]]
    )
    return value, gradient, hessian
