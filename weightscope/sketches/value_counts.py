"""ValueCounts: a tensor as counted cells `(low, high, count)`, with exact power sums beside them.

A cell is the interval of real numbers that a stored value represents: edges halfway to the
neighbouring representable values for narrow types and for exact distinct values, bin edges (upper
16 bits of float32) for large wide tensors. Laws are fitted to cells, and cells of different types
merge as their sorted union. Computed by `Count` (count.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite, nan
from typing import TYPE_CHECKING

from ..lazy import numpy as np
from .nonfinite import Position, earliest
from .power_sums import PowerSums
from .steps import Steps, of_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Edges = NDArray[np.float64]
    Cells = tuple[Edges, Edges, NDArray[np.float64], NDArray[np.int64]]  # low, high, value, counts

# Smallest distance of the extremes at which squares have all digits; at 1e-162 they have none.
APART = 1e-145
DISTINCT = 65536  # most distinct values that are counted
FEWEST_ZEROS = 0.0025  # share of zeros from which a quantiser is looked for: int8 makes 0.4%


def _none() -> NDArray[np.float64]:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """Cells in ascending order (float64, zero included), int64 counts, and non-finite values."""

    low: NDArray[np.float64] = field(default_factory=_none)
    high: NDArray[np.float64] = field(default_factory=_none)
    value: NDArray[np.float64] = field(default_factory=_none)  # stored value, or middle of a bin
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
    # Row and column of the first NaN or Inf, from 0; None in pooled counts.
    first_nonfinite: Position | None = None
    minus_inf: int = 0  # of `inf`
    steps: Steps | None = None  # of a quantiser, where rows of this tensor showed them

    @property
    def n(self) -> int:
        """Number of finite values."""
        return self.power.n

    @property
    def mean(self) -> float:
        """Mean of the finite values; NaN where n = 0.

        For a constant its exact value, from which sums may differ by their rounding.
        """
        if self.minimum == self.maximum:
            return self.minimum
        return self.power.mean

    @property
    def std(self) -> float:
        """Population standard deviation; 0 for a constant, where sums have rounding errors only.

        NaN where n = 0, and where squares overflow or underflow.
        """
        if self.minimum == self.maximum:
            return 0.0
        std = self.power.std
        if self.maximum - self.minimum > APART and isfinite(std):
            return std
        return nan

    @property
    def values(self) -> NDArray[np.float64] | None:
        """The distinct finite values, ascending; None for bins."""
        if self.exact:
            return self.value
        return None

    @property
    def distinct(self) -> int | None:
        """Number of distinct finite values up to 65,536; None for more, and where unknown."""
        if self.n and self.minimum == self.maximum:
            return 1
        values = self.values
        if values is None or len(values) > DISTINCT:
            return None
        return len(values)

    def forget(self) -> ValueCounts:
        """Without the position of the first NaN or Inf: counts have no other position."""
        return replace(self, first_nonfinite=None)

    def without_zeros(self, number: int | None = None) -> ValueCounts:
        """Without `number` of the zeros, by default all, for laws that do not fit a spike at zero.

        Where every zero goes, its cell goes too.
        """
        if number is None:
            number = self.zeros
        left = self.zeros - number
        counts = self.counts.copy()
        zeros = self.value == 0
        counts[zeros] = _scaled(self.counts[zeros], left)
        kept = counts > 0
        value, counts = self.value[kept], counts[kept]
        if self.exact:
            power = PowerSums.of(value, counts)
        else:
            p = self.power.about(0.0)  # about 0, zeros add to n alone
            power = PowerSums(p.n - number, 0.0, p.s1, p.s2, p.s3, p.s4)
        return replace(
            self,
            low=self.low[kept],
            high=self.high[kept],
            value=value,
            counts=counts,
            power=power,
            zeros=left,
        )

    def __add__(self, other: ValueCounts) -> ValueCounts:
        """Sorted union of the cells; equal cells add."""
        low, high, value, counts = _union(self, other)
        return ValueCounts(
            low=low,
            high=high,
            value=value,
            counts=counts,
            power=self.power + other.power,
            exact=self.exact and other.exact,
            zeros=self.zeros + other.zeros,
            subnormals=self.subnormals + other.subnormals,
            inf=self.inf + other.inf,
            nan=self.nan + other.nan,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            coarse=self.coarse and other.coarse,
            noncanonical=self.noncanonical + other.noncanonical,
            first_nonfinite=earliest(self.first_nonfinite, other.first_nonfinite),
            minus_inf=self.minus_inf + other.minus_inf,
            steps=_steps_of_both(self, other),
        )


def _steps_of_both(a: ValueCounts, b: ValueCounts) -> Steps | None:
    """None where neither has steps, or where one has zeros that no steps explain."""
    if a.steps is None and b.steps is None:
        return None
    of_a, of_b = _steps_or_cells(a), _steps_or_cells(b)
    if of_a is None or of_b is None:
        return None
    return of_a + of_b


def _steps_or_cells(counts: ValueCounts) -> Steps | None:
    if counts.steps is not None:
        return counts.steps
    if counts.zeros > FEWEST_ZEROS * counts.n:
        return None
    return of_cells(counts.value, counts.low, counts.high, counts.counts)


def _scaled(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Counts in the same proportions with another total: zero has several cells on steps."""
    before = counts.sum()
    if not before:
        return counts
    return whole(np.cumsum(counts) * (total / before))


def whole(upto: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers with these sums from the first on, rounded.

    >>> whole(np.array([0.4, 0.8, 1.2])).tolist()
    [0, 1, 0]
    """
    return np.asarray(np.diff(np.rint(upto), prepend=0), np.int64)


def _union(a: ValueCounts, b: ValueCounts) -> Cells:
    # The usual case: tiles or tensors of one type with the same values.
    if np.array_equal(a.value, b.value) and np.array_equal(a.low, b.low):
        return a.low, a.high, a.value, a.counts + b.counts
    low = np.concatenate((a.low, b.low))
    high = np.concatenate((a.high, b.high))
    value = np.concatenate((a.value, b.value))
    counts = np.concatenate((a.counts, b.counts))
    order = np.lexsort((high, low, value))
    low, high, value, counts = low[order], high[order], value[order], counts[order]
    same = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    if a.exact and b.exact:
        # A value of two types (bf16 and float32) is one cell: the finer one.
        same = value[1:] == value[:-1]
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    return (
        np.maximum.reduceat(low, starts),
        np.minimum.reduceat(high, starts),
        value[starts],
        np.add.reduceat(counts, starts),
    )
