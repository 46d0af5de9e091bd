"""Plots of `spectrum`: singular values with the Marchenko-Pastur law, and the tail of the squares.

Both in units of the noise edge, the largest singular value of noise like the bulk, so that matrices
of every shape and scale share their axes: the bulk ends at 1, and the largest value is
`signal_ratio`. Without a bulk, as in a product of thin factors, the unit is the edge of noise of
the same energy. The words of a label after a colon are about its panel alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, sqrt
from typing import TYPE_CHECKING

from ...columns import Curve, Panel, titled
from ...lazy import numpy as np
from ...statistics.spectra.bulk import Bulk, bulk_of
from ...statistics.spectra.mp_law import mp_pdf
from ...statistics.spectra.spectrum_tail import fit_of, tail_of
from ...statistics.spectra.tail_comparison import comparison, reason_against

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...statistics.spectra.spectrum import Spectrum

# Bins up to the edge.
FEWEST = 8  # beside a law
SINGLY = 20  # without one, where the bars are all there is
MOST = 100
POINTS = 200  # of a curve, and of a tail, whose ranks are thinned evenly in their logs


def panel(spectrum: Spectrum | None, cut: float | None, of: Mapping[str, object]) -> Panel:
    """The values of a spectrum and its tail above `cut`, or the reason why there are none."""
    note = _lack(spectrum)
    curves: tuple[Curve, ...] = ()
    if spectrum is not None and not note:
        curves = tuple(_curves(spectrum, cut))
    return Panel(
        titled(of),
        "spectrum",
        "singular value / noise edge",
        "relative density",
        curves,
        of=of,
        note=note,
    )


def _lack(spectrum: Spectrum | None) -> str:
    if spectrum is None:
        return "not measured"
    if not spectrum.rank:
        return "no singular value above zero"
    return ""


def _curves(s: Spectrum, cut: float | None) -> Iterator[Curve]:
    """The curves of the left plot, then of the right one."""
    bulk = bulk_of(s)
    if bulk is None:
        edge = _energy_edge(s)
        yield _bars_alone(s, edge)
    else:
        edge = float(s.sigma[0]) / bulk.signal_ratio
        yield from _bulk_and_spikes(s, bulk, edge)
    yield from _tail(s, cut, edge)


def _energy_edge(s: Spectrum) -> float:
    """|W|_F/sqrt(mn) (sqrt m + sqrt n): the largest value of noise of the same energy."""
    top = float(s.sigma[0])
    norm = top * float(np.linalg.norm(s.sigma / top))  # squares of shares do not overflow
    per_side = 1 / sqrt(s.m) + 1 / sqrt(s.n)
    return norm * per_side


def _bars_alone(s: Spectrum, edge: float) -> Curve:
    """The histogram of a spectrum without a bulk; rounding is no bar of it."""
    above_rounding = s.sigma[s.sigma > s.uncertain]
    edges, bars = _histogram(above_rounding / edge, len(s.sigma), SINGLY)
    label = _values_label(len(above_rounding), s)
    return Curve(label, edges, bars / bars.max(), "steps")


def _bulk_and_spikes(s: Spectrum, bulk: Bulk, edge: float) -> Iterator[Curve]:
    """The histogram, the law and the spikes.

    Densities are divided by the highest of the panel: those of thin matrices are ten times those of
    square ones.
    """
    # above the floor, not `uncertain`: rounding may be the lower end of a bulk
    x = s.sigma[s.sigma > s.floor] / edge
    edges, bars = _histogram(x, len(s.sigma), FEWEST)
    at, density = _law(s, bulk)
    highest = max(bars.max(), density.max(initial=0.0))
    yield Curve(_values_label(len(x), s), edges, bars / highest, "steps")
    law = "Marchenko-Pastur law"
    if not bulk.clean:
        law += ": no clean bulk"
    yield Curve(law, at, density / highest)
    spikes = x[: bulk.spikes]
    yield Curve(f"spikes: {_counted(spikes)}", spikes, np.zeros(len(spikes)), "points")


def _values_label(count: int, s: Spectrum) -> str:
    if count == len(s.sigma):
        return "singular values"
    return f"singular values: {count} of {len(s.sigma)} above rounding"


def _histogram(
    x: NDArray[np.float64], count: int, fewest: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start of each bin in x and its density in u, of `count` values; the last bin is empty.

    u = x up to the edge and 1 + ln x beyond, as the axis is scaled; bins have one width in u. The
    width is half of 2 IQR/r^(1/3) (Freedman and Diaconis 1981), which smooths away the steep end
    of a bulk.
    """
    u = np.where(x > 1, 1 + np.log(np.maximum(x, 1)), x)
    low, high = np.percentile(u, [25, 75])
    bins = np.cbrt(len(u)) / max(high - low, 1e-9)  # 1e-9: values may all be equal
    bins = ceil(np.clip(bins, fewest, MOST))
    edges = np.arange(ceil(u[0] * bins) + 2) / bins
    counts = np.append(np.histogram(u, edges)[0], 0)
    density = counts * (bins / count)
    starts = np.where(edges > 1, np.exp(np.maximum(edges, 1) - 1), edges)
    return starts, density


def _law(s: Spectrum, bulk: Bulk) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The law's density in x, times the share of the values in the bulk.

    dF/dx for lambda/(max s2) = (x (1 + sqrt q))^2.
    """
    short, long = sorted((s.m - bulk.spikes, s.n - bulk.spikes))
    q = short / long
    root = sqrt(q)
    share = short / min(s.m, s.n)
    x = np.linspace((1 - root) / (1 + root), 1.0, POINTS)
    density = mp_pdf((x * (1 + root)) ** 2, q) * 2 * x * (1 + root) ** 2
    return x, density * share


def _counted(spikes: NDArray[np.float64]) -> str:
    if not len(spikes):
        return "no spike"
    plural = "s" * (len(spikes) > 1)
    return f"{len(spikes)} spike{plural}, to {spikes[0]:.3g}"


def _tail(s: Spectrum, cut: float | None, edge: float) -> Iterator[Curve]:
    """The share of squares >= x, and from xmin on the power law, where it has an alpha."""
    tail = tail_of(s, cut)
    if not len(tail):
        return
    # the few largest one by one, the many small ones thinned
    ranks = np.unique(np.geomspace(1, len(tail), POINTS).astype(int))
    squares = tail[-ranks] / edge / edge  # edge * edge may leave float64
    yield Curve("squares", squares, ranks / len(tail), "points")
    fit = fit_of(s, tail)
    if fit is None or not fit.has_alpha:
        return
    x = np.geomspace(fit.xmin, tail[-1], POINTS)
    share = fit.tail / len(tail) * (x / fit.xmin) ** (1 - fit.alpha)
    label = f"power law: alpha {fit.alpha:.3g}"
    if reason_against(fit, comparison(tail, fit.xmin)):
        label += ", not a power law"
    yield Curve(label, x / edge / edge, share)
