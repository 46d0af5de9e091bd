"""The two filters of arXiv 2501.10661: within three sigma of the mean, and not tiny.

Both thresholds come from the whole tensor. A cell stays or goes whole, by its value: exact where cells are exact
values; in bins the thresholds are off by 2^-8 of themselves at most, and the moments of what stays come from the
middles of bins (std to 2e-3, kurtosis to 0.03, but where a few weights make the std). Compare trimmed data with the
trimmed Gaussian (std 0.98658 sigma, excess kurtosis -0.171), never with 1 and 0.
"""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from ...sketches.power_sums import PowerSums
from ...sketches.quantiles import resolved
from .moments import moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

SIGMAS = 3.0  # of the paper
TINY = 1e-3  # tau in sigma; the paper leaves it open, this one is ours
TRIMMED_GAUSSIAN_KURTOSIS = -0.171  # of a Gaussian cut at three sigma


def three_sigma(counts: ValueCounts) -> ValueCounts | None:
    """What lies within |w - mean| <= 3 std, in one pass; None without a std and where bins are too wide."""
    if isnan(counts.std) or not resolved(counts):
        return None
    if counts.minimum == counts.maximum:
        return counts
    return kept(counts, np.abs(counts.value - counts.power.mean) <= SIGMAS * counts.std)


def both_filters(counts: ValueCounts) -> ValueCounts | None:
    """What is within three sigma and at least tau = 1e-3 std from zero; the label `pattern` fits these."""
    inside = three_sigma(counts)
    return inside and kept(inside, np.abs(inside.value) >= TINY * _std(counts))


def tiny_share(counts: ValueCounts) -> float | None:
    """Share of weights with |w| < 1e-3 std, zeros included; None for a constant and in bins that are too wide."""
    std = _std(counts)
    if not (std > 0 and resolved(counts)):
        return None
    return float(counts.counts[np.abs(counts.value) < TINY * std].sum() / counts.n)


def trimmed(counts: ValueCounts) -> Mapping[str, float | None]:
    """`trimmed_std` (in the weights' unit) and `trimmed_kurtosis` (excess) after `three_sigma` alone."""
    inside = three_sigma(counts)
    after = moments(inside) if inside else {}
    return {"trimmed_std": after.get("std"), "trimmed_kurtosis": after.get("kurtosis")}


def kept(counts: ValueCounts, keep: NDArray[np.bool_]) -> ValueCounts:
    """The counts of some cells alone; what never entered a cell is left behind."""
    low, high, value, count = (
        counts.low[keep],
        counts.high[keep],
        counts.value[keep],
        counts.counts[keep],
    )
    first, last = (value, value) if counts.exact else (low, high)
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
        minimum=max(counts.minimum, float(first[0])) if len(value) else float("inf"),
        maximum=min(counts.maximum, float(last[-1])) if len(value) else float("-inf"),
    )


def _std(counts: ValueCounts) -> float:
    return moments(counts)["std"] or 0.0
