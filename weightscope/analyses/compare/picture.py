"""The picture of `compare`: densities of A, B and B - A, and norms for a bar per layer and role.

All densities are in units of A's sigma, those of A and B about A's mean. Each law has bins of its
own scale, so that a change of a thousandth and a law of many sigma are both resolved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import asinh, ceil, isfinite, sqrt
from typing import TYPE_CHECKING, Any

from ...columns import Curve, Panel, titled
from ...lazy import numpy as np
from ...sketches import Count
from ...statistics.laws.density import density
from ...statistics.pairs.labels import DELTA, MOMENTS, A, B
from ...statistics.statistic import At
from .matching_lines import common_moments
from .pair import Pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts
    from ...sketches.pair_record import PairMoments

BIN = 0.06  # std of a law: the narrowest bin
OUTLYING = 8.0  # std of a law: further weights would squeeze the bulk of all panels
CONSTANT = "A is constant, so only a bar is drawn"


def panel(pair: Pair, sketches: Mapping[Any, Any]) -> Panel:
    """The laws of a pair and its norms, or the reason why there are none."""
    of = {"tensor": pair.name}
    moments = _moments(pair, sketches)
    return _panel(of, sketches, moments, _lack(pair, sketches), _norms(pair, moments))


def bar(pair: Pair, sketches: Mapping[Any, Any], keys: Mapping[str, object]) -> Panel:
    """The norms of a pair in a group, or the reason why there are none."""
    values = _norms(pair, _moments(pair, sketches))
    note = "" if values else _lack(pair, sketches) or "only the laws are compared"
    return Panel(pair.name, "change", of=keys, note=note, values=values)


def group_panel(keys: Mapping[str, object], pooled: Mapping[Any, Any]) -> Panel | None:
    """The laws of the pooled pairs of a group; None where no pair was measured."""
    if At(A, Count()) not in pooled or At(B, Count()) not in pooled:
        return None
    return _panel(keys, pooled, pooled.get(MOMENTS), "", {})


def _panel(
    of: Mapping[str, object],
    sketches: Mapping[Any, Any],
    moments: PairMoments | None,
    lack: str,
    values: Mapping[str, object],
) -> Panel:
    curves: tuple[Curve, ...] = ()
    note = lack
    if not lack:
        curves = tuple(_curves(sketches, moments))
        note = "" if curves else CONSTANT
    return Panel(
        titled(of) or "model",
        "change",
        "weight / sigma of A",
        "density",
        curves,
        of=of,
        note=note,
        values=values,
    )


def _lack(pair: Pair, sketches: Mapping[Any, Any]) -> str:
    """Why there are no laws."""
    if not pair.is_paired:
        return "no partner"
    if not pair.is_weight:
        return "a buffer"
    for label in (A, B):
        counts: ValueCounts | None = sketches.get(At(label, Count()))
        if counts is None:
            return "not measured"
        if not counts.n:
            return "no finite value"
    return ""


def _moments(pair: Pair, sketches: Mapping[Any, Any]) -> PairMoments | None:
    """The moments of the elements in common; None where they are of different rows."""
    moments = common_moments(pair, sketches)
    if moments is None or not moments.n:
        return None
    return moments


def _norms(pair: Pair, moments: PairMoments | None) -> dict[str, object]:
    """The place of a pair with |A| and |D|; empty where they are unknown."""
    if moments is None or not isfinite(moments.aa) or not isfinite(moments.dd):
        return {}
    place = pair.place
    return {
        "stack": place.stack,
        "layer": place.layer,
        "role": "bias" if place.kind == "bias" else place.role,
        "norm_a": sqrt(moments.aa),
        "delta_fro": sqrt(moments.dd),
    }


def _curves(sketches: Mapping[Any, Any], moments: PairMoments | None) -> Iterator[Curve]:
    """The densities of A, of B and of their difference where elements belong together."""
    a: ValueCounts = sketches[At(A, Count())]
    b: ValueCounts = sketches[At(B, Count())]
    if not a.std > 0:
        return
    yield law_curve("A", a, a.mean, a.std)
    yield law_curve(f"B: std {b.std / a.std:.3g}", b, a.mean, a.std)
    d: ValueCounts | None = sketches.get(At(DELTA, Count()))
    if d is None or not d.n or moments is None:
        return
    if moments.dd:
        yield law_curve(f"B - A: relative {sqrt(moments.dd / moments.aa):.3g}", d, 0.0, a.std)
    else:
        yield Curve("B - A: unchanged", np.zeros(0), np.zeros(0))  # a spike would hide A and B


def law_curve(label: str, counts: ValueCounts, centre: float, sigma: float) -> Curve:
    """The density of (w - centre)/sigma, with bins of the law's own scale."""
    std = counts.std if counts.std > 0 else sigma * BIN  # a constant
    edges = (counts.mean - centre + std * _edges(counts, std)) / sigma
    heights = density(counts, edges, (centre, sigma))
    assert heights is not None
    weights = heights * np.diff(edges) * counts.n
    heights[weights < 0.5] = 0.0  # the edge of a cell, whose weight is in the next bin
    return Curve(label, (edges[1:] + edges[:-1]) / 2, heights)


def _edges(counts: ValueCounts, std: float) -> NDArray[np.float64]:
    """Edges of bins to both sides of the mean in std, evenly spaced in asinh, to the extremes.

    Near the mean a bin is as wide as the law is resolved by so many weights, 1.5/n^(1/3), beyond
    1 std in proportion to the distance. The mean is the middle of a bin.
    """
    furthest = max(counts.maximum - counts.mean, counts.mean - counts.minimum)
    reach = min(furthest / std, OUTLYING)
    width = max(BIN, 1.5 / np.cbrt(counts.n))
    bins = ceil(asinh(reach) / width)
    steps = np.arange(-bins, bins + 2) - 0.5
    return np.asarray(np.sinh(steps * width))
