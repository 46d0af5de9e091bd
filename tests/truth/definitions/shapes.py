"""Errors of shapes, shapes after the filters, the mixture, information lost, and the label."""

from __future__ import annotations

from functools import lru_cache
from math import exp, log, sqrt

import numpy as np
from scipy import optimize, special, stats

from ..case import Case, NotCompared
from ..cells import cells
from .definition import Definition
from .fits import (
    BETA,
    FINE,
    _best_name,
    _bounded,
    _Data,
    _data,
    _fits,
    _generalised,
    _ks_best,
    _likeliest,
)
from .histories import history
from .laws import _fitted, normal_of
from .moments import _kurtosis, _trimmed
from .outlying import _max_z, _max_z_null

FEWEST_FOR_BITS, FEWEST_FOR_LABEL = 100, 1000
GROUPS, EACH, JOINED = 256, 8, 1e-3
NEAR = 0.02  # of a threshold of the label: digits of the fit decide


def _curvature_error(data: _Data, mu: float, scale: float, beta: float) -> float | None:
    """beta sqrt(1/(N I)), I the curvature of the profile over the scale in ln beta, at fixed mu."""
    if not BETA[0] * 1.001 < beta < BETA[1] * 0.999:
        return None

    def profile(log_beta: float) -> float:
        def cost(log_scale: float) -> float:
            return -data.mean_log(_generalised(mu, exp(log_scale), exp(log_beta)))

        around = (log(scale) - 0.3, log(scale) + 0.3)
        options = {"xatol": 1e-9}
        return float(optimize.minimize_scalar(cost, around, around, options=options).fun)

    h = 0.02
    middle = log(beta)
    second = profile(middle - h) - 2 * profile(middle) + profile(middle + h)
    return beta / sqrt(data.n * second / h**2)


def _beta_se(case: Case) -> float | None:
    fits, data = _fits(case), _data(case)
    if fits is None or data is None:
        return None
    beta, scale = fits["gennorm"].parameters
    if beta < 1:
        raise NotCompared  # the corner of the density moves between cells
    return _curvature_error(data, fits["gennorm"].law.centre, scale, beta)


@lru_cache(maxsize=512)
def _filtered(case: Case) -> tuple[float, float | None] | None:
    """beta of the weights that pass both filters, with its error."""
    inside = _trimmed(case)
    if _data(case) is None or inside is None:
        return None
    low, high, counts = cells(case)
    value = np.unique(case.finite + 0.0)
    passed = (np.abs(value - case.mean) <= 3 * case.std) & (np.abs(value) >= case.std / 1000)
    if (value == 0).any() and high[value == 0][0] > case.std / 1000:
        passed |= value == 0
    low, high, counts, value = low[passed], high[passed], counts[passed], value[passed]
    n = int(counts.sum())
    centre = float(value @ counts) / n
    spread = sqrt(float((value - centre) ** 2 @ counts) / n)
    data = _Data(
        (low - centre) / spread,
        (high - centre) / spread,
        (value - centre) / spread,
        counts / n,
        n,
        case.dtype in FINE,
    )
    found = _likeliest(
        data,
        lambda p: _generalised(p[0], np.exp(p[1]), _bounded(p[2], BETA)),
        ((0.0, 0.2, 0.6), (0.0, -0.3, 0.0)),
    )
    mu, scale, beta = float(found[0]), float(np.exp(found[1])), _bounded(found[2], BETA)
    if beta < 1:
        return beta, None
    return beta, _curvature_error(data, mu, scale, beta)


def _filtered_beta(case: Case) -> float | None:
    found = _filtered(case)
    return None if found is None else found[0]


def _filtered_beta_se(case: Case) -> float | None:
    found = _filtered(case)
    if found is None:
        return None
    if found[0] < 1:
        raise NotCompared
    return found[1]


def _spike(case: Case) -> tuple[float, float] | None:
    """w and sigma2/sigma1 where the second Gaussian is worth five nats or more."""
    fits = _fits(case)
    if fits is None:
        return None
    gain = fits["normal_mixture"].mean_log - fits["normal"].mean_log
    if gain * case.finite.size < 5:
        raise NotCompared  # any share is as likely
    share, ratio = fits["normal_mixture"].parameters
    return share, ratio


