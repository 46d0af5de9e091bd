"""Slices: whether one matrix is made of chosen rows and columns of another, and by which rule.

All pairs of a row map and a column map are compared on a sample of rows. The cosine is that of
centred values (centring.py). A rule needs

- a cosine of at least 0.15: independent models stay below 0.06 at 64 rows;
- twice that of the runner-up, on the elements that the two rules give differently: stride 2 and
  linspace 1/2 have half of their lines in common;
- sum(ab) >= 5 sqrt(sum((ab)^2)): of independent values the quotient is about a standard normal
  one, and a few large products never reach it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np
from .axis import Axis
from .centring import centred, magnitude
from .index_maps import IndexMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 0.15  # cosine of a rule
AHEAD = 2.0  # times the runner-up
CERTAIN = 5.0  # standard errors of sum(ab) for independent values
FACTOR = 0.01  # a scale is a factor where it differs from 1 by more, and by 3 standard errors


@dataclass(frozen=True, eq=False)
class SliceSample:
    """A and B at the lines that the maps of both axes need.

    `a` is (len(rows.needed_a), len(columns.needed_a)), `b` the same of B.
    """

    rows: Axis
    columns: Axis
    a: NDArray[Any]
    b: NDArray[Any]

    def paired(self, by_row: IndexMap, by_column: IndexMap) -> tuple[NDArray[Any], NDArray[Any]]:
        """The elements of A and of B that two maps pair, of one shape."""
        a = self.a[np.ix_(self.rows.in_a(by_row), self.columns.in_a(by_column))]
        b = self.b[np.ix_(self.rows.in_b(by_row), self.columns.in_b(by_column))]
        return a, b


@dataclass(frozen=True)
class Slice:
    """The rule, with B = scale * A on the elements that it pairs."""

    rows: str
    columns: str
    cosine: float
    runner_up: float  # cosine of the next rule where it differs; 0 where there is none
    scale: float
    scale_se: float

    @property
    def factor(self) -> float | None:
        """The scale where it differs from 1 by over 1% and over 3 standard errors."""
        difference = abs(self.scale - 1)
        if difference > max(FACTOR, 3 * self.scale_se):
            return self.scale
        return None

    @property
    def name(self) -> str:
        """The rule as printed; "" where nothing was chosen.

        >>> Slice("linspace 2/3", "all", 0.9, 0.0, 1.2247, 0.001).name
        'rows by linspace 2/3, times 1.225'
        """
        parts = []
        if self.rows == self.columns != "all":
            parts.append(f"rows and columns by {self.rows}")
        else:
            sides = (("rows", self.rows), ("columns", self.columns))
            parts += [f"{side} by {rule}" for side, rule in sides if rule != "all"]
        if self.factor is not None:
            parts.append(f"times {self.factor:.4g}")
        return ", ".join(parts)


@dataclass(frozen=True)
class NoSlice:
    """Why no rule was found, with the best cosine and the runner-up where there are any."""

    reason: str
    cosine: float | None = None
    runner_up: float | None = None


@dataclass(frozen=True, eq=False)
class _Pairing:
    """A and B under one row map and one column map."""

    row_map: IndexMap
    column_map: IndexMap
    a: NDArray[np.float64]  # centred, in units of unit_a
    b: NDArray[np.float64]
    units: tuple[float, float]
    count: int  # elements that are finite in both

    @property
    def cosine(self) -> float:
        """Of all elements; 0 where a side is constant."""
        return _cosine(self.a, self.b)

    @property
    def is_constant(self) -> bool:
        """Whether a side has nothing beside its means."""
        return not (self.a.any() and self.b.any())


def find_slice(sample: SliceSample) -> Slice | NoSlice:
    """The row map and the column map of the largest cosine, if it is a rule.

    `scale` is <a, b> / <a, a> with the standard error of a regression through the origin.

    >>> from .axis import axis_of
    >>> a = np.random.default_rng(0).standard_normal((64, 32))
    >>> rows, columns = axis_of(64, 32, 32), axis_of(32, 24, 24)
    >>> b = 3 * a[::2, :24]
    >>> sampled = a[np.ix_(rows.needed_a, columns.needed_a)]
    >>> find_slice(SliceSample(rows, columns, sampled, b)).name
    'rows by stride 2, columns by first 3/4, times 3'
    """
    best: _Pairing | None = None
    for pairing in _pairings(sample):
        if best is None or pairing.cosine > best.cosine:
            best = pairing
    if best is None:
        return NoSlice("no elements")
    if best.is_constant:
        return NoSlice("constant")
    runner_up = _runner_up(sample, best)
    reason = _refusal(best, runner_up)
    if reason:
        return NoSlice(reason, best.cosine, runner_up)
    scale, error = _scale(best)
    return Slice(best.row_map.name, best.column_map.name, best.cosine, runner_up, scale, error)


def _pairings(sample: SliceSample) -> Iterator[_Pairing]:
    """Every row map with every column map."""
    if not sample.a.size or not sample.b.size:
        return
    for row_map in sample.rows.maps:
        for column_map in sample.columns.maps:
            yield _pairing(sample, row_map, column_map)


def _pairing(sample: SliceSample, row_map: IndexMap, column_map: IndexMap) -> _Pairing:
    """The elements that two maps pair, centred."""
    a, b = sample.paired(row_map, column_map)
    finite = np.isfinite(a) & np.isfinite(b)
    count = int(finite.sum())
    if count < finite.size:
        a, b = np.where(finite, a, np.nan), np.where(finite, b, np.nan)
    units = magnitude(a), magnitude(b)
    return _Pairing(row_map, column_map, centred(a, units[0]), centred(b, units[1]), units, count)


def _runner_up(sample: SliceSample, best: _Pairing) -> float:
    """The largest cosine of another rule on the elements that it gives differently, at least 0."""
    largest = 0.0
    at_rows, at_columns = sample.rows.sampled, sample.columns.sampled
    for other in _pairings(sample):
        rows = other.row_map.lines[at_rows] != best.row_map.lines[at_rows]
        columns = other.column_map.lines[at_columns] != best.column_map.lines[at_columns]
        differs = rows[:, None] | columns[None, :]
        largest = max(largest, _cosine(other.a[differs], other.b[differs]))
    return largest


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """<a, b> / |a| |b|; 0 where a norm is 0."""
    norms = np.square(a).sum() * np.square(b).sum()
    if norms == 0:
        return 0.0
    return float((a * b).sum() / sqrt(norms))


def _refusal(best: _Pairing, runner_up: float) -> str:
    """Why the best pair is no rule; "" where it is one."""
    if best.cosine < LEAST:
        return "cosine"
    if best.cosine < AHEAD * runner_up:
        return "runner-up"
    products = best.a * best.b
    if products.sum() < CERTAIN * sqrt(np.square(products).sum()):
        return "few elements"
    return ""


def _scale(best: _Pairing) -> tuple[float, float]:
    """The factor from A to B, and its standard error."""
    unit_a, unit_b = best.units
    energy = np.square(best.a).sum()
    slope = (best.a * best.b).sum() / energy
    rest = np.square(best.b - slope * best.a).sum()
    error = sqrt(rest / max(best.count - 1, 1) / energy)
    unit = unit_b / unit_a
    return float(slope * unit), error * unit
