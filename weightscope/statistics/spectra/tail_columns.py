"""Columns of the power-law tail: exponent, other laws of the same tail, and resamples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from ...columns import Column
from ...notes import Note, united
from ...sketches import Decompose
from ..statistic import Evidence, Statistic
from .power_law import PowerLaw, alpha_weighted, log_alpha_norm
from .spectral import spectral
from .spectrum import Spectrum
from .spectrum_tail import fit_of, is_even, tail_of
from .tail_comparison import Comparison, comparison, law_of_tail, reason_against
from .tail_resamples import alpha_goodness, alpha_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...lazy import numpy as np

_SOURCE = "arXiv 0706.1062, WeightWatcher 0.7.7"
_RATIO = "arXiv 0706.1062, powerlaw 2.0.0"
_OTHERS = (
    ("lognormal", "log-normal"),
    ("exponential", "exponential"),
    ("truncated", "truncated power law"),
)
_FIT = (
    Column(
        "alpha",
        "float",
        "exponent of the power-law tail of the squared singular values",
        "",
        _SOURCE,
        shown=True,
        error="alpha_sigma",
    ),
    Column("alpha_ks", "float", "Kolmogorov-Smirnov distance of that tail", "", _SOURCE),
    Column("alpha_xmin", "float", "start of the tail", "weight^2", _SOURCE),
    Column("alpha_tail", "int", "number of values in the tail"),
    Column(
        "alpha_sigma", "float", "standard error of alpha, (alpha - 1)/sqrt(alpha_tail)", "", _SOURCE
    ),
    Column(
        "alpha_weighted",
        "float",
        "alpha log10 of the largest squared singular value",
        "",
        "WeightWatcher 0.7.7",
    ),
    Column(
        "log_alpha_norm",
        "float",
        "log10 of the sum of squared singular values to the power alpha",
        "",
        "WeightWatcher 0.7.7",
    ),
)
_LAW = Column(
    "alpha_law",
    "str",
    "law of that tail: power_law, lognormal, exponential, truncated or undecided",
)
_RATIOS = tuple(
    Column(
        f"alpha_lr_{name}",
        "float",
        f"normalised log-likelihood ratio of the power law to the {words}",
        "",
        _RATIO,
    )
    for name, words in _OTHERS
)
_P_VALUES = tuple(
    Column(f"alpha_lr_p_{name}", "float", f"p-value of alpha_lr_{name}", "", _RATIO)
    for name, _ in _OTHERS
)
COLUMNS = (*_FIT, _LAW, *_RATIOS, *_P_VALUES)
RESAMPLED = tuple(
    Column(name, "float", meaning, "", "arXiv 0706.1062", True, "--alpha-ci")
    for name, meaning in (
        ("alpha_low", "5% point of alpha over bootstrap samples"),
        ("alpha_high", "95% point of alpha over bootstrap samples"),
        ("alpha_p", "share of samples from the fitted power law with a larger alpha_ks"),
    )
)
NONE = Note("no-power-law", "no power law: fewer than two different values above the cut")
ALIKE = Note("no-power-law", "no power law: the singular values are equal up to rounding")


def _tail_values(
    cut: float | None, resampled: bool, seed: int, spectrum: Spectrum, evidence: Evidence
) -> Mapping[str, object]:
    values: dict[str, object] = dict.fromkeys(c.name for c in columns(resampled))
    tail = tail_of(spectrum, cut)
    fit = fit_of(spectrum, tail)
    if fit is None:
        reason = ALIKE if is_even(spectrum, tail) else NONE
        return values | {"notes": (reason,)}
    # the tail itself is reported even where it is too short for an exponent
    values |= {"alpha_ks": fit.ks, "alpha_xmin": fit.xmin, "alpha_tail": fit.tail}
    if not fit.has_alpha:
        return values | {"notes": united(fit.note)}
    ratios = comparison(tail, fit.xmin)
    values |= _exponent(fit, spectrum.above)
    values |= _ratios(ratios)
    values |= {
        "alpha_law": law_of_tail(fit, ratios),
        "notes": united(reason_against(fit, ratios)),
    }
    if resampled:
        low, high = alpha_interval(tail, seed) or (None, None)
        goodness = alpha_goodness(tail, seed)
        values |= {"alpha_low": low, "alpha_high": high, "alpha_p": goodness}
    return values


def _exponent(fit: PowerLaw, eigenvalues: NDArray[np.float64]) -> Mapping[str, object]:
    """Alpha and what follows from it; the norms of WeightWatcher ignore the cut."""
    return {
        "alpha": fit.alpha,
        "alpha_sigma": fit.sigma,
        "alpha_weighted": alpha_weighted(fit.alpha, eigenvalues),
        "log_alpha_norm": log_alpha_norm(fit.alpha, eigenvalues),
    }


def _ratios(ratios: Comparison | None) -> Mapping[str, object]:
    if ratios is None:
        return {}
    return {
        "alpha_lr_lognormal": ratios.log_normal.normalised,
        "alpha_lr_exponential": ratios.exponential.normalised,
        "alpha_lr_truncated": ratios.truncated.normalised,
        "alpha_lr_p_lognormal": ratios.log_normal.p,
        "alpha_lr_p_exponential": ratios.exponential.p,
        "alpha_lr_p_truncated": ratios.truncated.p,
    }


def columns(resampled: bool) -> tuple[Column, ...]:
    """The columns, with those of resamples or without."""
    if resampled:
        return COLUMNS + RESAMPLED
    return COLUMNS


def tail(measure: Decompose, cut: float | None, resampled: bool, seed: int) -> Statistic:
    """The power law above `cut` and its rivals; with `resampled` also interval and goodness."""
    values = partial(_tail_values, cut, resampled, seed)
    return spectral(columns(resampled), measure, values, frozenset())
