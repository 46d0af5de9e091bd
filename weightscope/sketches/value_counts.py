"""ValueCounts: a tensor as counted cells `(low, high, count)`, with exact power sums beside them.

A cell is the interval of real numbers that a stored value stands for: edges halfway to the neighbouring representable
values for narrow types and for exact distinct values, bin edges (upper 16 bits of float32) for large wide tensors.
Every law fits cells, and cells of different types merge as their sorted union. Taken by `Count` (count.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite, nan
from typing import TYPE_CHECKING

from ..lazy import numpy as np
from .nonfinite import Place, earliest
from .power_sums import PowerSums

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART = (
    1e-145  # between the extremes: below, squares have fewer digits than others, and at 1e-162 none
)


def _none() -> NDArray[np.float64]:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """Cells in ascending order of value (float64, zero included), int64 counts, and what never enters a cell."""

    low: NDArray[np.float64] = field(default_factory=_none)
    high: NDArray[np.float64] = field(default_factory=_none)
    value: NDArray[np.float64] = field(
        default_factory=_none
    )  # the stored value, or the middle of a bin
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    power: PowerSums = field(default_factory=PowerSums)  # of the finite values, zeros included
    exact: bool = True  # one cell per distinct value; False: bins
    zeros: int = 0  # +0 and -0
    subnormals: int = 0
    inf: int = 0
    nan: int = 0
    minimum: float = float("inf")  # of the finite values, exact
    maximum: float = float("-inf")
    coarse: bool = True  # float32 whose lower halves are all zero: bf16 stored wide
    noncanonical: int = 0  # BOOL bytes that are neither 0 nor 1, counted as true
    first_nonfinite: Place | None = (
        None  # row and column of the first NaN or Inf, from 0; None in pooled counts
    )
    few: NDArray[np.float64] | None = (
        None  # of bins the distinct finite values, ascending, where at most 4,096
    )
    minus_inf: int = 0  # of `inf`

    @property
    def n(self) -> int:
        """How many finite values."""
        return self.power.n

    @property
    def mean(self) -> float:
        """Of the finite values; of a constant its value, which sums may miss by their rounding. NaN where n = 0."""
        return self.minimum if self.minimum == self.maximum else self.power.mean

    @property
    def std(self) -> float:
        """Population standard deviation; of a constant 0: sums leave rounding there, not spread.

        NaN where n = 0, and where float64 does not hold the squares.
        """
        if self.minimum == self.maximum:
            return 0.0
        std = self.power.std
        return std if self.maximum - self.minimum > APART and isfinite(std) else nan

    @property
    def values(self) -> NDArray[np.float64] | None:
        """The distinct finite values, ascending; None where cells are bins and they are many."""
        return self.value if self.exact else self.few

    @property
    def distinct(self) -> int | None:
        """How many distinct finite values, up to 65,536; None beyond, and where they are not known."""
        if self.n and self.minimum == self.maximum:
            return 1
        return len(self.values) if self.values is not None and len(self.values) <= 65536 else None

    def forget(self) -> ValueCounts:
        """Without the place of the first NaN or Inf: counts have no other position."""
        return replace(self, first_nonfinite=None)

    def without_zeros(self) -> ValueCounts:
        """The non-zero values alone, for laws that a spike at zero would ruin."""
        keep = self.value != 0
        p = self.power.about(0.0)
        rest = PowerSums(p.n - self.zeros, 0.0, p.s1, p.s2, p.s3, p.s4)
        cells = self.low[keep], self.high[keep], self.value[keep], self.counts[keep]
        few = None if self.few is None else self.few[self.few != 0]
        kept = replace(
            self, low=cells[0], high=cells[1], value=cells[2], counts=cells[3], zeros=0, few=few
        )
        return replace(kept, power=PowerSums.of(kept.value, kept.counts) if self.exact else rest)

    def __add__(self, other: ValueCounts) -> ValueCounts:
        """Sorted union of the cells; equal cells add."""
        low, high, value, counts = _union(self, other)
        return ValueCounts(
            low,
            high,
            value,
            counts,
            self.power + other.power,
            self.exact and other.exact,
            self.zeros + other.zeros,
            self.subnormals + other.subnormals,
            self.inf + other.inf,
            self.nan + other.nan,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.coarse and other.coarse,
            self.noncanonical + other.noncanonical,
            earliest(self.first_nonfinite, other.first_nonfinite),
            None if self.exact and other.exact else _both(self.values, other.values),
            self.minus_inf + other.minus_inf,
        )


def _both(
    a: NDArray[np.float64] | None, b: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    return None if a is None or b is None else np.union1d(a, b)


def _union(
    a: ValueCounts, b: ValueCounts
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    if (
        len(a.value) == len(b.value)
        and np.array_equal(a.value, b.value)
        and np.array_equal(a.low, b.low)
    ):
        return a.low, a.high, a.value, a.counts + b.counts
    low, high, value = (
        np.concatenate(pair) for pair in ((a.low, b.low), (a.high, b.high), (a.value, b.value))
    )
    counts = np.concatenate((a.counts, b.counts))
    order = np.lexsort((high, low, value))
    low, high, value, counts = low[order], high[order], value[order], counts[order]
    # With every value exact, the same value in two types (bf16 and float32) is one cell: the finer one.
    same = (
        value[1:] == value[:-1]
        if a.exact and b.exact
        else (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    )
    starts = np.flatnonzero(np.concatenate(([True], ~same))) if len(value) else np.zeros(0, np.intp)
    if not len(starts):
        return low, high, value, counts
    return (
        np.maximum.reduceat(low, starts),
        np.minimum.reduceat(high, starts),
        value[starts],
        np.add.reduceat(counts, starts),
    )
