"""Balanced matrices by numpy, and the entropy of weights in steps (`fit --balance --coding`)."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import special

from ..case import Array, Case, NotCompared
from .definition import Definition

ROUNDS, SETTLED = 2000, 1e-13
LEAST_ROUNDS = 150  # that need more are close to the limit of 200 rounds
STEP = 2.0**-13


def _scales(case: Case) -> tuple[Array, Array] | None:
    """Scales of rows and columns that leave each line an RMS of 1; None without a matrix."""
    lines = case.lines
    if lines is None or min(lines.shape) < 2:
        return None
    squares = (lines / np.abs(lines).max()) ** 2
    of_cols = np.ones(lines.shape[1])
    done = 0
    while done < ROUNDS:
        done += 1
        of_rows = (squares / of_cols).mean(1)
        before, of_cols = of_cols, (squares / of_rows[:, None]).mean(0)
        if np.abs(np.log(of_cols / before)).max() < SETTLED:
            break
    if done > LEAST_ROUNDS:
        raise NotCompared  # perhaps without a balance
    return np.sqrt(of_rows), np.sqrt(of_cols)


def _balanced(case: Case) -> Array | None:
    scales = _scales(case)
    if scales is None:
        return None
    assert case.lines is not None
    return np.asarray(case.lines / scales[0][:, None] / scales[1])


def _kurtosis(case: Case) -> float | None:
    g = _balanced(case)
    if g is None or g.std() == 0:
        return None
    return float(((g - g.mean()) ** 4).mean() / g.var() ** 2 - 3)


def _ks_normal(case: Case) -> float | None:
    """sup |F - Phi| over the values."""
    g = _balanced(case)
    if g is None:
        return None
    if len(np.unique(g)) < 3 or (g == 0).mean() > 0.005:
        raise NotCompared  # an excess of zeros is left out
    z = np.sort((g.ravel() - g.mean()) / g.std())
    upto = np.arange(z.size + 1) / z.size
    phi = special.ndtr(z)
    return float(max(np.abs(upto[1:] - phi).max(), np.abs(upto[:-1] - phi).max()))


def _spread(case: Case, side: int) -> float | None:
    scales = _scales(case)
    if scales is None:
        return None
    return float(np.log(scales[side]).std())


def _spread_null(case: Case, side: int) -> float | None:
    """1/sqrt(2 n) of lines of n elements."""
    if _scales(case) is None:
        return None
    assert case.lines is not None
    return 1 / sqrt(2 * case.lines.shape[1 - side])


def _entropy(values: Array, step: float) -> float:
    counts = np.unique(np.rint(values / step), return_counts=True)[1]
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())


def _entropy_bits(case: Case) -> float | None:
    return _entropy(case.finite, STEP) if case.finite.size else None


def _entropy_bits_std64(case: Case) -> float | None:
    if not case.std > 0:
        return None
    return _entropy(case.finite, case.std / 64)


def _one(case: Case) -> float:
    return 1.0


BALANCE = (
    Definition("balanced_kurtosis", _kurtosis, 1e-4, unit=_one, wide=1e-3),
    Definition("balanced_ks_normal", _ks_normal, 2e-3, unit=_one),
    Definition("row_scale_spread", lambda case: _spread(case, 0), 1e-5, unit=_one),
    Definition("row_scale_spread_null", lambda case: _spread_null(case, 0)),
    Definition("col_scale_spread", lambda case: _spread(case, 1), 1e-5, unit=_one),
    Definition("col_scale_spread_null", lambda case: _spread_null(case, 1)),
)
CODING = (
    Definition("entropy_bits", _entropy_bits, 1e-9, unit=_one, wide=1e-2),
    Definition("entropy_bits_std64", _entropy_bits_std64, 1e-9, unit=_one, wide=1e-2),
)
