"""Density of counted cells on a grid in units of sigma: what pictures and small histograms show.

A cell's count is spread evenly over its width, so that wide bins and lattices do not beat against the grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..heavy import numpy as np
from .laws import LAWS
from .laws.law import in_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..sketches import ValueCounts
    from .fitting import Fit


def density(counts: ValueCounts, edges: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Density of z = (w - mean)/std between consecutive edges; None for a constant and for nothing.

    density_i = (F(e_i+1) - F(e_i)) / (e_i+1 - e_i), F piecewise linear over the cells.
    """
    std = counts.power.std
    if not counts.n or not std > 0:
        return None
    ends = np.concatenate((counts.low, counts.high))
    order = np.argsort(ends, kind="stable")
    slope = counts.counts / (counts.high - counts.low)
    rate = np.cumsum(np.concatenate((slope, -slope))[order])
    x = ends[order]
    mass = np.concatenate(([0.0], np.cumsum(rate[:-1] * np.diff(x))))
    at = np.interp(counts.power.mean + edges * std, x, mass, left=0.0, right=mass[-1])
    found: NDArray[np.float64] = np.diff(at) / np.diff(edges) / mass[-1]
    return found


def law_density(fit: Fit, counts: ValueCounts, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density of a fitted law in the same units: sigma * f(mean + z sigma)."""
    law = next(law for law in LAWS if law.name == fit.law)
    mean, std = counts.power.mean, counts.power.std
    standard: Mapping[str, float] = in_units(in_units(fit.params, -mean, 1.0), 0.0, 1 / std)
    return np.exp(law.logpdf(z, standard))
