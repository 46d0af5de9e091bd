"""The pictures of `fit`: a small histogram in each row, and log-densities with fitted laws.

A panel shows the weights to which the laws were fitted; its label has the share of exact zeros that
were left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from ...columns import Column, Curve, Panel, titled
from ...lazy import numpy as np
from ...sketches import ValueCounts
from ...statistics.elements.excess_zeros import excess_zeros, fitted_weights
from ...statistics.elements.moments import BEYOND
from ...statistics.laws import LAWS
from ...statistics.laws.density import density, law_density
from ...statistics.laws.fitting import fit_laws

HISTOGRAM = Column(
    "histogram", "str", "the weights from -4 to 4 sigma, drawn in block characters", shown=True
)
BARS, REACH = 12, 4.0  # of the small histogram: two thirds of a sigma per bar
STEP = 0.1  # sigma: bin width of a panel's histogram
NARROWEST, WIDEST = 5.0, 40.0  # sigma: half the width of a panel


def heights(counts: ValueCounts | None) -> tuple[float, ...] | None:
    """Heights of the small histogram; None where there is no density."""
    if counts is None:
        return None
    bars = density(counts, np.linspace(-REACH, REACH, BARS + 1))
    if bars is None:
        return None
    return tuple(float(height) for height in bars)


def panel(counts: ValueCounts | None, of: Mapping[str, object], best: object = None) -> Panel:
    """The densities of the rows `of`, or the reason why there are none.

    `best` is the name of the best law where it was computed before, else it is fitted here.
    """
    curves: tuple[Curve, ...] = ()
    note = "not measured"
    if counts is not None:
        fitted, label = _fitted(counts)
        curves = _curves(fitted, label, best)
        note = "" if curves else _lack(fitted)
    return Panel(titled(of), "density", "weight / sigma", "density", curves, of=of, note=note)


def _fitted(counts: ValueCounts) -> tuple[ValueCounts, str]:
    """The weights to which laws are fitted, and a label for those left out."""
    excess = excess_zeros(counts)
    if counts.zeros == counts.n or not excess:
        return counts, ""
    return fitted_weights(counts), f": {excess / counts.n:.1%} zeros left out"


def _lack(counts: ValueCounts) -> str:
    """Why there are no densities."""
    if not counts.n:
        return "no finite value"
    if isnan(counts.std):
        return BEYOND.text
    return "one distinct value"


def _curves(counts: ValueCounts, label: str, best: object) -> tuple[Curve, ...]:
    """Densities of the weights in units of sigma, the Gaussian, and the best law if it is another.

    Empty for constants.
    """
    # A multiple of STEP on each side, so that zero is an edge.
    reach = STEP * np.ceil(max(_reach(counts), NARROWEST) / STEP)
    edges = np.linspace(-reach, reach, 2 * round(reach / STEP) + 1)
    heights = density(counts, edges)
    if heights is None:
        return ()
    z = (edges[1:] + edges[:-1]) / 2
    gauss = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    curves = [
        Curve(f"weights{label}", z, heights, "points"),
        Curve("Gaussian", z, gauss),
    ]
    # Only the best law is fitted again: all are costly.
    candidates = [law for law in LAWS if best in (law.name, None)]
    law = fit_laws(counts, candidates).best
    if law is not None and law.law != "normal":  # the Gaussian is drawn already
        curves.append(Curve(law.law, z, law_density(law, counts, z)))
    return tuple(curves)


def _reach(counts: ValueCounts) -> float:
    """Largest distance in sigma, limited so that single outliers do not set the axis."""
    std = counts.std
    if not std > 0:  # NaN where squares overflow
        return 0.0
    mean = counts.power.mean
    furthest = max(abs(counts.minimum - mean), abs(counts.maximum - mean))
    return float(min(furthest / std, WIDEST))
