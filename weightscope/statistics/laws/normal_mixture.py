"""Two normals about the common mean: w N(mu, sigma1^2) + (1 - w) N(mu, sigma2^2), sigma1 <= sigma2, sigma1 >= 1e-3 std.

Newton in (logit w, ln v1, ln v2) on |eigenvalues| of the Hessian, from three starts: the likelihood has several maxima.
Six sums over the points hold gradient and Hessian; a general optimiser's small matrix calls wait for BLAS threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, Twin
from .normal import HALF_LOG_TAU

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

STARTS = (
    (0.9, 0.8, 4.0),
    (0.5, 0.5, 1.5),
    (0.99, 0.95, 20.0),
)  # w, v1, v2 in units of the variance
FLAT = 12.0  # |logit w|: beyond, one part holds fewer than 6 of a million
LEAST = log(1e-6)
RIDGE = 1e-6  # curvature (nats per weight) below which a direction is flat
GAIN = 1e-10  # nats per weight that a step must promise


@dataclass(frozen=True)
class NormalMixture:
    """mu, w, sigma1, sigma2."""

    name: str = "normal_mixture"
    parameters: tuple[str, ...] = ("mu", "w", "sigma1", "sigma2")
    costly: bool = False
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "w": 0.8, "sigma1": 0.02, "sigma2": 0.06},
        {"mu": 1.0, "w": 0.4, "sigma1": 0.1, "sigma2": 0.5},
    )

    def twin(self, p: Params) -> Twin:
        """The sum of two in scipy.stats."""
        return (
            (p["w"], "norm", {"loc": p["mu"], "scale": p["sigma1"]}),
            (1 - p["w"], "norm", {"loc": p["mu"], "scale": p["sigma2"]}),
        )

    def fit(self, cells: Cells) -> Fitted:
        """The best of three ascents."""
        r = cells.z * cells.z
        high = np.array([FLAT, log(float(r.max())), log(float(r.max()))])
        low = np.array([-FLAT, LEAST, LEAST])
        _, x = max(
            (_ascend(r, cells.p, start, low, high) for start in STARTS), key=lambda found: found[0]
        )
        logit, first, second = x.tolist()
        if first > second:
            logit, first, second = -logit, second, first
        w = 1 / (1 + exp(-logit))
        params = {"mu": 0.0, "w": w, "sigma1": exp(first / 2), "sigma2": exp(second / 2)}
        return Fitted(params, at_bound=bool((x <= low).any() or (x >= high).any()))

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Log of the sum, from logs."""
        r = (x - p["mu"]) ** 2
        parts = [
            log(max(w, 1e-300)) - log(s) - r / (2 * s * s)
            for w, s in ((p["w"], p["sigma1"]), (1 - p["w"], p["sigma2"]))
        ]
        return np.logaddexp(*parts) - HALF_LOG_TAU

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Sum of two Phi."""
        r = x - p["mu"]
        return np.asarray(
            p["w"] * special.ndtr(r / p["sigma1"]) + (1 - p["w"]) * special.ndtr(r / p["sigma2"])
        )

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Bisection between the quantiles of the two parts."""
        z = special.ndtri(q)
        low, high = (
            p["mu"] + pick(z * p["sigma1"], z * p["sigma2"]) for pick in (np.minimum, np.maximum)
        )
        for _ in range(80):
            middle = (low + high) / 2
            below = self.cdf(middle, p) < q
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)


def _ascend(
    r: NDArray[np.float64],
    p: NDArray[np.float64],
    start: tuple[float, float, float],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    """Steps of at most 2, halved until the likelihood rises; where two parts are hardly told apart it is a ridge."""
    w, v1, v2 = start
    x = np.clip([log(w / (1 - w)), log(v1), log(v2)], low, high)
    value, gradient, hessian = _likelihood(x, r, p)
    for _ in range(100):
        gradient[((x <= low) & (gradient < 0)) | ((x >= high) & (gradient > 0))] = 0.0
        values, vectors = np.linalg.eigh(hessian)
        step = vectors @ ((gradient @ vectors) / np.maximum(np.abs(values), RIDGE))
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if float(gradient @ step) < GAIN:
            break
        while (new := _likelihood(trial := np.clip(x + step, low, high), r, p))[0] < value:
            step /= 2
            if float(np.abs(step).max()) < 1e-9:
                return value, x
        x, (value, gradient, hessian) = trial, new
    return value, x


def _likelihood(
    x: NDArray[np.float64], r: NDArray[np.float64], p: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Mean log-likelihood (without ln(2 pi)/2), gradient and Hessian; q is the second part's chance of each point."""
    w = 1 / (1 + exp(-x[0]))
    a, b = exp(-x[1]), exp(-x[2])
    first = r * (-0.5 * a) + (log(w) - float(x[1]) / 2)
    gap = r * (-0.5 * b) + (log(1 - w) - float(x[2]) / 2) - first
    e = np.exp(-np.abs(gap))
    value = float(p @ (first + np.maximum(gap, 0.0) + np.log1p(e)))
    q = p * np.where(gap > 0, 1.0, e) / (1 + e)
    u = p * e / (1 + e) ** 2  # p q (1 - q)
    ur = u * r
    q0, q1, u0, u1, u2 = (
        float(q.sum()),
        float(q @ r),
        float(u.sum()),
        float(ur.sum()),
        float(ur @ r),
    )
    rest = float(p @ r) - q1
    g1, g2 = (u1 * a - u0) / 2, (u1 * b - u0) / 2  # sums of u (r/v - 1)/2, and their products
    g11, g12, g22 = ((u2 * c * d - u1 * (c + d) + u0) / 4 for c, d in ((a, a), (a, b), (b, b)))
    gradient = np.array([1 - q0 - w, (rest * a - (1 - q0)) / 2, (q1 * b - q0) / 2])
    hessian = np.array(
        [[u0 - w * (1 - w), g1, -g2], [g1, g11 - rest * a / 2, -g12], [-g2, -g12, g22 - q1 * b / 2]]
    )
    return value, gradient, hessian
