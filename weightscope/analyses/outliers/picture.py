"""The picture of `outliers`: tails of |z| as survival functions, and positions of large weights.

Distances are |w - mean|/std, so that tensors of every scale share their axes. Positions are drawn
for a single tensor only: a page of many has no room for maps. In the label of a curve, words after
a colon belong to its panel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite, sqrt
from typing import TYPE_CHECKING

from ...columns import Curve, Panel, titled
from ...lazy import numpy as np
from ...lazy import special
from ...sketches import Beyond, Top
from ...sketches.quantiles import resolved
from ...statistics.elements.largest_z import max_z_null
from ...statistics.elements.moments import BEYOND
from .request import PLACES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import Crossings, TopWeights, ValueCounts
    from ..measuring import Answer

POINTS = 200  # of a tail, whose ranks are thinned evenly in their logs, and of the Gaussian
NEAREST = 0.5  # std: where the Gaussian begins; weights nearer to the mean are not drawn


def panel(answer: Answer, of: Mapping[str, object]) -> Panel:
    """The tail of a piece, and the positions of its largest weights; or the reason for neither."""
    crossings: Crossings | None = answer.sketches.get(Beyond())
    curves: tuple[Curve, ...] = ()
    note = "not measured"
    if crossings is not None:
        note = _lack(crossings.counts)
        if not note:
            curves = (*_tail(crossings.counts), *_map(answer, crossings))
    return Panel(titled(of), "outliers", "|w - mean| / std", "share ≥ x", curves, of=of, note=note)


def _lack(counts: ValueCounts) -> str:
    """Why there is no picture; empty where there is one."""
    if not counts.n:
        return "no finite value"
    if counts.distinct == 1:
        return "one distinct value"
    if not (isfinite(counts.std) and counts.std > 0):
        return BEYOND.text
    if not resolved(counts):
        return "std too small relative to the mean: distances are not resolved"
    return ""


def _tail(counts: ValueCounts) -> Iterator[Curve]:
    """Survival functions of |z| and of the Gaussian, erfc(z/sqrt 2), up to its expected largest."""
    z, share = _survival(counts)
    yield Curve(f"weights: to {z[-1]:.3g} std", z, share, "points")
    end = max_z_null(counts.n) or NEAREST
    x = np.geomspace(NEAREST, end, POINTS)
    yield Curve(f"Gaussian: to {end:.3g} expected", x, special.erfc(x / sqrt(2)))


def _survival(counts: ValueCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ascending distances, and the share of weights that are at least as far."""
    value = counts.value.copy()
    # The outermost bins are drawn at the extremes, which are exact.
    value[[0, -1]] = counts.minimum, counts.maximum
    distances = np.abs(value - counts.mean) / counts.std
    z, cell = np.unique(distances, return_inverse=True)
    # Cells at the same distance on both sides of the mean are one point.
    beyond = np.cumsum(np.bincount(cell, counts.counts)[::-1])  # float64 is exact to 2^53
    ranks = np.geomspace(1, beyond[-1], POINTS).astype(int)
    at = np.unique(np.searchsorted(beyond, ranks))[::-1]
    return z[::-1][at], beyond[at] / beyond[-1]


def _map(answer: Answer, crossings: Crossings) -> Iterator[Curve]:
    """The extent of the matrix, positions and |z| of its largest weights, and counts per line."""
    top: TopWeights | None = answer.sketches.get(Top(PLACES))
    if top is None or answer.piece.entry is None:
        return
    height, width = answer.piece.entry.shape
    if min(height, width) < 2:
        return
    yield Curve("matrix", np.array((0, width - 1)), np.array((0, height - 1)))
    at, z = _largest(top, crossings.counts)
    label = "largest weights"
    if not len(at):
        label += f": {PLACES} or more are equally large"
    yield Curve(label, top.cols[at], top.rows[at], "points")
    yield Curve("their |z|", np.arange(len(at)), z, "points")
    rows, cols = crossings.rows, crossings.cols
    if rows is not None and cols is not None:
        yield Curve("beyond 4 robust std by column", np.arange(width), cols, "steps")
        yield Curve("beyond 4 robust std by row", rows, np.arange(height), "steps")


def _largest(top: TopWeights, counts: ValueCounts) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Indices of the furthest weights among `top`, and their |z|."""
    at = top.furthest(counts.mean, PLACES)
    z = np.abs(top.values[at] - counts.mean) / counts.std
    least = NEAREST
    if len(z) != counts.n:
        # Others may be as far as the last one: without their positions the map would be misleading.
        least = max(NEAREST, np.nextafter(z[-1], np.inf))
    far = z >= least
    return at[far], z[far]
