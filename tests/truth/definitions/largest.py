"""The largest weight by the tail of the others (docs/statistics.md, "The largest weight")."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
from scipy import optimize, special, stats

from ..case import Array, Case, NotCompared, resolved
from .definition import Definition

SHAPES = np.linspace(-3, 3, 600)  # none is 2, where the integral is a logarithm
QUANTILES = (np.arange(60) + 0.5) / 60  # of the log-normal law of the scale


def _beta(ratio: float) -> float:
    """beta with this ratio of the 0.9 and 0.5 quantiles of |x|, 0.3 to 12."""

    def distance(log_beta: float) -> float:
        beta = np.exp(log_beta)
        quantiles = stats.gennorm.ppf((0.95, 0.75), beta)
        return float(quantiles[0] / quantiles[1] - ratio)

    low, high = log(0.3), log(12)
    if distance(low) < 0 or distance(high) > 0:
        return float(np.exp(low if distance(low) < 0 else high))
    return float(np.exp(optimize.brentq(distance, low, high)))


def _chance(low: Array, value: Array, high: Array, count: Array) -> float | None:
    """P(a larger one than the largest of an end): its cells, descending powers of distances."""
    beyond = np.cumsum(count)
    number = int(beyond[-1])
    few = max(min(number // 100, 5), 2)
    last_judged = int(np.searchsorted(beyond, few))
    if last_judged + 1 >= len(value):
        return None
    judged = beyond[last_judged]
    width = max(min(number // 20, 500), 20 * few)
    last = int(np.searchsorted(beyond, judged + width))
    if last >= len(value) or last - last_judged < 20:
        return None
    cells = slice(last_judged + 1, last + 1)
    low, high, count = low[cells], high[cells], count[cells]
    tail = count.sum()
    ranks = np.arange(judged + 1, judged + tail + 1)
    above = judged + np.concatenate(([0], np.cumsum(count)))
    gaps = np.concatenate(([0], low[:-1] - high[1:]))
    if gaps.max() > (high[0] - low[-1]) / 2:
        raise NotCompared  # outliers in the tail: two shapes are likely, and the grid decides
    power = 2 - SHAPES[:, None]  # of the integral of r^(1 - b)
    with np.errstate(invalid="ignore"):
        inside = np.diff(above**power, axis=1) / power / count
    exposure = inside @ (high - low) + (above[:-1] ** (power - 1)) @ gaps
    log_likelihood = -SHAPES * np.log(ranks).sum() - tail * np.log(exposure)
    posterior = np.exp(log_likelihood - np.nanmax(log_likelihood))
    y = value[0] - (high[0] - (high[0] - low[0]) / (count[0] + 1))
    if y <= 0:
        return 1.0
    chance, total = 0.0, 0.0
    for b, size, likelihood in zip(SHAPES, exposure, posterior, strict=True):
        if likelihood > 1e-7:
            variance = 1 / tail + b**2 / (judged + 1)
            middle = log((judged + 1) ** b * size / tail)
            middle += (1 / tail - b**2 / (judged + 1)) / 2
            sigma = np.exp(middle + sqrt(variance) * stats.norm.ppf(QUANTILES))
            survival = np.minimum(stats.genpareto.sf(y, -b, scale=sigma), 1 - 1e-16)
            larger = -np.expm1(judged * np.log1p(-survival))
            chance += likelihood * float(larger.mean())
            total += likelihood
    return chance / total


def _max_z_score(case: Case) -> float | None:
    resolved(case)
    if len(np.unique(case.finite)) < case.finite.size / 8:
        raise NotCompared  # a lattice: its cells are those of the steps
    w = case.finite
    if not case.std > 0:
        return None
    middle = np.median(w)
    low, q1, q3, high = np.quantile(w, (0.05, 0.25, 0.75, 0.95))
    if q1 == q3:
        return None
    power = _beta((high - low) / (q3 - q1))
    if power > 6:
        power = 1.0
    half = (q3 - q1) / 2
    value, count = np.unique(w, return_counts=True)
    spacing = case.eps * 2.0 ** np.floor(np.log2(np.maximum(np.abs(value), 1e-300)))
    chances = []
    for sign in (1, -1):
        end = sign * (value - middle) > 0
        edges = [sign * (value + side * sign * spacing / 2 - middle) for side in (-1, 0, 1)]
        cells = [(np.maximum(edge[end], 0) / half) ** power for edge in edges]
        order = np.argsort(-cells[1])
        chances.append(_chance(*(of[order] for of in cells), count[end][order]))
    if None in chances:
        return None
    least = min(chances)
    return -float(special.ndtri(min(max(least * (2 - least), 1e-300), 1 - 1e-16)))


def _max_z_tail(case: Case) -> float | None:
    """Hill's estimate from the d+1-st to the 10d-th largest |w - mean|, d one in 200, 1 to 20."""
    resolved(case)
    w = case.finite
    if w.size < 200 or not case.std > 0:
        return None
    d = min(w.size // 200, 20)
    x = np.sort(np.abs(w - case.mean))[::-1][d : 10 * d]
    if x[-1] <= 0:
        return None
    i = np.arange(d + 1, 10 * d)
    slope = float((i * np.log(x[:-1] / x[1:])).mean())
    return float(x[0] * ((d + 1) / 1e-3) ** slope / case.std)


LARGEST = (
    Definition("max_z_score", _max_z_score, 0.1, unit=lambda _case: 1.0, wide=0.5, slow=True),
    Definition("max_z_tail", _max_z_tail, 1e-9, wide=0.05),
)
