"""Two normals about the common mean: w N(mu, sigma1^2) + (1 - w) N(mu, sigma2^2), sigma1 <= sigma2, sigma1 >= 1e-3 std.

L-BFGS-B with gradient in (logit w, ln v1, ln v2), from three starts: the likelihood has several maxima.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from ...heavy import numpy as np
from ...heavy import optimize, special
from .law import Fitted, Params, Twin
from .normal import HALF_LOG_TAU

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

STARTS = ((0.9, 0.8, 4.0), (0.5, 0.5, 1.5), (0.99, 0.95, 20.0))     # w, v1, v2 in units of the variance
FLAT = 12.0                                     # |logit w|: beyond, one part holds fewer than 6 of a million
LEAST = log(1e-6)


@dataclass(frozen=True)
class NormalMixture:
    """mu, w, sigma1, sigma2."""

    name: str = "normal_mixture"
    parameters: tuple[str, ...] = ("mu", "w", "sigma1", "sigma2")
    typical: tuple[Params, ...] = (
        {"mu": 0.0, "w": 0.8, "sigma1": 0.02, "sigma2": 0.06}, {"mu": 1.0, "w": 0.4, "sigma1": 0.1, "sigma2": 0.5})

    def twin(self, p: Params) -> Twin:
        """The sum of two in scipy.stats."""
        return ((p["w"], "norm", {"loc": p["mu"], "scale": p["sigma1"]}),
                (1 - p["w"], "norm", {"loc": p["mu"], "scale": p["sigma2"]}))

    def fit(self, cells: Cells) -> Fitted:
        """The best of three descents."""
        r = cells.z * cells.z
        bounds = ((-FLAT, FLAT), (LEAST, log(float(r.max()))), (LEAST, log(float(r.max()))))
        best = min((_descend(r, cells.p, start, bounds) for start in STARTS), key=lambda found: found.fun)
        logit, first, second = best.x.tolist()
        near = any(x - lo < 1e-6 or hi - x < 1e-6 for x, (lo, hi) in zip(best.x, bounds, strict=True))
        if first > second:
            logit, first, second = -logit, second, first
        w = 1 / (1 + exp(-logit))
        return Fitted({"mu": 0.0, "w": w, "sigma1": exp(first / 2), "sigma2": exp(second / 2)}, near)

    def logpdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Log of the sum, from logs."""
        r = (x - p["mu"]) ** 2
        parts = [log(max(w, 1e-300)) - log(s) - r / (2 * s * s)
                 for w, s in ((p["w"], p["sigma1"]), (1 - p["w"], p["sigma2"]))]
        return np.logaddexp(*parts) - HALF_LOG_TAU

    def cdf(self, x: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Sum of two Phi."""
        r = x - p["mu"]
        return p["w"] * special.ndtr(r / p["sigma1"]) + (1 - p["w"]) * special.ndtr(r / p["sigma2"])

    def ppf(self, q: NDArray[np.float64], p: Params) -> NDArray[np.float64]:
        """Bisection between the quantiles of the two parts."""
        z = special.ndtri(q)
        low, high = (p["mu"] + pick(z * p["sigma1"], z * p["sigma2"]) for pick in (np.minimum, np.maximum))
        for _ in range(80):
            middle = (low + high) / 2
            below = self.cdf(middle, p) < q
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2


def _descend(r, p, start, bounds):  # type: ignore[no-untyped-def]
    w, v1, v2 = start
    x0 = np.array([log(w / (1 - w)), log(v1), log(min(v2, exp(bounds[2][1])))])
    stop = {"ftol": 1e-11, "gtol": 1e-7}
    return optimize.minimize(_cost, x0, (r, p), jac=True, method="L-BFGS-B", bounds=bounds, options=stop)


def _cost(x, r, p):  # type: ignore[no-untyped-def]
    """Minus the mean log-likelihood and its gradient; q is the share of the second part in each point."""
    w = 1 / (1 + exp(-x[0]))
    v1, v2 = exp(x[1]), exp(x[2])
    first = r * (-0.5 / v1) + (log(w) - x[1] / 2)
    gap = r * (-0.5 / v2) + (log(1 - w) - x[2] / 2) - first
    e = np.exp(-np.abs(gap))
    value = p @ (first + np.maximum(gap, 0) + np.log1p(e))
    q = p * np.where(gap > 0, 1.0, e) / (1 + e)
    share, square = float(q.sum()), float(q @ r)
    rest = float(p @ r) - square
    gradient = np.array([w - 1 + share, (1 - share - rest / v1) / 2, (share - square / v2) / 2])
    return HALF_LOG_TAU - float(value), gradient
