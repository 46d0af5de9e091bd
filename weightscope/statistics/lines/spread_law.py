"""Mean and standard deviation of the spread of lines of i.i.d. elements of a measured law.

L = ln(x_1 + ... + x_n), x = w^2, of one line; the spread of m lines is half the standard deviation
of their L. For exponential E, independent of L, P(ln E - L > u) = E[exp(-e^u x)]^n: the density of
ln E - L is a sum over the cells, and the cumulants of L are its own less those of ln E. No series
in the kurtosis is needed, which lines of 30 heavy-tailed elements would not converge in.

The measured law has these very elements: its null is their random order, in which the variance V
of L over lines varies less than over new samples. The part of V that sums of a function of single
elements explain is constant, and its variance is taken off (the first term of Hoeffding's
decomposition). V is a multiple of chi-squared to the accuracy of scores (docs/statistics.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, isfinite, log, nan, pi, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts
    from ...sketches.power_sums import PowerSums

    Array = NDArray[np.float64]

NARROW = 0.03  # relative width of a group of magnitudes: 3e-4 of the variance of squares
CENTRE = 0.5  # of the larger quartile: magnitudes below are grouped by difference, not by ratio
OFF_CENTRE = 3.0  # |mean|/std above which groups are too wide, and squares are nearly linear
STEP = 0.3  # of u: the sum over a step is exact to e^(-pi^2/STEP), 5e-15
LEFT = 34.0  # the density falls like e^u on the left: e^-34 = 2e-15
VAR_LOG = pi**2 / 6  # of ln E
FOURTH_LOG = 3 * VAR_LOG**2 + pi**4 / 15  # fourth central moment of ln E
RESOLVED = 1e-6  # variance of L below which its fourth moment is lost beside that of ln E
LEAST_SHARE = 1e-4  # of the variance of V that stays after the explained part: rounding otherwise
NEARLY_ALL = -1 + 2.0**-53  # beyond it by rounding there would be no logarithm
MANY = 1000.0  # degrees of freedom from which the series of the chi law has 1e-9


@dataclass(frozen=True)
class SpreadLaw:
    """Expectation and standard deviation of a spread; `freedom` are the degrees of freedom of V."""

    mean: float
    deviation: float
    freedom: float


@dataclass(frozen=True, eq=False)
class Squares:
    """x = w^2 over its mean in groups (k,), and their probabilities; the variance of x."""

    x: Array | None  # None: nearly linear in w, the variance is enough
    p: Array | None
    variance: float


def without_zeros(power: PowerSums, n: int) -> PowerSums:
    """The power sums of the n elements outside the lines of zeros."""
    about = power.about(0.0)
    return type(power)(n, 0.0, about.s1, about.s2, about.s3, about.s4)


def squares(counts: ValueCounts, n: int) -> Squares:
    """The law of squares of the n elements outside the lines of zeros."""
    left_out = counts.n - n
    power = counts.power
    if left_out:
        power = without_zeros(power, n)
    mean_square = power.mean**2 + power.std**2
    if not (0 < mean_square < inf):
        return Squares(None, None, nan)
    share = power.std**2 / mean_square  # of the variance in the mean square
    off = power.mean / sqrt(mean_square)
    # Var w^2 from central moments, which have their digits beside any mean
    linear = 4 * off**2 + 4 * off * sqrt(share) * power.skew
    relative = max(share * (linear + (power.kurtosis + 2) * share), 0.0)
    if off**2 > OFF_CENTRE**2 * share:
        return Squares(None, None, relative)
    value = counts.value / sqrt(mean_square)
    size = np.abs(value)
    number = counts.counts - left_out * (counts.value == 0)
    group = _group(value, _centre(size, number))
    mass = np.bincount(group, number)
    total = np.bincount(group, number * size**2)
    occupied = mass > 0
    mass, total = mass[occupied], total[occupied]
    mean = total.sum() / mass.sum()  # 1, to the width of the cells
    return Squares(total / mass / mean, mass / mass.sum(), relative)


def _group(value: Array, centre: float) -> NDArray[np.int64]:
    """arcsinh(|value|/centre)/NARROW, rounded down, of ascending values: by the edges of groups."""
    last = int(np.arcsinh(max(-value[0], value[-1]) / centre) / NARROW)
    edges = centre * np.sinh(NARROW * np.arange(1, last + 1))
    ends_of_negative = np.searchsorted(value, -edges[::-1], "right")
    starts_of_positive = np.searchsorted(value, edges)
    ends = np.concatenate((ends_of_negative, starts_of_positive, [len(value)]))
    sizes = np.diff(ends, prepend=0)
    return np.repeat(np.abs(np.arange(-last, last + 1)), sizes)


def _centre(size: Array, number: NDArray[np.int64]) -> float:
    """A magnitude in the middle of the law, which far outliers do not move."""
    cumulated = np.cumsum(number)
    quartiles = np.searchsorted(cumulated, (cumulated[-1] / 4, 3 * cumulated[-1] / 4))
    middle = float(size[quartiles].max())
    return CENTRE * middle if middle > 0 else CENTRE


def spread_law(law: Squares, lines: int, length: int) -> SpreadLaw | None:
    """The law of the spread of `lines` lines of `length` elements in random order; None without.

    For Gaussian elements the mean is `spread_null(length)` times that of a chi law.
    """
    if lines < 2 or length < 2 or not isfinite(law.variance):
        return None
    variance = law.variance / length
    freedom = lines - 1.0
    if law.x is not None and law.p is not None and variance > RESOLVED:
        variance, of_squares, explained = _log_moments(law.x, law.p, length)
        left = max(of_squares - explained, LEAST_SHARE * of_squares)
        variance = max(variance, 0.0)  # rounding may take it below 0
        if left > 0:
            freedom = 2 * variance**2 * (1 - 1 / lines) ** 2 * lines / left
    rms = sqrt(variance * (1 - 1 / lines)) / 2
    if not freedom > 0:
        return None
    mean, deviation = chi(freedom)
    return SpreadLaw(rms * mean, rms * deviation, freedom)


def chi(freedom: float) -> tuple[float, float]:
    """Mean and standard deviation of sqrt(chi-squared / freedom).

    >>> mean, deviation = chi(1)
    >>> round(mean, 4), round(deviation, 4)
    (0.7979, 0.6028)
    """
    if freedom > MANY:
        mean = 1 - 1 / (4 * freedom) + 1 / (32 * freedom**2)
        return mean, sqrt(1 / (2 * freedom) - 1 / (8 * freedom**2))
    above, below = special.gammaln((freedom + 1) / 2), special.gammaln(freedom / 2)
    mean = sqrt(2 / freedom) * exp(float(above - below))
    return mean, sqrt(1 - mean * mean)


def _log_moments(x: Array, p: Array, n: int) -> tuple[float, float, float]:
    """Variance of L; variance of (L - mean)^2, and the part that single elements explain.

    A line of zeros has no L: the moments are those of the others.
    """
    u = _points(x, p, n)
    tx = np.exp(u)[:, None] * x  # (points, groups)
    decay = np.exp(-tx)
    gone = np.maximum(np.expm1(-tx) @ p, NEARLY_ALL)
    log_phi = np.log1p(gone)  # ln E[exp(-t x)]
    slope = (decay * tx) @ p
    others = np.exp((n - 1) * log_phi)
    density = n * others * slope
    density = density / density.sum()
    about = u - density @ u
    variance = float(density @ about**2) - VAR_LOG
    fourth = float(density @ about**4) - 6 * variance * VAR_LOG - FOURTH_LOG
    # the density where one of the n elements is in a known group: (points, groups)
    rest = (n - 1) * np.exp((n - 2) * log_phi) * slope
    known = decay * (rest[:, None] + others[:, None] * tx)
    second = (about**2 @ known) / known.sum(0) - VAR_LOG
    explained = n * (float(p @ second**2) - float(p @ second) ** 2)
    return variance, max(fourth - variance**2, 0.0), max(explained, 0.0)


def _points(x: Array, p: Array, n: int) -> Array:
    """Points u that hold all of the density of ln E - L but 1e-15."""
    positive = x > 0
    x, p = x[positive], p[positive]
    half = np.searchsorted(np.cumsum(p), p.sum() / 2)
    # Half of the elements are above the median: P(L below its log) falls as e^(n u / 2).
    end = -log(n * x[half]) + 80 / n + 4.5
    return np.arange(-LEFT - log(n), end, STEP)
