"""Spikes above a Marchenko-Pastur bulk: how many singular values rise above i.i.d. noise, and what that noise is.

The sequential test of Kritchman and Nadler (Chemometrics and Intelligent Laboratory Systems 94, 2008) with the
centring and scaling of Johnstone (Annals of Statistics 29, 2001): one suffix sum, no fit, no start value, scale-free.
The null is i.i.d. noise, and uneven scales break it: Gaussian rows of log-sd 0.3 show some 45 spikes at 512 x 512, t(4)
elements one or more in half of the draws. Read `spikes` beside the spread of the rows, or after balancing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, notes_of, united
from ...sketches import Decompose
from ..lines.iid import SPREAD_COLUMNS, line_spreads
from ..statistic import Evidence, Statistic
from .mp_law import mp_ks
from .spectral import margins_of, spectral
from .spectrum import THIN, Spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRACY_WIDOM_99 = 2.0234  # 99% of Tracy-Widom, beta = 1: real elements
CLEAN_SPIKES = 10  # a bulk is what remains when at most r/10 values stand out
CLEAN_KS = 0.1  # plus 2/r, what few values scatter by
NO_CLEAN_BULK = Note("unclean-bulk", "no clean bulk")
NO_BULK = Note("no-bulk", "no bulk: nothing above rounding but spikes")

_SOURCE = "Kritchman and Nadler 2008"
COLUMNS = (
    Column(
        "mp_sigma",
        "float",
        "std of the elements of the noise that the bulk looks like",
        "weight",
        _SOURCE,
    ),
    Column(
        "mp_low", "float", "lower Marchenko-Pastur edge of the squared singular values", "weight^2"
    ),
    Column(
        "mp_high", "float", "upper Marchenko-Pastur edge of the squared singular values", "weight^2"
    ),
    Column("mp_ks", "float", "Kolmogorov-Smirnov distance of the bulk to the Marchenko-Pastur law"),
    Column(
        "spikes",
        "int",
        "singular values above the noise of what is below them",
        "",
        _SOURCE,
        shown=True,
    ),
    Column("spike_energy", "float", "share of the spikes in the energy"),
    Column("signal_ratio", "float", "largest singular value over the upper edge of the bulk"),
)
TWICE = 2.0  # times its null: from there the spread of lines is no accident


@dataclass(frozen=True)
class Bulk:
    """The values that look like noise, and those that do not; lambda = sigma^2 in the squared unit of the weights."""

    spikes: int  # k: singular values above the noise
    sigma: float  # sqrt(s2_k): std of an element of that noise
    low: float  # edges of lambda: s2_k (sqrt(n-k) -+ sqrt(m-k))^2
    high: float
    ks: float  # of the bulk against the law
    spike_energy: float  # share of the spikes in sum(lambda)
    signal_ratio: float  # sigma_1 over sqrt(high)
    clean: bool  # k <= r/10 and ks <= 0.1 + 2/r; otherwise note NO_CLEAN_BULK


def bulk(sigma: NDArray[np.float64], m: int, n: int, floor: float = 0.0) -> Bulk | None:
    """`spikes` = the least k with lambda_{k+1} <= s2_k (mu_k + 2.0234 sc_k), s2_k = sum_{i>k} lambda_i/((m-k)(n-k)).

    sigma: the r = min(m,n) singular values, finite, descending, float64, of the m x n lines that are not zero; those of
    at most `floor`, what their method cannot tell from zero, count as zero. None (NO_BULK) where nothing but spikes is
    left: in a zero matrix, and in one of low rank that no rounding error has filled up.

    >>> found = bulk(np.ones(64), 64, 64)
    >>> found.spikes, found.sigma, found.clean
    (0, 0.125, False)
    """
    if not (len(sigma) and sigma[0] > floor):
        return None
    m, n = sorted((m, n))
    energy = (
        np.where(sigma > floor, sigma / sigma[0], 0.0) ** 2
    )  # a share of the largest never leaves float64
    rest = np.cumsum(energy[::-1])[::-1]
    k = _spikes(energy, rest, m, n)
    return _bulk(k, energy, rest, float(sigma[0]), m, n) if rest[k] > 0 else None


def _spikes(energy: NDArray[np.float64], rest: NDArray[np.float64], m: int, n: int) -> int:
    """The rule, multiplied out so that tiny sums divide nothing; it holds at k = r - 1 at the latest."""
    k = np.arange(len(energy))
    return int(np.argmax(energy * (m - k) * (n - k) <= rest * _largest_of_noise(m - k, n - k)))


def _largest_of_noise(m: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """99% point of lambda_1 of m x n unit noise: mu + t sc, mu = (a+b)^2, sc = (a+b)(1/a+1/b)^(1/3)."""
    a, b = np.sqrt(n - 0.5), np.sqrt(m - 0.5)
    return np.asarray((a + b) ** 2 + TRACY_WIDOM_99 * (a + b) * np.cbrt(1 / a + 1 / b))


def _bulk(
    k: int, energy: NDArray[np.float64], rest: NDArray[np.float64], top: float, m: int, n: int
) -> Bulk:
    left, right = sqrt(m - k), sqrt(n - k)
    scale = sqrt(rest[k]) / left / right
    low, high = top * scale * (right - left), top * scale * (right + left)
    ks = mp_ks(energy[k:] / rest[k] * (m - k), (m - k) / (n - k))
    return Bulk(
        spikes=k,
        sigma=top * scale,
        low=low * low,  # not ** 2, which raises where the square leaves float64
        high=high * high,
        ks=ks,
        spike_energy=float(energy[:k].sum() / rest[0]),
        signal_ratio=1 / (scale * (right + left)),
        clean=k <= m / CLEAN_SPIKES and ks <= CLEAN_KS + 2 / m,
    )


def bulk_of(s: Spectrum) -> Bulk | None:
    """The bulk; none of a product of thin factors, nor where it is but rounding."""
    found = None if s.low_rank else bulk(s.sigma, s.m, s.n, s.floor)
    return found if found and found.spikes < s.rank else None


def values(found: Bulk | None) -> dict[str, object]:
    """A bulk as columns, its doubts as a note."""
    if found is None:
        return {c.name: None for c in COLUMNS} | {"notes": (NO_BULK,)}
    return {
        "mp_sigma": found.sigma,
        "mp_low": found.low,
        "mp_high": found.high,
        "mp_ks": found.ks,
        "spikes": found.spikes,
        "spike_energy": found.spike_energy,
        "signal_ratio": found.signal_ratio,
        "notes": () if found.clean else (NO_CLEAN_BULK,),
    }


def _of(balanced: bool, spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    s, spread = spectrum, dict(line_spreads(margins_of(evidence)))
    found = values(bulk_of(s))
    doubts = united(notes_of(found), None if balanced else _uneven(spread))
    return {**found, **spread, "notes": united(THIN if s.low_rank else doubts, notes_of(spread))}


def _uneven(spread: Mapping[str, object]) -> Iterator[Note]:
    """The warnings that belong to spikes and depth of a matrix whose lines differ in scale."""
    for side in ("row_spread", "col_spread"):
        value, null = spread[side], spread[f"{side}_null"]
        if isinstance(value, float) and isinstance(null, float) and value > TWICE * null:
            template = "{side} {times:.1f} times its null can fake spikes and depth: see --balance"
            yield Note.of("uneven-lines", template, side=side, times=value / null)


def noise(measure: Decompose, balanced: bool) -> Statistic:
    """Bulk, spikes and line spreads; with a balanced twin beside it, no warning is needed."""
    return spectral(COLUMNS + SPREAD_COLUMNS, measure, partial(_of, balanced), frozenset())
