"""The power-law tail of a spectrum: exponent, start, and least Kolmogorov-Smirnov distance D.

Clauset, Shalizi and Newman 2009 (arXiv 0706.1062): every value but the largest is a candidate for
the start, with its exponent of maximum likelihood, and the one with the least D wins. Exact: a
start is skipped only where some points of its tail already exceed the best D. Pure noise has an
exponent too, so its note belongs beside every alpha. Other laws of the same tail are in
`tail_laws.py`, resamples in `tail_resamples.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, log1p, log10, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...notes import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

RELATIVE_CUT = 1e-12  # of the largest: a zero of a float64 Gram matrix stays below, r 2^-52
SHORTEST_TAIL = 20  # values; fewer fit nearly any law
SHORTEST_ALPHA = 10  # values; of fewer, alpha is null: its standard error exceeds (alpha - 1)/3
PASSING = 0.8  # D sqrt(c) of 95% or more of true Pareto samples, by simulation
PROBES = 64  # points of the lower bound: 4,096 values take 8 to 35 ms, not 100
FEWEST_TOGETHER = 8  # probes, of any number of starts
TOGETHER = 4096  # starts times probes in one array: few calls, and arrays that stay in the cache
ROUNDING = 2.0**-52  # times n: relative spread of n equal eigenvalues in float64


@dataclass(frozen=True)
class PowerLaw:
    """The tail lambda >= xmin of density (alpha - 1)/xmin (lambda/xmin)^-alpha; xmin as lambda."""

    alpha: float
    ks: float
    xmin: float
    tail: int  # values from xmin on
    sigma: float  # standard error of alpha: (alpha - 1)/sqrt(tail)

    @property
    def has_alpha(self) -> bool:
        """Whether the tail has 10 values or more: of fewer, reports have no alpha."""
        return self.tail >= SHORTEST_ALPHA

    @property
    def note(self) -> Note | None:
        """The reason against a power law: fewer than 20 values in the tail, or D > 0.8/sqrt(tail).

        About 5% of true Pareto samples have one, and None does not establish a power law.
        """
        if not self.has_alpha:
            few = f"no power law: {{tail}} values in the tail, fewer than {SHORTEST_ALPHA}"
            return Note.of("no-power-law", few, tail=self.tail)
        if self.tail < SHORTEST_TAIL:
            short = f"not a power law: {{tail}} values in the tail, fewer than {SHORTEST_TAIL}"
            return Note.of("poor-power-law", short, tail=self.tail)
        if self.ks > PASSING / sqrt(self.tail):
            far = f"not a power law: alpha_ks {{ks:.3g}} is above {PASSING}/sqrt({{tail}})"
            return Note.of("poor-power-law", far, ks=self.ks, tail=self.tail)
        return None


def tail_above(eigenvalues: NDArray[np.float64], cut: float | None) -> NDArray[np.float64]:
    """The eigenvalues above a cut, ascending: lambda > cut, by default 1e-12 lambda_max.

    >>> tail_above(np.array([3.0, 0.0, 1e-6, 2.0]), 1e-5).tolist()
    [2.0, 3.0]
    """
    if cut is None:
        cut = RELATIVE_CUT * eigenvalues.max(initial=0.0)
    return np.sort(eigenvalues[eigenvalues > cut])


def power_law(eigenvalues: NDArray[np.float64]) -> PowerLaw | None:
    """Fit a power law to the tail of the positive eigenvalues (n,), in any order.

    On x_0 <= ... <= x_{n-1}, for each start i <= n-2 with c = n - i: alpha_i = 1 + c/sum_{j>=i}
    ln(x_j/x_i), D_i = max_{j>=i} |1 - (x_j/x_i)^(1-alpha_i) - (j-i)/c|; least D, the first on ties.
    None below two values and where all are equal up to rounding. O(n^2) time at worst, O(n) memory.
    Equals WeightWatcher 0.7.7 from 20 values on, given `tail_above(..., 1e-5)`; below 20 that
    corrects alpha for bias and skips starts with fewer than 8 values.

    >>> round(power_law(1 / np.linspace(0.001, 1, 1000)).alpha, 2)
    2.0
    """
    x = tail_above(eigenvalues, 0.0)
    if len(x) < 2:
        return None
    logs = np.log(x)
    width = float(logs[-1]) - float(logs[0])
    if not len(x) * ROUNDING < width < inf:
        return None
    slopes = _slopes(logs)
    ks, start = _least_distance(logs, slopes)
    slope = float(slopes[start])
    tail = len(x) - start
    return PowerLaw(1 + slope, ks, float(x[start]), tail, slope / sqrt(tail))


def alpha_weighted(alpha: float, eigenvalues: NDArray[np.float64]) -> float:
    """alpha log10(lambda_max) as WeightWatcher's `alpha_weighted`; depends on the unit of weights.

    >>> alpha_weighted(2.5, np.array([1.0, 100.0]))
    5.0
    """
    return alpha * log10(eigenvalues.max())


def log_alpha_norm(alpha: float, eigenvalues: NDArray[np.float64]) -> float:
    """log10 sum lambda^alpha over every positive eigenvalue, cut or not, as WeightWatcher's.

    >>> round(log_alpha_norm(500.0, np.array([1e-3, 1.0, 10.0])), 9)
    500.0
    """
    logs = np.log(tail_above(eigenvalues, 0.0))
    return _log_sum_exp(alpha * logs) / log(10)  # a power itself may overflow


def _log_sum_exp(terms: NDArray[np.float64]) -> float:
    """ln sum e^t of ascending terms, as scipy.special.logsumexp, which takes 0.3 ms a call."""
    largest = float(terms[-1])
    shares = np.exp(terms - largest)
    shares[-1] = 0.0
    return largest + log1p(float(shares.sum()))


def _slopes(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """alpha_i - 1 = c/sum_{j>=i} ln(x_j/x_i) for every start with a larger value above it.

    Each gap between neighbours counts once for every value above it: a sum of terms >= 0, so
    nothing cancels.
    """
    above = np.arange(len(logs) - 1, 0, -1.0)
    sums = np.cumsum((above * np.diff(logs))[::-1])[::-1]
    # Equal values at the top end are no start: their D is 1/2 or more.
    starts = np.count_nonzero(sums)
    return (above[:starts] + 1) / sums[:starts]


def _least_distance(logs: NDArray[np.float64], slopes: NDArray[np.float64]) -> tuple[float, int]:
    """The least D and its start: by ascending lower bounds, until a bound exceeds the best D."""
    bounds = _bounds(logs, slopes)
    ranks = np.arange(float(len(logs)))
    best = (inf, 0)
    for i in np.argsort(bounds).tolist():
        if bounds[i] > best[0]:
            break
        distance = _distance(logs[i:], slopes[i], ranks)
        best = min(best, (distance, i))
    return best


def _bounds(logs: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """A lower bound of D per start: the deviation at 64 points of its tail, evenly by rank."""
    starts = np.arange(len(slopes))
    first = logs[: len(slopes)]
    count = len(logs) - starts
    bounds = np.zeros(len(slopes))
    together = min(PROBES, max(FEWEST_TOGETHER, TOGETHER // len(starts)))
    for probe in range(1, PROBES + 1, together):
        probes = np.arange(probe, min(probe + together, PROBES + 1))[:, None]
        rank = (count - 1) * probes // PROBES  # (probes, starts)
        law = np.exp((first - logs[starts + rank]) * slopes)
        deviation = np.abs(law + rank / count - 1)
        np.maximum(bounds, deviation.max(0), out=bounds)
    return bounds


def _distance(tail: NDArray[np.float64], slope: float, ranks: NDArray[np.float64]) -> float:
    """D = max |1 - (x_j/x_i)^-slope - (j-i)/c| of a tail of logs."""
    # In place: this is the O(n^2) part.
    deviation = tail[0] - tail
    deviation *= slope
    np.exp(deviation, out=deviation)
    deviation += ranks[: len(tail)] / len(tail)
    return float(max(deviation.max() - 1, 1 - deviation.min()))
