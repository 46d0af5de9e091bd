"""Density of counted cells on a grid in units of sigma: what pictures and small histograms show.

A cell's count is spread evenly over its width, so that wide bins and lattices do not beat against the grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .law import in_units
from .members import LAWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...sketches import ValueCounts
    from .fitting import Fit


def density(counts: ValueCounts, edges: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Density of z = (w - mean)/std between consecutive edges; None for a constant, for nothing and without a std.

    density_i = (F(e_i+1) - F(e_i)) / (e_i+1 - e_i), F rising evenly over each cell, at once where a cell has no width.
    """
    std = counts.std
    if not std > 0:
        return None
    below = np.array([_below(counts, x) for x in counts.power.mean + edges * std])
    found: NDArray[np.float64] = np.diff(below) / np.diff(edges) / float(counts.counts.sum())
    return found


def _below(counts: ValueCounts, x: float) -> float:
    """How many weights lie below x. Cell by cell: slopes of cells near zero and far off differ too much to be added."""
    cut = (counts.low < x) & (counts.high > x)
    low, high = counts.low[cut], counts.high[cut]
    return float(
        counts.counts[counts.high <= x].sum()
        + (counts.counts[cut] * ((x - low) / (high - low))).sum()
    )


def law_density(fit: Fit, counts: ValueCounts, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density of a fitted law in the same units: sigma * f(mean + z sigma)."""
    law = next(law for law in LAWS if law.name == fit.law)
    mean, std = counts.power.mean, counts.power.std
    standard: Mapping[str, float] = in_units(in_units(fit.params, -mean, 1.0), 0.0, 1 / std)
    return np.exp(law.logpdf(z, standard))
