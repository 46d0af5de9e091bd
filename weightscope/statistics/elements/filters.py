"""The two filters of arXiv 2501.10661: within three sigma of the mean, and not tiny.

Both thresholds come from the whole tensor. A cell passes whole or not at all, by its value: exact
where cells are exact values; of bins the thresholds are off by 2^-8 of themselves at most, and the
moments of the filtered weights come from the middles of the bins (std to 2e-3, kurtosis to 0.03,
unless a few weights dominate the std). Compare trimmed data with the trimmed Gaussian (std 0.98658
sigma, excess kurtosis -0.171), never with 1 and 0.
"""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...lazy import special
from ...sketches.power_sums import PowerSums
from ...sketches.quantiles import resolved
from .moments import moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

SIGMAS = 3.0  # of the paper
TINY = 1e-3  # tau in sigma; the paper gives no value, this one is ours


def three_sigma(counts: ValueCounts) -> ValueCounts | None:
    """Weights with |w - mean| <= 3 std, in one pass; None if std is undefined or bins too wide."""
    if isnan(counts.std) or not resolved(counts):
        return None
    if counts.minimum == counts.maximum:
        return counts  # std is 0, and rounding of the mean would exclude everything
    mean, reach = counts.power.mean, SIGMAS * counts.std
    if counts.steps is not None and counts.steps.applied:
        counts = _divided(counts)
    distance = np.abs(counts.value - mean)
    return _selected(counts, distance <= reach)


def both_filters(counts: ValueCounts) -> ValueCounts | None:
    """Weights within three sigma and at least tau = 1e-3 std from zero, for the pattern label.

    A cell of zero that reaches beyond tau on both sides stays.
    """
    inside = three_sigma(counts)
    if inside is None:
        return None
    tau = TINY * _std(counts)
    # The zero of a lattice stands for half a step on each side: it is a cell like the others.
    furthest = np.maximum(np.abs(inside.value), np.minimum(inside.high, -inside.low))
    return _selected(inside, furthest >= tau)


def tiny_share(counts: ValueCounts) -> float | None:
    """Share of |w| < 1e-3 std, zeros included; None for a constant and where bins are too wide."""
    std = _std(counts)
    if not (std > 0 and resolved(counts)):
        return None
    tiny = np.abs(counts.value) < TINY * std
    return float(counts.counts[tiny].sum() / counts.n)


def trimmed(counts: ValueCounts) -> Mapping[str, float | None]:
    """`trimmed_std`, in the weights' unit, and excess `trimmed_kurtosis` after `three_sigma`."""
    inside = three_sigma(counts)
    if inside is None:
        return {"trimmed_std": None, "trimmed_kurtosis": None}
    after = moments(inside)
    return {"trimmed_std": after["std"], "trimmed_kurtosis": after["kurtosis"]}


def _divided(counts: ValueCounts) -> ValueCounts:
    """Of cells of steps that lie across the limit, the part within three sigma.

    It has the share of a Gaussian, since a wide cell has few weights at its far end.
    """
    mean, std = counts.power.mean, counts.std
    low, high = (counts.low - mean) / std, (counts.high - mean) / std
    near, far = np.clip(low, -SIGMAS, SIGMAS), np.clip(high, -SIGMAS, SIGMAS)
    across = (near < far) & ((near > low) | (far < high))
    share = np.ones(len(low))
    whole = special.ndtr(high[across]) - special.ndtr(low[across])
    share[across] = (special.ndtr(far[across]) - special.ndtr(near[across])) / whole
    value = np.clip((counts.value - mean) / std, near, far)
    return replace(
        counts,
        low=np.where(across, mean + std * near, counts.low),
        high=np.where(across, mean + std * far, counts.high),
        value=np.where(across, mean + std * value, counts.value),
        counts=np.rint(counts.counts * share).astype(np.int64),
    )


def _selected(counts: ValueCounts, passes: NDArray[np.bool_]) -> ValueCounts:
    """The counts of some cells alone, without NaN and Inf."""
    low, high = counts.low[passes], counts.high[passes]
    value, count = counts.value[passes], counts.counts[passes]
    minimum, maximum = float("inf"), float("-inf")
    if len(value):
        first, last = low[0], high[-1]  # of bins only the edges are known
        if counts.exact:
            first, last = value[0], value[-1]
        minimum = max(counts.minimum, float(first))
        maximum = min(counts.maximum, float(last))
    return replace(
        counts,
        low=low,
        high=high,
        value=value,
        counts=count,
        power=PowerSums.of(value, count),
        zeros=int(count[value == 0].sum()),
        subnormals=0,
        inf=0,
        nan=0,
        minimum=minimum,
        maximum=maximum,
    )


def _std(counts: ValueCounts) -> float:
    """std, 0 where it is undefined."""
    return moments(counts)["std"] or 0.0
