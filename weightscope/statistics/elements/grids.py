"""Grids of quantisers in groups of weights that share a scale: steps, floats of few bits, NF4.

A group is on a grid where each weight is within its own rounding of a grid point. The largest
weight is a grid point itself, which leaves few candidates for the scale. The evidence is the number
of bits by which chance would have missed: a value of a continuous law is within t of a grid of
spacing s with a probability of 2t/s, and equal values count once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Groups = NDArray[np.float64]  # (groups, values)
    Fit = tuple[Groups, Groups]  # nearest grid points, and the spacing of the grid there

FEWEST = 3  # sizes in a group: fewer are on any grid
NET = 6.0  # least bits of evidence of a group, beyond those that choose its scale
SHARE = 0.95  # of the groups that are on the grid
TOTAL = 40.0  # least bits of evidence of all groups
TOGETHER = 32  # steps that are tried at once
MISSES = 0.02  # share of the values of a group beside the grid
FIRST = 4  # one group in so many is tested first
MOST_STEPS = (15, 255)  # of the largest size: int4 and int8 with a zero point at one end
MOST_STEPS_OF_SPAN = 31  # between the least and the greatest value: 5 bits with a real zero point
# Peak over the smallest size: of floats of at most 6 bits over 4, of E2M1 at most 6/0.5. Groups
# whose scales are powers of two are on floats of two digits together, which reach farther.
FP4_REACH, FP4_MOST_REACH = 6.0, 12.2
# Quantiles of a Gaussian, scaled to -1..1 (QLoRA, arXiv 2305.14314, appendix E).
NF4 = (
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
)


@dataclass(frozen=True, eq=False)
class Sized:
    """Values of some groups, ascending, NaN where repeated or zero; how far each was rounded.

    `peak` (groups, 1) is the largest size; a scale that follows from it is off by its rounding.
    """

    values: Groups
    rounding: Groups
    peak: Groups
    peak_rounding: Groups

    def where(self, groups: NDArray[np.bool_]) -> Sized:
        """Some of the groups."""
        return Sized(
            self.values[groups],
            self.rounding[groups],
            self.peak[groups],
            self.peak_rounding[groups],
        )


@dataclass(frozen=True)
class Spacing:
    """The rounding of a type: its spacing at 1, and its least spacing; `slack` roundings of each.

    The arithmetic of a dequantised float32 tensor rounds several times, of a narrower type once.
    """

    eps: float
    least: float
    slack: float

    def rounding(self, values: Groups) -> Groups:
        """The distance to a number before its rounding, at most."""
        _, exponent = np.frexp(values)
        half = np.ldexp(self.eps / 2, exponent - 1)
        rounding: Groups = self.slack * np.maximum(half, self.least / 2)
        return rounding


def magnitudes(groups: Groups, spacing: Spacing) -> Sized:
    """The distinct sizes |w| of each group."""
    sizes = _distinct(np.abs(groups))
    return _sized(sizes, spacing.rounding(sizes))


def signed(groups: Groups, spacing: Spacing) -> Sized:
    """The distinct values of each group."""
    values = _distinct(groups)
    return _sized(values, spacing.rounding(values))


def above_least(groups: Groups, spacing: Spacing) -> Sized:
    """The distinct distances w - min w of each group."""
    least = groups.min(axis=1, keepdims=True)
    of_least = spacing.rounding(least)
    distances = _distinct(groups - least)
    rounding = spacing.rounding(np.abs(distances) + np.abs(least)) + of_least
    return _sized(distances, rounding)


def _sized(values: Groups, rounding: Groups) -> Sized:
    sizes = np.nan_to_num(np.abs(values))
    at = sizes.argmax(axis=1)[:, None]
    peak = np.take_along_axis(sizes, at, 1)
    return Sized(values, rounding, peak, np.nan_to_num(np.take_along_axis(rounding, at, 1)))


def _distinct(values: Groups) -> Groups:
    """Ascending without zeros and repeated values; NaN at the end of groups that have fewer."""
    ordered = np.sort(values, axis=1)
    left_out = ordered == 0
    left_out[:, 1:] |= ordered[:, 1:] == ordered[:, :-1]
    distinct = np.sort(np.where(left_out, np.nan, ordered), axis=1)  # NaN last
    most = int((~left_out).sum(axis=1).max())
    return distinct[:, :most]


def on_grid(sized: Sized, fit: Callable[[Groups, Groups], Fit], candidates: int) -> Groups:
    """Net bits of evidence of each group that is on the grid `fit(values, peak)`; NaN of others.

    `candidates` is the number of scales among which this one was chosen.
    """
    points, spacing = fit(sized.values, sized.peak)
    tolerance = _tolerance(sized)
    near = np.abs(sized.values - points) <= tolerance  # False for NaN
    on = _hits(sized, near)
    net = np.full(len(points), np.nan)
    if on.any():
        net[on] = _net(sized.where(on), 2 * tolerance[on] / spacing[on], candidates)
    return net


def _tolerance(sized: Sized) -> Groups:
    share_of_peak = np.abs(sized.values) / sized.peak
    return sized.rounding + share_of_peak * sized.peak_rounding


def _hits(sized: Sized, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which groups have all but a few of their values on the grid."""
    known = ~np.isnan(sized.values)
    hits: NDArray[np.bool_] = near.sum(axis=-1) >= (1 - MISSES) * known.sum(axis=-1)
    return hits


