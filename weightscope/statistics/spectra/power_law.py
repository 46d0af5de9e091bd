"""The power-law tail of a spectrum: exponent, least Kolmogorov-Smirnov distance D and where the tail starts.

Clauset, Shalizi and Newman 2009 (arXiv 0706.1062): every value but the largest is tried as the start, each with its
exponent of maximum likelihood, and the one with the least D wins. Exact: a start is left out only where some points of
its tail already exceed the best D. Pure noise has an exponent too, so its note belongs beside every reading.
Left out: truncated laws, and p-values (arXiv 0706.1062 simulates them; at these sizes the distance itself decides).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import inf, log, log10, sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...lazy import special
from ...notes import Note, united
from ...sketches import Decompose
from ..statistic import Evidence, Statistic
from .spectral import spectral
from .spectrum import Spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

RELATIVE_CUT = 1e-12  # of the largest: a zero of a float64 Gram matrix stays below, r 2^-52
SHORTEST_TAIL = 20  # values; below that nearly everything passes for a power law
PASSING = 0.8  # D sqrt(c) of 95% or more of true Pareto samples, by simulation
PROBES = 64  # points of the lower bound: 4,096 values take 8 to 35 ms, not 100
ROUNDING = 2.0**-52  # times n: what float64 makes of n equal eigenvalues
PERCENTILES = (5.0, 95.0)  # of alpha: 200 draws leave ten values beyond each end

_SOURCE = "arXiv 0706.1062, WeightWatcher 0.7.7"
COLUMNS = (
    Column(
        "alpha",
        "float",
        "exponent of the power-law tail of the squared singular values",
        "",
        _SOURCE,
        shown=True,
        error="alpha_sigma",
    ),
    Column("alpha_ks", "float", "Kolmogorov-Smirnov distance of that tail", "", _SOURCE),
    Column("alpha_xmin", "float", "where the tail starts", "weight^2", _SOURCE),
    Column("alpha_tail", "int", "how many values it has"),
    Column(
        "alpha_sigma", "float", "standard error of alpha, (alpha - 1)/sqrt(alpha_tail)", "", _SOURCE
    ),
    Column(
        "alpha_weighted",
        "float",
        "alpha log10 of the largest squared singular value",
        "",
        "WeightWatcher 0.7.7",
    ),
    Column(
        "log_alpha_norm",
        "float",
        "log10 of the sum of squared singular values to the power alpha",
        "",
        "WeightWatcher 0.7.7",
    ),
)
INTERVAL = tuple(
    Column(
        name,
        "float",
        f"{point} point of alpha over bootstrap samples",
        "",
        "arXiv 0706.1062",
        True,
        "--alpha-ci",
    )
    for name, point in (("alpha_low", "5%"), ("alpha_high", "95%"))
)
NONE = Note("no-power-law", "no power law: fewer than two different values above the cut")
ALIKE = Note("no-power-law", "no power law: the squares are even but for rounding")
EVEN = 1e-5  # relative: squares of an orthogonal float32 matrix differ by less, 35 spacings at most


@dataclass(frozen=True)
class PowerLaw:
    """The tail lambda >= xmin of density (alpha - 1)/xmin (lambda/xmin)^-alpha; xmin in the eigenvalues' unit."""

    alpha: float
    ks: float
    xmin: float
    tail: int  # values from xmin on
    sigma: float  # standard error of alpha: (alpha - 1)/sqrt(tail)

    @property
    def note(self) -> Note | None:
        """Why this is no power law: fewer than 20 values in the tail, or D > 0.8/sqrt(tail); None where it may be one.

        About 5% of true Pareto samples get it, and passing does not establish a power law.
        """
        if self.tail < SHORTEST_TAIL:
            short = f"not a power law: {{tail}} values in the tail, fewer than {SHORTEST_TAIL}"
            return Note.of("poor-power-law", short, tail=self.tail)
        if self.ks > PASSING / sqrt(self.tail):
            far = f"not a power law: alpha_ks {{ks:.3g}} is above {PASSING}/sqrt({{tail}})"
            return Note.of("poor-power-law", far, ks=self.ks, tail=self.tail)
        return None


