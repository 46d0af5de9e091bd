"""Columns of the power-law tail. Pure noise has an exponent too: the note says where it is none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from ...columns import Column
from ...sketches import Decompose
from ..power_law import PowerLaw, alpha_interval, alpha_weighted, log_alpha_norm, power_law, tail_above
from ..spectrum import Spectrum
from ..statistic import Evidence, Statistic
from .spectral import joined, spectral

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...heavy import numpy as np

_SOURCE = "arXiv 0706.1062, WeightWatcher 0.7.7"
COLUMNS = (
    Column("alpha", "float", "exponent of the power-law tail of the squared singular values", "", _SOURCE, shown=True),
    Column("alpha_ks", "float", "Kolmogorov-Smirnov distance of that tail", "", _SOURCE),
    Column("alpha_xmin", "float", "where the tail starts", "weight^2", _SOURCE),
    Column("alpha_tail", "int", "how many values it has"),
    Column("alpha_sigma", "float", "standard error of alpha, (alpha - 1)/sqrt(alpha_tail)", "", _SOURCE),
    Column("alpha_weighted", "float", "alpha log10 of the largest squared singular value", "", "WeightWatcher 0.7.7"),
    Column("log_alpha_norm", "float", "log10 of the sum of squared singular values to the power alpha", "",
           "WeightWatcher 0.7.7"),
)
INTERVAL = tuple(
    Column(name, "float", f"{point} point of alpha over bootstrap samples", "", "arXiv 0706.1062", True, "--alpha-ci")
    for name, point in (("alpha_low", "5%"), ("alpha_high", "95%"))
)
NONE = "no power law: fewer than two different values above the cut"
ALIKE = "no power law: the squares are even but for rounding"
EVEN = 1e-5  # relative: squares of an orthogonal float32 matrix differ by less, 35 spacings at most


def tail_of(s: Spectrum, cut: float | None) -> NDArray[np.float64]:
    """Squares above `cut` that the route tells from zero, ascending; without one those that may not be rounding."""
    return tail_above(s.above if cut is not None else s.sigma[: s.rank] ** 2, cut)


def fit_of(s: Spectrum, tail: NDArray[np.float64]) -> PowerLaw | None:
    """The power law of a tail; none where the squares are even but for the rounding of route and type."""
    return None if _even(s, tail) else power_law(tail)


def _even(s: Spectrum, tail: NDArray[np.float64]) -> bool:
    """Whether two values or more differ by no more than rounding may move them."""
    return len(tail) > 1 and bool(tail[-1] <= tail[0] * (1 + max(EVEN, 2 * s.uncertain / float(s.sigma[0]))))


def _of(cut: float | None, interval: bool, seed: int, spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    eigenvalues, own = spectrum.above, tail_of(spectrum, cut)
    fit = fit_of(spectrum, own)
    if fit is None:
        return {c.name: None for c in columns(interval)} | {"note": ALIKE if _even(spectrum, own) else NONE}
    ends = alpha_interval(own, seed) if interval else None
    return {
        "alpha": fit.alpha,
        "alpha_ks": fit.ks,
        "alpha_xmin": fit.xmin,
        "alpha_tail": fit.tail,
        "alpha_sigma": fit.sigma,
        "alpha_weighted": alpha_weighted(fit.alpha, eigenvalues),
        "log_alpha_norm": log_alpha_norm(fit.alpha, eigenvalues),
        **(dict(zip(("alpha_low", "alpha_high"), ends or (None, None), strict=True)) if interval else {}),
        **joined(fit.note),
    }


def columns(interval: bool) -> tuple[Column, ...]:
    """With or without the interval."""
    return COLUMNS + (INTERVAL if interval else ())


def tail(measure: Decompose, cut: float | None, interval: bool, seed: int) -> Statistic:
    """The tail above `cut`, with the bootstrapped `interval` of alpha where asked."""
    return spectral(columns(interval), measure, partial(_of, cut, interval, seed), frozenset())