def _spike_share(case: Case) -> float | None:
    spike = _spike(case)
    return None if spike is None else spike[0]


def _spike_ratio(case: Case) -> float | None:
    spike = _spike(case)
    return None if spike is None else spike[1]


def _kl_bits_normal(case: Case) -> float | None:
    """sum p log2(p/q) over groups between quantiles of the law, less its mean for a true one."""
    x = _fitted(case)
    if x is None or len(x) < FEWEST_FOR_BITS:
        return None
    low, high, counts = cells(case)
    at_low, at_high = (stats.norm.cdf(e, *normal_of(case)) for e in (low, high))
    upto = np.cumsum(counts) / len(x)
    number = min(GROUPS, len(x) // EACH)
    bounds = [(0.0, 0.0)]  # of the fitted and of the measured distribution function
    for level in np.arange(1, number) / number:
        fitted, share = float(level), 0.0
        cell = int(np.searchsorted(at_high, level))  # the first that ends beyond the level
        if cell > 0:
            share = float(upto[cell - 1])
        if cell < len(upto) and at_low[cell] < level:
            fitted = float(at_low[cell])
            if at_high[cell] - level < level - at_low[cell]:
                fitted, share = float(at_high[cell]), float(upto[cell])
        if fitted - bounds[-1][0] > JOINED / number:
            bounds.append((fitted, share))
    if 1 - bounds[-1][0] <= JOINED / number and len(bounds) > 1:
        bounds.pop()
    bounds.append((1.0, 1.0))
    q, p = np.diff(np.array(bounds), axis=0).T
    lost = float(special.rel_entr(p, q).sum() / log(2))
    expected = max(len(q) - 3, 0) / (2 * len(x)) + (float((1 / q).sum()) - 1) / (12 * len(x) ** 2)
    return lost - expected / log(2)


def _near(value: float, limit: float) -> bool:
    if abs(value - limit) < NEAR * limit:
        raise NotCompared
    return value < limit


def _label(case: Case) -> str | None:
    if 0 < case.finite.size < FEWEST_FOR_LABEL or not case.finite.size:
        return None
    if case.ordered[0] == case.ordered[-1]:
        return "constant"
    many_zeros = (case.finite == 0).mean() > 0.1 and case.dtype in FINE and not case.is_wide
    if many_zeros and len(np.unique(case.finite)) > 300:
        if history(case) not in (None, "BF16", "F16", "F32"):
            raise NotCompared  # zeros of a quantiser
        shape: str | None = "sparse"
    else:
        shape = _shape(case)
    largest, expected = _max_z(case), _max_z_null(case)
    if shape is None or largest is None or expected is None:
        return shape
    return shape if _near(largest, 2 * expected) else shape + "+outliers"


def _shape(case: Case) -> str | None:
    best, ks, fits = _best_name(case), _ks_best(case), _fits(case)
    if best is None or ks is None or fits is None:
        raise NotCompared
    share, ratio = fits["normal_mixture"].parameters
    spike = best == "normal_mixture" and not _near(ratio, 5)
    if spike and _near(share, 0.95) and _near(ks, 0.1):
        return "inverted-T"
    if not _near(ks, 0.03 + 1 / sqrt(case.finite.size)):
        return "none"
    if best == "uniform":
        return "uniform"
    found = _filtered(case)
    if found is None:
        return "heavy" if (_kurtosis(case) or 0) > 0 else "light"
    beta, error = found
    if _near(beta, 1.07):
        return "sharp"
    if _near(beta, 1.28):
        return "linear"
    if _near(abs(beta - 2.11), 0.1 + 2 * (error or 0.0)):
        return "gaussian"
    return "heavy" if beta < 2.11 else "light"


SHAPES = (
    Definition("beta_se", _beta_se, 2e-2, slow=True),
    Definition("kl_bits_normal", _kl_bits_normal, 1e-7, unit=lambda case: 1.0),
    Definition("spike_share", _spike_share, 2e-2, slow=True),
    Definition("spike_ratio", _spike_ratio, 2e-2, slow=True),
    Definition("filtered_beta", _filtered_beta, 1e-2, slow=True),
    Definition("filtered_beta_se", _filtered_beta_se, 2e-2, slow=True),
    Definition("pattern", _label, slow=True),
)