def tail_above(eigenvalues: NDArray[np.float64], cut: float | None) -> NDArray[np.float64]:
    """The eigenvalues above a cut, ascending: lambda > cut, or lambda > 1e-12 lambda_max where cut is None.

    >>> tail_above(np.array([3.0, 0.0, 1e-6, 2.0]), 1e-5).tolist()
    [2.0, 3.0]
    """
    least = RELATIVE_CUT * eigenvalues.max(initial=0.0) if cut is None else cut
    return np.sort(eigenvalues[eigenvalues > least])


def power_law(eigenvalues: NDArray[np.float64]) -> PowerLaw | None:
    """Fit a power law to the tail of eigenvalues (n,), in any order; those that are not positive are left out.

    On x_0 <= ... <= x_{n-1}, for each start i <= n-2 with c = n - i: alpha_i = 1 + c/sum_{j>=i} ln(x_j/x_i) and
    D_i = max_{j>=i} |1 - (x_j/x_i)^(1-alpha_i) - (j-i)/c|; least D, the first on ties. None below two values and where
    all are equal up to rounding. O(n^2) time at worst, O(n) memory. Equals WeightWatcher 0.7.7 from 20 values on, given
    `tail_above(..., 1e-5)`; below 20 that corrects alpha for bias and tries no start with fewer than 8 values.

    >>> round(power_law(1 / np.linspace(0.001, 1, 1000)).alpha, 2)
    2.0
    """
    x = tail_above(eigenvalues, 0.0)
    logs = np.log(x)
    if len(x) < 2 or not len(x) * ROUNDING < float(logs[-1]) - float(logs[0]) < inf:
        return None
    slopes = _slopes(logs)
    ks, start = _least_distance(logs, slopes)
    slope, tail = float(slopes[start]), len(x) - start
    return PowerLaw(1 + slope, ks, float(x[start]), tail, slope / sqrt(tail))


def alpha_interval(
    eigenvalues: NDArray[np.float64], seed: int, draws: int = 200
) -> tuple[float, float] | None:
    """The 90% interval of alpha: 5% and 95% percentiles over refits, xmin too, of n values drawn with replacement.

    Draws of one repeated value have no alpha and are left out; None where the eigenvalues themselves have none. The
    bootstrap of arXiv 0706.1062, section 3. 200 draws of 4,096 values take 2 to 7 s.
    """
    x = tail_above(eigenvalues, 0.0)
    if power_law(x) is None:
        return None
    rng = np.random.default_rng(seed)
    fits = (power_law(rng.choice(x, len(x))) for _ in range(draws))
    low, high = np.percentile([fit.alpha for fit in fits if fit], PERCENTILES)
    return float(low), float(high)


def alpha_weighted(alpha: float, eigenvalues: NDArray[np.float64]) -> float:
    """alpha log10(lambda_max), WeightWatcher's `alpha_weighted`; depends on the unit of the weights.

    >>> alpha_weighted(2.5, np.array([1.0, 100.0]))
    5.0
    """
    return alpha * log10(eigenvalues.max())


def log_alpha_norm(alpha: float, eigenvalues: NDArray[np.float64]) -> float:
    """log10 sum lambda^alpha over every positive eigenvalue, cut or not, as WeightWatcher's; no power leaves float64.

    >>> round(log_alpha_norm(500.0, np.array([1e-3, 1.0, 10.0])), 9)
    500.0
    """
    return float(special.logsumexp(alpha * np.log(tail_above(eigenvalues, 0.0)))) / log(10)


