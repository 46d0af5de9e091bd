"""Series of matrices drawn by a scheme, with what is measured of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import sqrt

import numpy as np
from scipy import stats

from weightscope.statistics.lines.nulls import spread_null
from weightscope.statistics.schemes import Elements, Matrix, Setting, Spread

CUT_STD = 0.87962566
UNIT = {  # elements of std 1; `cut` has the std that truncation at 2 sigma leaves
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-sqrt(3), sqrt(3), shape),
    "truncated": lambda rng, shape: cut(rng, shape) / CUT_STD,
    "cut": lambda rng, shape: cut(rng, shape),
    "t4": lambda rng, shape: rng.standard_t(4, shape) / sqrt(2),
    "laplace": lambda rng, shape: rng.laplace(size=shape) / sqrt(2),
    "logistic": lambda rng, shape: rng.logistic(size=shape) * sqrt(3) / np.pi,
}


def cut(rng, shape):
    """Normal elements between -2 and 2."""
    return stats.norm.ppf(rng.uniform(stats.norm.cdf(-2), stats.norm.cdf(2), shape))


def settings(shape, layers=6, writes=False):
    """One per layer of a reader or a writer of shape (out, in)."""
    m, n = shape
    width = m if writes else n
    return [Setting(n, m, width, layers, layer, writes) for layer in range(layers)]


def measured(weights, setting):
    """A matrix with the statistics of its elements, rows and columns."""
    w = np.asarray(weights, np.float64)
    m, n = w.shape
    flat = w.ravel()
    elements = Elements(
        w.size,
        float(w.mean()),
        float(w.std()),
        float(stats.kurtosis(flat)),
        tau4(flat),
        float(abs(w).max()),
    )
    rows, columns = (np.log((w * w).sum(axis)).std() / 2 for axis in (1, 0))
    return Matrix(
        setting,
        elements,
        Spread(float(rows), spread_null(n)),
        Spread(float(columns), spread_null(m)),
    )


def tau4(values):
    """L-kurtosis by its definition, from the polynomials of the ranks."""
    x = np.sort(values)
    u = (np.arange(len(x)) + 0.5) / len(x)
    fourth = (x * (20 * u**3 - 30 * u**2 + 12 * u - 1)).mean()
    return float(fourth / (x * (2 * u - 1)).mean())


def series(scheme, form, seed, shape=(64, 64), layers=6, writes=False):
    """A matrix per layer, drawn by a scheme."""
    of_layers = settings(shape, layers, writes)
    drawn = zip(of_layers, _units(form, seed, shape, layers), strict=True)
    return [_scaled(unit, scheme.std(setting), setting) for setting, unit in drawn]


@cache
def _units(form, seed, shape, layers):
    """What is measured of a matrix of std 1 for each layer: that of no scheme."""
    rng = np.random.default_rng(seed)
    return [measured(UNIT[form](rng, shape), setting) for setting in settings(shape, layers)]


def _scaled(unit, std, setting):
    """A matrix times a std: shapes and spreads have no unit."""
    of = unit.elements
    elements = replace(of, mean=std * of.mean, std=std * of.std, largest=std * of.largest)
    return replace(unit, setting=setting, elements=elements)