def _net(sized: Sized, chance: Groups, candidates: int) -> Groups:
    """Net bits of evidence of each group, NaN where too few."""
    counts = np.abs(sized.values) < sized.peak  # the peak is a point of every candidate
    bits = -np.log2(np.minimum(chance, 1.0), where=counts, out=np.zeros(chance.shape))
    net = bits.sum(axis=1) - log2(candidates)
    return np.where(net >= NET, net, np.nan)


def agree(sized: Sized, test: Callable[[Sized], Groups]) -> bool:
    """Whether nearly all groups are on their grids, and the evidence of all is beyond chance.

    `test` gives the net bits of each group. Groups of one or two sizes are on every grid and are
    left out. A few groups decide whether the others are tested.
    """
    sizes = (~np.isnan(sized.values)).sum(axis=1)
    decided = sized.where(sizes >= FEWEST)
    few = np.arange(len(decided.values)) % FIRST == 0
    if not few.any() or np.isnan(test(decided.where(few))).mean() > 0.5:
        return False
    net = test(decided)
    found = ~np.isnan(net)
    return bool(found.mean() >= SHARE and np.nansum(net) >= TOTAL)


def peak_in_steps(sized: Sized, most: int) -> Groups:
    """The peak of each group in steps of its grid; NaN of groups that are on none."""
    _, peak_steps = _steps(sized, most)
    return peak_steps


def steps(sized: Sized, most: int) -> Groups:
    """Net bits of each group whose values are whole multiples of a step; NaN of others.

    The step is the largest of peak/2, peak/3, ..., peak/`most`.
    """
    net, _ = _steps(sized, most)
    return net


def _steps(sized: Sized, most: int) -> tuple[Groups, Groups]:
    """`steps`, and the peak of each group in steps."""
    net = np.full(len(sized.values), np.nan)
    peak_steps = np.full(len(sized.values), np.nan)
    for first in range(2, most + 1, TOGETHER):
        numbers = np.arange(first, min(first + TOGETHER, most + 1))
        for q, on in zip(numbers, _on_multiples(sized, numbers), strict=True):
            newly = on & np.isnan(net)
            if newly.any():
                net[newly] = _net_of_step(sized.where(newly), int(q))
                peak_steps[newly & ~np.isnan(net)] = q
        if not np.isnan(net).any():
            break
    return net, peak_steps


def _on_multiples(sized: Sized, numbers: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(numbers, groups): whether the values are whole multiples of peak/q."""
    q = numbers[:, None, None]
    steps = (sized.values / sized.peak) * q
    off = np.abs(steps - np.rint(steps))
    return _hits(sized, off <= (_tolerance(sized) / sized.peak) * q)


def _net_of_step(sized: Sized, q: int) -> Groups:
    step = sized.peak / q
    return _net(sized, 2 * _tolerance(sized) / step, q)


def floats(sized: Sized, digits: int) -> Groups:
    """Net bits of each group on numbers of so many binary digits times a scale; NaN of others."""
    net = np.full(len(sized.values), np.nan)
    least = 1 << (digits - 1)
    for mantissa in range(least, 2 * least):
        undecided = np.isnan(net)
        net[undecided] = on_grid(sized.where(undecided), _of_digits(digits, mantissa), least)
    return net


def _of_digits(digits: int, mantissa: int) -> Callable[[Groups, Groups], Fit]:
    def fit(values: Groups, peak: Groups) -> Fit:
        scale = peak / mantissa
        _, exponent = np.frexp(values / scale * (1 + 2.0**-9))  # just below 2^k is 2^k, rounded
        spacing = np.ldexp(1.0, exponent - digits) * scale
        return np.rint(values / spacing) * spacing, spacing

    return fit


def nf4(sized: Sized) -> Groups:
    """Net bits of each group whose values are those of NF4 times the peak; NaN of others."""
    levels = np.array(NF4)
    between = (levels[1:] + levels[:-1]) / 2
    gaps = np.diff(levels)
    around = np.minimum(np.append(gaps, gaps[-1]), np.insert(gaps, 0, gaps[0]))

    def fit(values: Groups, peak: Groups) -> Fit:
        nearest = np.searchsorted(between, np.nan_to_num(values / peak))
        return levels[nearest] * peak, around[nearest] * peak

    return on_grid(sized, fit, 1)


def reach(sized: Sized) -> float:
    """The largest ratio of the peak to the smallest size in a group."""
    smallest = np.nanmin(np.abs(sized.values), axis=1, keepdims=True)
    return float(np.nanmax(sized.peak / smallest))


def bits_of(groups: Groups, peak_steps: Groups) -> int:
    """2, 3, 4 or 8: the bits of an integer that holds the steps of every group, of both signs.

    5 to 7 bits are those of int8: a sample lacks the largest weights.
    """
    peak = np.abs(groups).max(axis=1, keepdims=True)
    codes = np.rint(groups / peak * peak_steps[:, None])
    least = np.minimum(np.nanmin(codes, axis=1), 0)
    greatest = np.maximum(np.nanmax(codes, axis=1), 0)
    levels = float((greatest - least).max()) + 1
    return whole_bits(levels)


def whole_bits(levels: float) -> int:
    """The bits of the narrowest usual integer type with so many levels.

    >>> whole_bits(15), whole_bits(16), whole_bits(40)
    (4, 4, 8)
    """
    for bits in (2, 3, 4):
        if levels <= 2**bits:
            return bits
    return 8
