"""Sizes, ranks and evenness from numpy's singular values of the matrix without zero lines."""

from __future__ import annotations

from collections.abc import Callable
from math import log10, sqrt

import numpy as np
from scipy import integrate, stats

from ..case import Array, Case, NotCompared
from .definition import Definition, Value


def spectrum(case: Case) -> Array | None:
    """The singular values of a matrix that is finite and not zero."""
    return case.sigma


def floor(case: Case) -> float:
    """sigma_1 sqrt(r 2^-52), r of the lines that are not zero: the uncertainty of a Gram matrix."""
    assert case.sigma is not None
    return _floor(case)


def _floor(case: Case) -> float:
    sigma, lines = case.sigma, case.lines
    assert sigma is not None
    assert lines is not None
    return float(sigma[0]) * sqrt(min(lines.shape) * 2.0**-52)


def uncertain(case: Case) -> float:
    """The largest singular value that may be rounding."""
    sigma, lines = case.sigma, case.lines
    assert sigma is not None
    assert lines is not None
    m, n = lines.shape
    rms = sqrt((lines**2).mean())
    return max(case.eps / 2 * rms * (sqrt(m) + sqrt(n)), _floor(case))


def _is_zero(case: Case) -> bool:
    return case.matrix is not None and not case.matrix.any()


def _of(value: Callable[[Case, Array], Value]) -> Callable[[Case], Value]:
    """Null where there is no spectrum."""

    def of(case: Case) -> Value:
        if case.sigma is None:
            return None
        return value(case, case.sigma)

    return of


def _size(value: Callable[[Case, Array], Value]) -> Callable[[Case], Value]:
    """0 for a zero matrix, null where there is no spectrum."""

    def of(case: Case) -> Value:
        if _is_zero(case):
            return 0
        return _of(value)(case)

    return of


def _rank(case: Case, sigma: Array) -> int:
    return int((sigma > uncertain(case)).sum())


def _condition(case: Case, sigma: Array) -> float | None:
    if 0.5 < sigma[-1] / _floor(case) < 2:
        raise NotCompared  # rounding decides
    if sigma[-1] <= _floor(case):
        return None
    return float(sigma[0] / sigma[-1])


def _share_rank(sigma: Array, share: float) -> int:
    energy = np.cumsum(sigma**2)
    return int((energy < share * energy[-1] * (1 - 1e-9)).sum()) + 1


def orthogonality_null(case: Case, sigma: Array) -> float:
    """sqrt(E x/(E sqrt x)^2 - 1) of the Marchenko-Pastur law, by quadrature."""
    lines = case.lines
    assert lines is not None
    q = min(lines.shape) / max(lines.shape)
    if q == 1:
        mean_root = 8 / (3 * np.pi)
    else:
        low, high = (1 - sqrt(q)) ** 2, (1 + sqrt(q)) ** 2

        def height(angle: float) -> float:
            x = low + (high - low) * np.sin(angle) ** 2
            width = (high - low) ** 2 * np.sin(angle) ** 2 * np.cos(angle) ** 2
            return float(2 * width / (2 * np.pi * q * np.sqrt(x)))

        mean_root = integrate.quad(height, 0, np.pi / 2, epsabs=1e-13)[0]
    return sqrt(1 / mean_root**2 - 1)


def identity(case: Case, sigma: Array) -> float:
    matrix = case.matrix
    assert matrix is not None
    rows, cols = np.indices(matrix.shape)
    r = min(matrix.shape)
    on = rows % r == cols % r
    return float((matrix[on] ** 2).sum() / (matrix**2).sum())


def _method(case: Case) -> str | None:
    if case.matrix is None or not np.isfinite(case.matrix).all():
        return None
    return "gram"


def _unit_floor(case: Case) -> float:
    return _floor(case) if case.sigma is not None else 1.0


def _lines_in(axis: int) -> Callable[[Case], Value]:
    """Rows or columns of the matrix as stored."""

    def of(case: Case) -> Value:
        return None if case.matrix is None else case.matrix.shape[axis]

    return of


SIZES = (
    Definition("m", _lines_in(0)),
    Definition("n", _lines_in(1)),
    Definition("sigma_max", _size(lambda case, s: float(s[0])), 1e-10),
    # squares of the Gram matrix are uncertain up to the floor
    Definition("sigma_min", _size(lambda case, s: float(s[-1])), 1.0, unit=_unit_floor),
    Definition("fro", _size(lambda case, s: float(np.linalg.norm(case.values))), 1e-10),
    Definition("stable_rank", _of(lambda case, s: float((s**2).sum() / s[0] ** 2)), 1e-10),
    Definition("effective_rank", _of(lambda case, s: float(np.exp(stats.entropy(s)))), 1e-5),
    Definition("rank", _size(_rank)),
    Definition("condition", _of(_condition), 1e-3),
    Definition("rank_90", _of(lambda case, s: _share_rank(s, 0.9))),
    Definition("rank_99", _of(lambda case, s: _share_rank(s, 0.99))),
    Definition("log_norm", _of(lambda case, s: log10((s**2).sum())), 1e-10),
)
EVENNESS = (
    Definition(
        "orthogonality", _of(lambda case, s: float(stats.variation(s))), 1e-6, unit=lambda case: 1.0
    ),
    Definition("orthogonality_null", _of(orthogonality_null), 1e-7),
    Definition("identity", _of(identity), 1e-9),
    Definition("identity_null", _of(lambda case, s: 1 / min(case.values.shape))),
    Definition("method", _method),
    Definition("floor", _size(lambda case, s: _floor(case)), 1e-9),
)
