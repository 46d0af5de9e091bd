"""Laws on the cells of the stored values, with scipy's distribution functions."""

from __future__ import annotations

import numpy as np
from scipy import optimize, special

from ..case import Array, Case, NotCompared
from ..cells import cells
from .definition import Definition


def _fitted(case: Case) -> Array | None:
    """The values that laws are fitted to, where no zeros are left out of them."""
    if case.is_wide:
        raise NotCompared  # bins
    if (case.finite == 0).mean() > 0.005 if case.finite.size else False:
        raise NotCompared  # an excess of zeros is left out
    if len(np.unique(case.finite)) < 3:
        return None
    _no_lattice(case)
    return case.finite


def _no_lattice(case: Case) -> None:
    """Raises NotCompared where few values are far apart: they have cells as wide as their steps."""
    low, high, counts = cells(case)
    values = (low + high) / 2
    gaps, widths = np.diff(values), high - low
    if len(values) * 4 <= counts.sum() and gaps.mean() > 1.9 * widths.mean():
        raise NotCompared


def normal_of(case: Case) -> tuple[float, float]:
    """mu and sigma of the likeliest normal: of the cells' masses where rounding adds variance.

    Cells below 0.02 std count with the density at their value.
    """
    x = case.finite
    mean, std = float(x.mean()), float(x.std())
    low, high, counts = cells(case)
    rounding = float(((high - low) ** 2 * counts).sum()) / 12 / x.size
    if rounding <= 1e-5 * std**2:
        return mean, std
    value = (np.unique(x + 0.0) - mean) / std
    low, high = (low - mean) / std, (high - mean) / std
    narrow = high - low < 0.02
    points, shares = value[narrow], counts[narrow]
    low, high, counts = low[~narrow], high[~narrow], counts[~narrow]

    def cost(at: Array) -> float:
        mu, sigma = at[0], np.exp(at[1])
        density = -float(shares @ (((points - mu) / sigma) ** 2 / 2 + at[1]))
        right = low + high > 2 * mu
        first, second = np.where(right, 2 * mu - high, low), np.where(right, 2 * mu - low, high)
        mass = special.ndtr((second - mu) / sigma) - special.ndtr((first - mu) / sigma)
        return -density - float(counts @ np.log(np.maximum(mass, 1e-300)))

    options = {"xatol": 1e-9, "fatol": 1e-9}
    at = optimize.minimize(cost, (0.0, 0.0), method="Nelder-Mead", options=options).x
    return mean + std * float(at[0]), std * float(np.exp(at[1]))


def _ks_normal(case: Case) -> float | None:
    """sup |F - Phi| at the edges of the cells."""
    x = _fitted(case)
    if x is None:
        return None
    low, high, counts = cells(case)
    mu, sigma = normal_of(case)
    upto = np.cumsum(counts) / len(x)
    before = np.concatenate([[0.0], upto[:-1]])
    at_low = np.abs(before - special.ndtr((low - mu) / sigma))
    at_high = np.abs(upto - special.ndtr((high - mu) / sigma))
    return float(max(at_low.max(), at_high.max()))


def _w1_normal(case: Case) -> float | None:
    """Integral of |F - Phi| over z, F rising evenly inside a cell: on a fine grid."""
    x = _fitted(case)
    if x is None:
        return None
    low, high, counts = cells(case)
    edges = (np.stack([low, high], 1).ravel() - x.mean()) / x.std()
    upto = np.cumsum(counts) / len(x)
    shares = np.stack([np.concatenate([[0.0], upto[:-1]]), upto], 1).ravel()
    grid = np.linspace(min(-9, edges[0] - 1), max(9, edges[-1] + 1), 200_001)
    mu, sigma = normal_of(case)
    fitted = special.ndtr((grid * x.std() + x.mean() - mu) / sigma)
    gap = np.abs(np.interp(grid, edges, shares) - fitted)
    return float(np.trapezoid(gap, grid))


def _beta_moment(case: Case) -> float | None:
    """The beta whose E w^2/(E |w|)^2 is that of the values."""
    w = case.finite
    if w.size and (w == 0).mean() > 0.005:
        raise NotCompared  # an excess of zeros is left out first
    if case.is_wide and w.std() < 0.1 * abs(w.mean()):
        raise NotCompared
    if not w.size or not np.abs(w).sum() > 0:
        return None
    if len(np.unique(w)) > 2:
        _no_lattice(case)
    squares, total = float((w**2).sum()), float(np.abs(w).sum())
    low, high, counts = cells(case)
    rounding = float(((high - low) ** 2 * counts).sum()) / 12
    if 1.2e-4 / 12 * w.size * case.std**2 < rounding < squares and not case.is_wide:
        zero = (low < 0) & (high > 0)
        squares -= rounding
        total += float(((high - low) * counts)[zero].sum()) / 12
    rho = w.size * squares / total**2
    if rho <= 4 / 3 + 1e-6:
        return None

    def excess(log_beta: float) -> float:
        b = np.exp(log_beta)
        logs = special.gammaln(1 / b) + special.gammaln(3 / b) - 2 * special.gammaln(2 / b)
        return float(logs - np.log(rho))

    return float(np.exp(optimize.brentq(excess, np.log(1e-2), np.log(9e3), xtol=1e-13)))


def _weibull_k(case: Case) -> float | None:
    """Slope of ln(-ln(1-F)) over ln|w| at F = 0.1 + 0.8 (i + 1/2)/1000, weights even in a cell."""
    if case.is_wide:
        raise NotCompared
    if _fitted(case) is None or len(np.unique(np.abs(case.finite))) < 0.03 * case.finite.size:
        raise NotCompared  # few values
    low, high, counts = cells(case)
    negative = high + low < 0
    inner = np.where(negative, -high, np.maximum(low, 0))
    outer = np.where(negative, -low, high)
    order = np.lexsort((outer, inner))
    inner, outer, counts = inner[order], outer[order], counts[order]
    share = 0.1 + 0.8 * (np.arange(1000) + 0.5) / 1000
    edges, first = np.unique(inner, return_inverse=True)  # cells of w and -w are one
    outer = outer[np.searchsorted(inner, edges)]
    counts = np.bincount(first, counts)
    upto = np.cumsum(counts)
    at = np.searchsorted(upto, share * upto[-1])
    into = (share * upto[-1] - (upto - counts)[at]) / counts[at]
    size = edges[at] + into * (outer - edges)[at]
    return float(np.polyfit(np.log(size), np.log(-np.log1p(-share)), 1)[0])


LAWS = (
    Definition("ks_normal", _ks_normal, 1e-5, unit=lambda case: 1e-3),
    Definition("w1_normal", _w1_normal, 1e-3, unit=lambda case: 0.1),
    Definition("weibull_k", _weibull_k, 1e-6),
    Definition("beta_moment", _beta_moment, 1e-8, wide=1e-2),
)