def _slopes(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """alpha_i - 1 = c/sum_{j>=i} ln(x_j/x_i) for every start with a larger value above it.

    Each gap between neighbours counts once for every value above it: a sum of terms >= 0, so nothing cancels.
    """
    above = np.arange(len(logs) - 1, 0, -1.0)
    sums = np.cumsum((above * np.diff(logs))[::-1])[::-1]
    starts = np.count_nonzero(
        sums
    )  # equal values at the top end are no start: their D is 1/2 or more
    return (above[:starts] + 1) / sums[:starts]


def _least_distance(logs: NDArray[np.float64], slopes: NDArray[np.float64]) -> tuple[float, int]:
    """The least D and its start: by ascending lower bounds, until a bound exceeds the best D."""
    bounds, ranks = _bounds(logs, slopes), np.arange(float(len(logs)))
    best = (inf, 0)
    for i in np.argsort(bounds).tolist():
        if bounds[i] > best[0]:
            break
        best = min(best, (_distance(logs[i:], slopes[i], ranks), i))
    return best


def _bounds(logs: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """A lower bound of D for every start: the deviation at 64 points of its tail, evenly by rank."""
    starts, first = np.arange(len(slopes)), logs[: len(slopes)]
    count, bounds = len(logs) - starts, np.zeros(len(slopes))
    for probe in range(1, PROBES + 1):
        rank = (count - 1) * probe // PROBES
        law = np.exp((first - logs[starts + rank]) * slopes)
        np.maximum(bounds, np.abs(law + rank / count - 1), out=bounds)
    return bounds


def _distance(tail: NDArray[np.float64], slope: float, ranks: NDArray[np.float64]) -> float:
    """D = max |1 - (x_j/x_i)^-slope - (j-i)/c|, in logs; the buffer is reused since this is the O(n^2) part."""
    deviation = tail[0] - tail
    deviation *= slope
    np.exp(deviation, out=deviation)
    deviation += ranks[: len(tail)] / len(tail)
    return float(max(deviation.max() - 1, 1 - deviation.min()))


def tail_of(s: Spectrum, cut: float | None) -> NDArray[np.float64]:
    """Squares above `cut` that the method tells from zero, ascending; without one those that may not be rounding."""
    return tail_above(s.above if cut is not None else s.sigma[: s.rank] ** 2, cut)


def fit_of(s: Spectrum, tail: NDArray[np.float64]) -> PowerLaw | None:
    """The power law of a tail; none where the squares are even but for the rounding of method and type."""
    return None if _even(s, tail) else power_law(tail)


def _even(s: Spectrum, tail: NDArray[np.float64]) -> bool:
    """Whether two values or more differ by no more than rounding may move them."""
    return len(tail) > 1 and bool(
        tail[-1] <= tail[0] * (1 + max(EVEN, 2 * s.uncertain / float(s.sigma[0])))
    )


def _of(
    cut: float | None, interval: bool, seed: int, spectrum: Spectrum, evidence: Evidence
) -> Mapping[str, object]:
    eigenvalues, own = spectrum.above, tail_of(spectrum, cut)
    fit = fit_of(spectrum, own)
    if fit is None:
        return {c.name: None for c in columns(interval)} | {
            "notes": (ALIKE if _even(spectrum, own) else NONE,)
        }
    ends = alpha_interval(own, seed) if interval else None
    return {
        "alpha": fit.alpha,
        "alpha_ks": fit.ks,
        "alpha_xmin": fit.xmin,
        "alpha_tail": fit.tail,
        "alpha_sigma": fit.sigma,
        "alpha_weighted": alpha_weighted(fit.alpha, eigenvalues),
        "log_alpha_norm": log_alpha_norm(fit.alpha, eigenvalues),
        **(
            dict(zip(("alpha_low", "alpha_high"), ends or (None, None), strict=True))
            if interval
            else {}
        ),
        "notes": united(fit.note),
    }


def columns(interval: bool) -> tuple[Column, ...]:
    """With or without the interval."""
    return COLUMNS + (INTERVAL if interval else ())


def tail(measure: Decompose, cut: float | None, interval: bool, seed: int) -> Statistic:
    """The tail above `cut`, with the bootstrapped `interval` of alpha where asked."""
    return spectral(columns(interval), measure, partial(_of, cut, interval, seed), frozenset())
