"""What `spectrum` draws: singular values beside the Marchenko-Pastur law, and the tail of their squares.

Both are in units of the noise edge, the largest singular value of noise like the bulk, so that matrices of every shape
and scale share their axes: the bulk ends at 1, and the largest value is `signal_ratio`. Where there is no bulk, as in a
product of thin factors, it is the edge of noise of the same energy. A label's words after a colon are of its panel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, sqrt
from typing import TYPE_CHECKING

from ...columns import Curve, Panel, titled
from ...lazy import numpy as np
from ...statistics.spectra.bulk import Bulk, bulk_of
from ...statistics.spectra.mp_law import mp_pdf
from ...statistics.spectra.power_law import fit_of, tail_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...statistics.spectra.spectrum import Spectrum

FEWEST, SINGLY, MOST = 8, 20, 100  # bins up to the edge: beside a law, of values alone, of any
POINTS = 200  # of a line, and of a tail, whose ranks are thinned evenly in their logs


def panel(spectrum: Spectrum | None, cut: float | None, of: Mapping[str, object]) -> Panel:
    """The values of a spectrum and the tail above `cut`, as the columns have them; or why there are none."""
    note = _lack(spectrum)
    curves = () if spectrum is None or note else tuple(_curves(spectrum, cut))
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
    return "" if spectrum.rank else "no singular value above zero"


def _curves(s: Spectrum, cut: float | None) -> Iterator[Curve]:
    """The left plot, then the right one."""
    found = bulk_of(s)
    edge = _energy_edge(s) if found is None else float(s.sigma[0]) / found.signal_ratio
    yield from _values(s, found, edge)
    yield from _tail(s, cut, edge)


def _energy_edge(s: Spectrum) -> float:
    """|W|_F/sqrt(mn) (sqrt m + sqrt n): the largest value of noise of the same energy."""
    top = float(s.sigma[0])
    return top * float(np.linalg.norm(s.sigma / top)) * (1 / sqrt(s.m) + 1 / sqrt(s.n))


def _values(s: Spectrum, found: Bulk | None, edge: float) -> Iterator[Curve]:
    """Densities over the highest of the panel: those of thin matrices are ten times those of square ones.

    Rounding stands in no bar, but where it is the end of a bulk.
    """
    x = s.sigma[s.sigma > (s.floor if found else s.uncertain)] / edge
    words = "" if len(x) == len(s.sigma) else f": {len(x)} of {len(s.sigma)} above rounding"
    edges, bars = _histogram(x, len(s.sigma), FEWEST if found else SINGLY)
    at, law = _law(s, found) if found else (x[:0], x[:0])
    highest = max(bars.max(), law.max(initial=0.0))
    yield Curve(f"singular values{words}", edges, bars / highest, "steps")
    if found:
        spikes = x[: found.spikes]
        yield Curve(
            "Marchenko-Pastur law" + ("" if found.clean else ": no clean bulk"), at, law / highest
        )
        yield Curve(f"spikes: {_counted(spikes)}", spikes, np.zeros(len(spikes)), "points")


def _histogram(
    x: NDArray[np.float64], count: int, fewest: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each bin begins and its density in u, of `count` values; bins of one width in u, and an empty last one.

    u = x up to the edge and 1 + ln x beyond, as the axis shows it. A width is half of Freedman and Diaconis's
    2 IQR/r^(1/3) (1981), which smooths away the steep end of a bulk.
    """
    u = np.where(x > 1, 1 + np.log(np.maximum(x, 1)), x)
    low, high = np.percentile(u, [25, 75])
    bins = ceil(np.clip(np.cbrt(len(u)) / max(high - low, 1e-9), fewest, MOST))
    edges = np.arange(ceil(u[0] * bins) + 2) / bins
    bars = np.append(np.histogram(u, edges)[0], 0) * (bins / count)
    return np.where(edges > 1, np.exp(np.maximum(edges, 1) - 1), edges), bars


def _law(s: Spectrum, found: Bulk) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The law's density in x, of the share of the values that is bulk: dF/dx for lambda/(max s2) = (x (1+sqrt q))^2."""
    left, right = sorted((s.m - found.spikes, s.n - found.spikes))
    root = sqrt(left / right)
    x = np.linspace((1 - root) / (1 + root), 1.0, POINTS)
    return x, mp_pdf((x * (1 + root)) ** 2, left / right) * 2 * x * (1 + root) ** 2 * (
        left / min(s.m, s.n)
    )


def _counted(spikes: NDArray[np.float64]) -> str:
    if not len(spikes):
        return "no spike"
    return f"{len(spikes)} spike{'s' * (len(spikes) > 1)}, to {spikes[0]:.3g}"


def _tail(s: Spectrum, cut: float | None, edge: float) -> Iterator[Curve]:
    """The share of squares >= x, and the power law from xmin on."""
    tail = tail_of(s, cut)
    if not len(tail):
        return
    ranks = np.unique(np.geomspace(1, len(tail), POINTS).astype(int))
    yield Curve("squares", tail[-ranks] / edge / edge, ranks / len(tail), "points")
    fit = fit_of(s, tail)
    if fit is not None:
        x = np.geomspace(fit.xmin, tail[-1], POINTS)
        share = fit.tail / len(tail) * (x / fit.xmin) ** (1 - fit.alpha)
        words = f"alpha {fit.alpha:.3g}" + (", not a power law" if fit.note else "")
        yield Curve(f"power law: {words}", x / edge / edge, share)
