"""What `fit` draws: a small histogram beside each row, and a log-density panel with the Gaussian and the best law.

A panel shows the weights that the laws were fitted to: exact zeros that left the fits are a word in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from ...columns import Column, Curve, Panel, titled
from ...lazy import numpy as np
from ...sketches import ValueCounts
from ...statistics.elements.excess_zeros import excess_zeros
from ...statistics.elements.moments import BEYOND
from ...statistics.laws import LAWS
from ...statistics.laws.density import density, law_density
from ...statistics.laws.fitting import fit_laws

HISTOGRAM = Column(
    "histogram", "str", "the weights from -4 to 4 sigma, drawn in block characters", shown=True
)
BARS, REACH = 12, 4.0  # of the small histogram: two thirds of a sigma to a bar
STEP = 0.1  # sigma: of a panel's histogram


def heights(counts: ValueCounts | None) -> tuple[float, ...] | None:
    """Heights of the small histogram."""
    found = density(counts, np.linspace(-REACH, REACH, BARS + 1)) if counts is not None else None
    return None if found is None else tuple(float(x) for x in found)


def panel(counts: ValueCounts | None, of: Mapping[str, object], known: object = None) -> Panel:
    """The densities of the rows `of`, under the law that is `known` to be best or else found; or why there are none."""
    seen, words = _fitted(counts) if counts is not None else (None, "")
    curves = () if seen is None else _curves(seen, words, known)
    note = "" if curves else _lack(seen)
    return Panel(titled(of), "density", "weight / sigma", "density", curves, of=of, note=note)


def _fitted(counts: ValueCounts) -> tuple[ValueCounts, str]:
    """What laws are fitted to, and what was left out of it."""
    if counts.zeros == counts.n or not excess_zeros(counts):
        return counts, ""
    return counts.without_zeros(), f": {counts.zeros / counts.n:.1%} zeros left out"


def _lack(counts: ValueCounts | None) -> str:
    if counts is None:
        return "not measured"
    if counts.n and isnan(counts.std):
        return BEYOND.text
    return "one distinct value" if counts.n else "no finite value"


def _curves(counts: ValueCounts, words: str, known: object) -> tuple[Curve, ...]:
    """Density of the weights in units of sigma, the Gaussian, and the best law if another; nothing of a constant."""
    reach = STEP * np.ceil(max(_reach(counts), 5.0) / STEP)
    edges = np.linspace(-reach, reach, 2 * round(reach / STEP) + 1)
    found = density(counts, edges)
    if found is None:
        return ()
    z = (edges[1:] + edges[:-1]) / 2
    gauss = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    curves = [Curve(f"weights{words}", z, found, "points"), Curve("Gaussian", z, gauss)]
    best = fit_laws(counts, [law for law in LAWS if law.name == (known or law.name)]).best
    if best is not None and best.law != "normal":  # else the dashed line is the best law already
        curves.append(Curve(best.law, z, law_density(best, counts, z)))
    return tuple(curves)


def _reach(counts: ValueCounts) -> float:
    """How far the weights go, at most 40 sigma: beyond, single outliers would squeeze the picture flat."""
    std = counts.std
    far = (
        max(abs(counts.minimum - counts.power.mean), abs(counts.maximum - counts.power.mean)) / std
        if std > 0
        else 0.0
    )
    return float(min(far, 40.0))
