"""Density of counted cells on a grid in units of sigma, for pictures and small histograms.

A cell's count is spread evenly over its width: otherwise wide bins and lattices interfere with the
grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .law import in_units
from .members import LAWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts
    from .fitting import Fit


def density(
    counts: ValueCounts, edges: NDArray[np.float64], unit: tuple[float, float] | None = None
) -> NDArray[np.float64] | None:
    """Density of z = (w - mean)/std between consecutive edges; None unless std is above 0.

    density_i = (F(e_i+1) - F(e_i)) / (e_i+1 - e_i), F rising evenly over each cell, at once where a
    cell has no width. `unit` is another mean and std than those of the weights.
    """
    mean, std = unit or (counts.power.mean, counts.std)
    if not std > 0 or not counts.n:
        return None
    thresholds = mean + edges * std
    below = np.array([_count_below(counts, x) for x in thresholds])
    densities: NDArray[np.float64] = np.diff(below) / np.diff(edges) / float(counts.counts.sum())
    return densities


def _count_below(counts: ValueCounts, x: float) -> float:
    """How many weights are below x.

    Cell by cell: the slopes of cells near zero and of distant ones differ too much to be added up
    once for all x.
    """
    whole = counts.counts[counts.high <= x].sum()
    cut = (counts.low < x) & (counts.high > x)
    low, high = counts.low[cut], counts.high[cut]
    share = (x - low) / (high - low)
    part = (counts.counts[cut] * share).sum()
    return float(whole + part)


def law_density(fit: Fit, counts: ValueCounts, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density of a fitted law in the same units: sigma * f(mean + z sigma)."""
    law = next(law for law in LAWS if law.name == fit.law)
    mean, std = counts.power.mean, counts.power.std
    centred = in_units(law, fit.params, -mean, 1.0)
    standard = in_units(law, centred, 0.0, 1 / std)
    return np.exp(law.logpdf(z, standard))
