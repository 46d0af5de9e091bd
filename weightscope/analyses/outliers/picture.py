"""What `outliers` draws: how large a share of the weights is how far out, and where in the matrix the furthest stand.

Distances are |w - mean|/std, so that tensors of every scale share their axes. Places come with a tensor alone: a page
of many has no room for maps. A label's words after a colon are of its panel.
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
from .request import PLACES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import Crossings, TopWeights, ValueCounts
    from ..measuring import Answer

POINTS = 200  # of a tail, whose ranks are thinned evenly in their logs, and of a line
NEAREST = 0.5  # std: where the Gaussian's line begins, and what is near is not drawn


def panel(answer: Answer, of: Mapping[str, object]) -> Panel:
    """The tail of a piece, and the places of its largest weights where they are known; or why there is nothing."""
    found: Crossings | None = answer.sketches.get(Beyond())
    note = _lack(found.counts if found else None)
    curves = () if found is None or note else (*_tail(found.counts), *_map(answer, found))
    return Panel(titled(of), "outliers", "|w - mean| / std", "share ≥ x", curves, of=of, note=note)


def _lack(counts: ValueCounts | None) -> str:
    if counts is None:
        return "not measured"
    if not counts.n:
        return "no finite value"
    if counts.distinct == 1:
        return "one distinct value"
    if not (isfinite(counts.std) and counts.std > 0):
        return "squares leave float64: no std"
    return "" if resolved(counts) else "std too small beside the mean to tell distances"


def _tail(counts: ValueCounts) -> Iterator[Curve]:
    """The survival function of |z|, and the Gaussian's, erfc(z/sqrt 2), as far as so many of it go."""
    z, share = _survival(counts)
    yield Curve(f"weights: to {z[-1]:.3g} std", z, share, "points")
    end = max_z_null(counts.n) or NEAREST
    x = np.geomspace(NEAREST, end, POINTS)
    yield Curve(f"Gaussian: to {end:.3g} expected", x, special.erfc(x / sqrt(2)))


def _survival(counts: ValueCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ascending distances and the share of weights at least as far; the outermost bins stand at their extremes."""
    value = counts.value.copy()
    value[[0, -1]] = counts.minimum, counts.maximum
    z, cell = np.unique(np.abs(value - counts.mean) / counts.std, return_inverse=True)
    beyond = np.cumsum(np.bincount(cell, counts.counts)[::-1])  # float64 is exact to 2^53
    at = np.unique(np.searchsorted(beyond, np.geomspace(1, beyond[-1], POINTS).astype(int)))[::-1]
    return z[::-1][at], beyond[at] / beyond[-1]


def _map(answer: Answer, found: Crossings) -> Iterator[Curve]:
    """Opposite corners of the matrix, where its largest weights stand and, apart, their |z|; what each line has far."""
    top: TopWeights | None = answer.sketches.get(Top(PLACES))
    shape = answer.piece.entry.shape if answer.piece.entry else (0, 0)
    if top is None or min(shape) < 2:
        return
    at, z = _largest(top, found.counts)
    yield Curve("matrix", np.array((0, shape[1] - 1)), np.array((0, shape[0] - 1)))
    words = "" if len(at) else f": {PLACES} or more are equally large"
    yield Curve(f"largest weights{words}", top.cols[at], top.rows[at], "points")
    yield Curve("their |z|", np.arange(len(at)), z, "points")
    if found.rows is not None and found.cols is not None:
        yield Curve("beyond 4 robust std by column", np.arange(shape[1]), found.cols, "steps")
        yield Curve("beyond 4 robust std by row", found.rows, np.arange(shape[0]), "steps")


def _largest(top: TopWeights, counts: ValueCounts) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which weights are furthest and their |z|; without those as far as the last, of which not all may be known."""
    at = top.furthest(counts.mean, PLACES)
    z = np.abs(top.values[at] - counts.mean) / counts.std
    kept = z >= (NEAREST if len(z) == counts.n else max(NEAREST, np.nextafter(z[-1], np.inf)))
    return at[kept], z[kept]
