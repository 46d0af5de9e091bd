"""What weights cost to code: entropy at a step, exp-Golomb codes, and two powers of two instead of a value.

Exact for exact cells. Bins (large float32 tensors) are spread evenly over the steps they cover for the entropy, and
stand for their middle in the other two (golomb_bits within 1e-2, rf8_rmse within 1% of itself). arXiv 2506.00486.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np
from ...sketches import Count
from ..statistic import Evidence, Statistic
from .moments import dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches.value_counts import ValueCounts

STEP = 2.0**-13  # of the paper
STEPS_PER_STD = 64  # ours, so that models of different sigma compare
LARGEST = 2.0**128  # a code of more bits than this answers no question
KEPT = 4  # binary places below the first power that the second may stand

_SOURCE = "arXiv 2506.00486"
COLUMNS = (
    Column(
        "entropy_bits",
        "float",
        "entropy of the weights rounded to steps of 2^-13",
        "bits/weight",
        _SOURCE,
        option="--coding",
    ),
    Column(
        "entropy_bits_std64",
        "float",
        "entropy at steps of std/64, comparable between models",
        "bits/weight",
        option="--coding",
    ),
    Column(
        "golomb_bits",
        "float",
        "cost of the best exp-Golomb code at steps of 2^-13",
        "bits/weight",
        _SOURCE,
        option="--coding",
    ),
    Column("golomb_order", "int", "order k of that code", option="--coding"),
    Column(
        "rf8_rmse",
        "float",
        "relative RMS error of two signed powers of two a weight (Gaussian: 0.0396)",
        "",
        _SOURCE,
        option="--coding",
    ),
)


def coding_costs(counts: ValueCounts) -> Mapping[str, float | int | None]:
    """The five columns of `--coding`; `entropy_bits_std64` is null for a constant, all are without finite weights."""
    std = counts.std
    bits, order = golomb(counts)
    return {
        "entropy_bits": entropy_bits(counts, STEP),
        "entropy_bits_std64": entropy_bits(counts, std / STEPS_PER_STD) if std > 0 else None,
        "golomb_bits": bits,
        "golomb_order": order,
        "rf8_rmse": rf8_rmse(counts),
    }


def entropy_bits(counts: ValueCounts, step: float) -> float | None:
    """Entropy in bits per weight of round(w/step), half to even: -sum p log2 p."""
    if not counts.n:
        return None
    if not counts.exact:
        return _entropy(*_spread(counts, step))
    held = _summed(np.rint(counts.value / step), counts.counts)[1]
    return _entropy(held, np.ones(len(held)))


def golomb(counts: ValueCounts) -> tuple[float | None, int | None]:
    """Bits per weight of the best order-k exp-Golomb code of x = round(w 2^13), and that k (the least of equals).

    u = 2x-1 for x > 0 and -2x otherwise costs 2 floor(log2(u + 2^k)) + 1 - k bits. None beyond float32's range.
    """
    if not counts.n or max(-counts.minimum, counts.maximum) >= LARGEST:
        return None, None
    x = np.rint(counts.value / STEP)
    u, held = _summed(np.where(x > 0, 2 * x - 1, -2 * x), counts.counts)
    costs = [
        dot(_golomb_bits(u, k), held) / counts.n for k in range(int(_floor_log2(u[-1:] + 1)[0]) + 2)
    ]
    best = int(np.argmin(costs))
    return costs[best], best


def rf8_rmse(counts: ValueCounts) -> float | None:
    """Relative RMS error of two signed powers of two (Gaussian: 0.0396); None without a non-zero weight.

    The first is 2^round(log2|w|), the second that of the remainder, kept if at most 4 places below the first.
    """
    size = np.abs(counts.value)
    if not size.any():
        return None
    size = size / np.exp2(
        np.floor(np.log2(size.max()))
    )  # a power of two changes nothing, and squares hold
    size, held = size[size > 0], counts.counts[size > 0]
    error = size - _two_powers(size)
    return sqrt(dot(error * error, held) / dot(size * size, held))


def _two_powers(size: NDArray[np.float64]) -> NDArray[np.float64]:
    first = np.rint(np.log2(size))
    rest = size - np.exp2(first)
    second = np.rint(np.log2(np.where(rest == 0, 1.0, np.abs(rest))))
    return np.exp2(first) + np.where(first - second <= KEPT, np.sign(rest) * np.exp2(second), 0.0)


def _golomb_bits(u: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    return 2 * _floor_log2(u + 2.0**k) + 1 - k


def _floor_log2(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact, unlike the rounded logarithm."""
    return np.frexp(x)[1].astype(np.float64) - 1


def _summed(
    keys: NDArray[np.float64], held: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Distinct keys in ascending order and what each holds."""
    distinct, at = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(at, weights=held)


def _spread(counts: ValueCounts, step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What steps hold when each bin is spread evenly over those it covers, and how many steps hold that.

    Bins meet in their outermost steps; the steps inside a bin are its own, so they are counted and not listed.
    """
    low, high = counts.low / step, counts.high / step
    first, last = np.rint(low), np.rint(high)
    wide = last > first
    each = counts.counts / np.where(wide, high - low, 1.0)
    at_first = np.where(wide, each * (first + 0.5 - low), counts.counts)
    at_last = np.where(wide, each * (high - last + 0.5), 0.0)
    met = _summed(np.concatenate((first, last)), np.concatenate((at_first, at_last)))[1]
    own = last - first > 1
    return np.concatenate((met, each[own])), np.concatenate(
        (np.ones(len(met)), (last - first - 1)[own])
    )


def _entropy(held: NDArray[np.float64], times: NDArray[np.float64]) -> float:
    p = held[held > 0] / dot(held, times)
    return -dot(times[held > 0] * p, np.log2(p)) + 0.0


def _of(evidence: Evidence) -> Mapping[str, object]:
    return coding_costs(evidence.sketches[Count()])


CODING = Statistic(COLUMNS, frozenset({Count()}), _of, pools=True)
