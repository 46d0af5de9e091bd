"""Spikes and Marchenko-Pastur bulk: number of singular values above i.i.d. noise, and that noise.

The sequential test of Kritchman and Nadler (Chemometrics and Intelligent Laboratory Systems 94,
2008) with the centring and scaling of Johnstone (Annals of Statistics 29, 2001): one suffix sum, no
fit, no start value, scale-free. Uneven scales violate the null of i.i.d. noise: Gaussian rows of
log-sd 0.3 have some 45 spikes at 512 x 512, and half of the matrices of t(4) elements have one or
more. Compare `spikes` with the spread of the rows, or with the balanced matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import TYPE_CHECKING

from ...columns import Column
from ...lazy import numpy as np
from ...notes import Note, Notes, notes_of, united
from ...sketches import Count, Decompose
from ..lines.iid import SPREAD_COLUMNS, spreads
from ..statistic import Evidence, Statistic
from .edge_law import edge_score, edge_score_column
from .linear_statistic import Elements, elements_of
from .mp_law import mp_ks
from .spectral import margins_of, spectral
from .spectrum import THIN, Spectrum
from .tracy_widom import centre_and_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRACY_WIDOM_99 = 2.0234  # 99% of Tracy-Widom, beta = 1: real elements
CLEAN_SPIKES = 10  # a clean bulk has at most r/10 spikes above it
CLEAN_KS = 0.1  # plus 2/r, the scatter of few values
NO_CLEAN_BULK = Note("unclean-bulk", "no clean bulk")
FEWEST = 10  # singular values of a bulk: fewer have no scale and no edges
NO_BULK = Note("no-bulk", f"no bulk: fewer than {FEWEST} singular values lie below the spikes")

_SOURCE = "Kritchman and Nadler 2008"
COLUMNS = (
    Column(
        "mp_sigma",
        "float",
        "std of the elements of noise with such a bulk",
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
        "singular values above the largest of noise like the values below them",
        "",
        _SOURCE,
        shown=True,
    ),
    Column("spike_energy", "float", "share of the spikes in the energy"),
    Column("signal_ratio", "float", "largest singular value over the upper edge of the bulk"),
    edge_score_column("signal_ratio"),
)
# An uneven side is twice as uneven as Gaussian elements, and by chance rarer than 1 in 100.
TWICE = 2.0
FAR = 3.0  # score


@dataclass(frozen=True)
class Bulk:
    """A split of singular values into spikes and noise; lambda = sigma^2 in weight^2."""

    spikes: int  # k: singular values above the noise
    sigma: float  # sqrt(s2_k): std of an element of that noise
    low: float  # edges of lambda: s2_k (sqrt(n-k) -+ sqrt(m-k))^2
    high: float
    ks: float  # of the bulk against the law
    spike_energy: float  # share of the spikes in sum(lambda)
    signal_ratio: float  # sigma_1 over sqrt(high)
    clean: bool  # k <= r/10 and ks <= 0.1 + 2/r; otherwise note NO_CLEAN_BULK


def bulk(sigma: NDArray[np.float64], m: int, n: int, floor: float = 0.0) -> Bulk | None:
    """Least k with lambda_{k+1} <= s2_k (mu_k + 2.0234 sc_k), and the noise below.

    s2_k = sum_{i>k} lambda_i/((m-k)(n-k)). sigma: the r = min(m,n) singular values, finite,
    descending, float64, of the m x n lines that are not zero; values of at most `floor`, the
    uncertainty of their method, count as zero. None (NO_BULK) where no value above `floor` is
    noise: in a zero matrix, and in one of low rank without rounding errors.

    >>> split = bulk(np.ones(64), 64, 64)
    >>> split.spikes, split.sigma, split.clean
    (0, 0.125, False)
    """
    if not (len(sigma) and sigma[0] > floor):
        return None
    m, n = sorted((m, n))
    # as shares of the largest, whose squares float64 always holds
    relative = np.where(sigma > floor, sigma / sigma[0], 0.0)
    energy = relative**2
    rest = np.cumsum(energy[::-1])[::-1]  # rest[k] = sum of energy[k:]
    k = _count_spikes(energy, rest, m, n)
    if not rest[k] > 0:
        return None
    return _split(k, energy, rest, float(sigma[0]), m, n)


def _count_spikes(energy: NDArray[np.float64], rest: NDArray[np.float64], m: int, n: int) -> int:
    """The rule of `bulk`, multiplied out: a division by tiny sums would overflow.

    It holds at k = r - 1 at the latest.
    """
    k = np.arange(len(energy))
    edge = rest * _largest_of_noise(m - k, n - k)
    noise = energy * (m - k) * (n - k) <= edge
    return int(np.argmax(noise))  # the first True


def _largest_of_noise(m: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    """99% point of lambda_1 of m x n unit noise: mu + t sc."""
    mu, sc = centre_and_scale(m, n)
    return np.asarray(mu + TRACY_WIDOM_99 * sc)


def _split(
    k: int, energy: NDArray[np.float64], rest: NDArray[np.float64], top: float, m: int, n: int
) -> Bulk:
    """The bulk below k spikes, energies as shares of top^2."""
    short, long = sqrt(m - k), sqrt(n - k)
    scale = sqrt(rest[k]) / short / long  # std of an element of the noise, as a share of top
    low = top * scale * (long - short)
    high = top * scale * (long + short)
    ks = mp_ks(energy[k:] / rest[k] * (m - k), (m - k) / (n - k))
    return Bulk(
        spikes=k,
        sigma=top * scale,
        low=low * low,  # not ** 2, which raises OverflowError
        high=high * high,
        ks=ks,
        spike_energy=float(energy[:k].sum() / rest[0]),
        signal_ratio=1 / (scale * (long + short)),
        clean=k <= m / CLEAN_SPIKES and ks <= CLEAN_KS + 2 / m,
    )


def bulk_of(s: Spectrum) -> Bulk | None:
    """The bulk; None for a product of thin factors, and where a bulk has fewer than 10 values.

    Values that may be rounding are not counted.
    """
    if s.low_rank:
        return None
    split = bulk(s.sigma, s.m, s.n, s.floor)
    if split is None or s.rank - split.spikes < FEWEST:
        return None
    return split


def signal_ratio_score(split: Bulk, m: int, n: int, elements: Elements | None) -> float | None:
    """`edge_score` of lambda_1/rms^2 in noise of this bulk with no other spike than sigma_1.

    With u = lambda_1/s2_k that is u where no singular value is a spike, else
    mn u/((m-1)(n-1) + u): for one spike the score of `tail_excess`.
    """
    value = split.signal_ratio**2 * split.high / split.sigma**2
    if split.spikes:
        value = m * n * value / ((m - 1) * (n - 1) + value)
    return edge_score(value, m, n, elements)


def values(split: Bulk | None) -> dict[str, object]:
    """The columns of a bulk, with the reason where they are null or doubtful."""
    if split is None:
        return dict.fromkeys(c.name for c in COLUMNS) | {"notes": (NO_BULK,)}
    return {
        "mp_sigma": split.sigma,
        "mp_low": split.low,
        "mp_high": split.high,
        "mp_ks": split.ks,
        "spikes": split.spikes,
        "spike_energy": split.spike_energy,
        "signal_ratio": split.signal_ratio,
        "signal_ratio_score": None,
        "notes": () if split.clean else (NO_CLEAN_BULK,),
    }


def _bulk_and_spreads(
    balanced: bool, spectrum: Spectrum, evidence: Evidence
) -> Mapping[str, object]:
    split = bulk_of(spectrum)
    columns = values(split)
    counts = evidence.sketches[Count()]
    if split:
        elements = elements_of(spectrum, counts)
        of_edge = signal_ratio_score(split, spectrum.m, spectrum.n, elements)
        columns["signal_ratio_score"] = of_edge
    of_lines = spreads(margins_of(evidence), counts)
    if spectrum.low_rank:
        notes: Notes = (THIN,)
    elif balanced:
        notes = notes_of(columns)
    else:
        notes = united(notes_of(columns), _uneven(of_lines))
    return {**columns, **of_lines, "notes": united(notes, notes_of(of_lines))}


def _uneven(of_lines: Mapping[str, object]) -> Iterator[Note]:
    """The warnings about spikes and depth of a matrix with uneven row or column scales.

    Heavy elements spread the scales of lines as well: a score, where there is one, tells them
    apart.
    """
    for side in ("row_spread", "col_spread"):
        value, null = of_lines[side], of_lines[f"{side}_null"]
        distance = of_lines[f"{side}_score"]
        if isinstance(distance, float) and distance <= FAR:
            continue
        if isinstance(value, float) and isinstance(null, float) and value > TWICE * null:
            template = (
                "{side} is {times:.1f} times its null and can cause spikes and depth: see --balance"
            )
            yield Note.of("uneven-lines", template, side=side, times=value / null)


def noise(measure: Decompose, balanced: bool) -> Statistic:
    """Bulk, spikes and line spreads; no warning of uneven scales beside `balanced` columns."""
    columns = COLUMNS + SPREAD_COLUMNS
    return spectral(columns, measure, partial(_bulk_and_spreads, balanced), frozenset({Count()}))
