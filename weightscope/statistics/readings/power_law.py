"""Columns of the power-law tail. Pure noise has an exponent too: the note says where it is none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ...columns import Column
from ...sketches import Decompose
from ..power_law import PowerLaw, alpha_interval, alpha_weighted, log_alpha_norm, power_law, tail_above
from ..ranks import eps_of
from ..spectrum import Spectrum
from ..statistic import Evidence, Statistic
from .spectral import joined, spectral

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
    Column(name, "float", f"{point} point of alpha over bootstrap samples", "", "arXiv 0706.1062", option="--alpha-ci")
    for name, point in (("alpha_low", "5%"), ("alpha_high", "95%"))
)
NONE = "no power law: fewer than two different values above the cut"
EVEN = 4  # times that rounding: squares of an orthogonal matrix differ by less


def fit_of(s: Spectrum, cut: float | None, eps: float) -> PowerLaw | None:
    """The tail above `cut`; none where the squares are even but for the rounding of route and type."""
    tail = tail_above(s.above, cut)
    rounding = max(eps, s.floor / float(s.sigma[0])) if len(tail) else eps
    return None if len(tail) and tail[-1] <= tail[0] * (1 + EVEN * rounding) else power_law(tail)


def _of(cut: float | None, interval: bool, seed: int, spectrum: Spectrum, evidence: Evidence) -> Mapping[str, object]:
    eigenvalues, fit = spectrum.above, fit_of(spectrum, cut, eps_of(evidence.dtype))
    if fit is None:
        return {c.name: None for c in columns(interval)} | {"note": NONE}
    ends = alpha_interval(tail_above(eigenvalues, cut), seed) if interval else None
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
