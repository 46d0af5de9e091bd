"""Coding costs of weights: entropy at a step, exp-Golomb codes, and two powers of two per value.

Exact for exact cells, which large float32 tensors of at most 4,096 values have too. For the
entropy, bins (of other large float32 tensors) are spread evenly over the steps they cover; for the
other two they count as their middle. The page of statistics has the errors. arXiv 2506.00486.
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
LARGEST = 2.0**128  # beyond float32 a code is longer than the number itself
DIGITS = 4  # most binary digits between the two powers of a value

_SOURCE = "arXiv 2506.00486"
COLUMNS = (
    Column(
        "entropy_bits",
        "float",
        "entropy of the weights rounded to steps of 2^-13",
        "bits/weight",
        _SOURCE,
        option="--coding",
        version=2,
    ),
    Column(
        "entropy_bits_std64",
        "float",
        "entropy at steps of std/64, comparable between models",
        "bits/weight",
        option="--coding",
        version=2,
    ),
    Column(
        "golomb_bits",
        "float",
        "cost of the best exp-Golomb code at steps of 2^-13",
        "bits/weight",
        _SOURCE,
        option="--coding",
        version=2,
    ),
    Column("golomb_order", "int", "order k of that code", option="--coding", version=2),
    Column(
        "rf8_rmse",
        "float",
        "relative RMS error of two signed powers of two per weight (Gaussian: 0.0396)",
        "",
        _SOURCE,
        option="--coding",
        version=2,
    ),
)


def coding_costs(counts: ValueCounts) -> Mapping[str, float | int | None]:
    """The columns of `--coding`: null without weights, `entropy_bits_std64` also where std is 0."""
    std = counts.std
    entropy_std64 = None
    if std > 0:
        entropy_std64 = entropy_bits(counts, std / STEPS_PER_STD)
    bits, order = golomb(counts)
    return {
        "entropy_bits": entropy_bits(counts, STEP),
        "entropy_bits_std64": entropy_std64,
        "golomb_bits": bits,
        "golomb_order": order,
        "rf8_rmse": rf8_rmse(counts),
    }


def entropy_bits(counts: ValueCounts, step: float) -> float | None:
    """Entropy in bits per weight of round(w/step), half to even: -sum p log2 p."""
    if not counts.n:
        return None
    if not counts.exact:
        weights, times = _spread(counts, step)
        return _entropy(weights, times)
    _, weights = _summed_by_key(np.rint(counts.value / step), counts.counts)
    return _entropy(weights, np.ones(len(weights)))


def golomb(counts: ValueCounts) -> tuple[float | None, int | None]:
    """Bits per weight of the best order-k exp-Golomb code of x = round(w 2^13), and that k.

    Of several best orders the lowest. u = 2x-1 for x > 0 and -2x otherwise costs 2 floor(log2(u +
    2^k)) + 1 - k bits. None beyond float32's range.
    """
    if not counts.n or max(-counts.minimum, counts.maximum) >= LARGEST:
        return None, None
    x = np.rint(counts.value / STEP)
    unsigned = np.where(x > 0, 2 * x - 1, -2 * x)
    u, weights = _summed_by_key(unsigned, counts.counts)
    # From an order of that many bits on, every word has k + 1 bits.
    largest = int(_floor_log2(u[-1:] + 1)[0]) + 1
    costs = [dot(_golomb_bits(u, k), weights) / counts.n for k in range(largest + 1)]
    best = int(np.argmin(costs))
    return costs[best], best


def rf8_rmse(counts: ValueCounts) -> float | None:
    """Relative RMS error of two signed powers of two per weight (Gaussian: 0.0396); None of zeros.

    The first is 2^round(log2|w|), the second that of the remainder, dropped if over 4 binary digits
    below the first.
    """
    size = np.abs(counts.value)
    if not size.any():
        return None
    exponent = np.floor(np.log2(size.max()))
    size = size / np.exp2(exponent)  # scaling by a power of two is exact; squares do not overflow
    size, weights = size[size > 0], counts.counts[size > 0]
    error = size - _two_powers(size)
    return sqrt(dot(error * error, weights) / dot(size * size, weights))


def _two_powers(size: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the two powers of two that represents each size."""
    first = np.rint(np.log2(size))
    rest = size - np.exp2(first)
    second = np.rint(np.log2(np.where(rest == 0, 1.0, np.abs(rest))))
    correction = np.sign(rest) * np.exp2(second)
    return np.exp2(first) + np.where(first - second <= DIGITS, correction, 0.0)


def _golomb_bits(u: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    length = _floor_log2(u + 2.0**k)
    return 2 * length + 1 - k


def _floor_log2(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact, unlike the rounded logarithm."""
    _, exponent = np.frexp(x)  # x = mantissa 2^exponent, mantissa in 0.5..1
    return exponent.astype(np.float64) - 1


def _summed_by_key(
    keys: NDArray[np.float64], weights: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Distinct keys in ascending order and the sum of the weights of each."""
    distinct, at = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(at, weights=weights)


def _spread(counts: ValueCounts, step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights per step, with bins spread evenly over their steps, and the number of such steps.

    Two bins may share their outermost steps, whose weights are added; the steps inside a bin have
    equal weights, and are one entry with their number.
    """
    low, high = counts.low / step, counts.high / step
    first, last = np.rint(low), np.rint(high)
    wide = last > first
    # step i covers i - 0.5 .. i + 0.5, so the outermost two are covered in part
    per_step = counts.counts / np.where(wide, high - low, 1.0)
    at_first = np.where(wide, per_step * (first + 0.5 - low), counts.counts)
    at_last = np.where(wide, per_step * (high - last + 0.5), 0.0)
    steps = np.concatenate((first, last))  # of a bin within one step, last adds 0 to first
    _, outer = _summed_by_key(steps, np.concatenate((at_first, at_last)))
    inner = last - first - 1
    weights = np.concatenate((outer, per_step[inner > 0]))
    times = np.concatenate((np.ones(len(outer)), inner[inner > 0]))
    return weights, times


def _entropy(weights: NDArray[np.float64], times: NDArray[np.float64]) -> float:
    """-sum p log2 p, where each weight occurs so many times."""
    used = weights > 0
    p = weights[used] / dot(weights, times)
    return -dot(times[used] * p, np.log2(p)) + 0.0  # not -0.0 of a constant


def _coding_columns(evidence: Evidence) -> Mapping[str, object]:
    return coding_costs(evidence.sketches[Count()])


CODING = Statistic(COLUMNS, frozenset({Count()}), _coding_columns, pools=True)
