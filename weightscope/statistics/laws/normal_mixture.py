"""Two normals about one mean: w N(mu, sigma1^2) + (1 - w) N(mu, sigma2^2), sigma1 <= sigma2.

The fit is the likeliest end of ascents from several starts: the likelihood has several maxima.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from .law import Fitted, Params, ScipyTerms
from .normal import HALF_LOG_TAU
from .normal_mixture_ascent import ends_of
from .normal_mixture_starts import likeliest_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Start = tuple[float, float, float, float]  # mu, w, v1, v2

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
FLAT = 12.0  # |logit w|: beyond, one part holds fewer than 6 of a million
LEAST = log(1e-6)  # of ln v: sigma1 >= 1e-3 std
LEAST_SPIKE = 0.01  # share of weights of a narrow part, where a search starts


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
        mu, w, v1, v2 = np.array(_starts(cells)).T
        starts = np.stack([mu, special.logit(w), np.log(v1), np.log(v2)], axis=1)
        best = max(ends_of(z, p, starts, low, high), key=lambda end: end.value)
        x = best.x
        at_bound = bool((x <= low).any() or (x >= high).any())

        centre, logit, log_v1, log_v2 = x.tolist()
        if log_v1 > log_v2:
            logit, log_v1, log_v2 = -logit, log_v2, log_v1
        params = {
            "mu": centre,
            "w": 1 / (1 + exp(-logit)),
            "sigma1": exp(log_v1 / 2),
            "sigma2": exp(log_v2 / 2),
        }
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
