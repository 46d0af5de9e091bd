"""Extreme weights, lattices, and marked rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import exp, log, pi, sqrt

import numpy as np
from scipy import integrate, special, stats

from ..case import Array, Case, NotCompared, resolved
from .definition import Definition, Value

MAD = 1.4826
IQR = 1.349


def _one(case: Case) -> float:
    return 1.0


def _varies(case: Case) -> bool:
    return case.finite.size > 0 and case.ordered[0] < case.ordered[-1]


def _beyond(k: int) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        if not case.finite.size:
            return None
        return int((np.abs(case.finite - case.mean) > k * case.std).sum())

    return of


def _beyond_ratio(k: int) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        count = _beyond(k)(case)
        if count is None:
            return None
        return float(count) / case.finite.size / (2 * float(stats.norm.sf(k)))

    return of


def _max_z(case: Case) -> float | None:
    if not _varies(case):
        return None
    return float(np.abs(case.finite - case.mean).max() / case.std)


@cache
def _moment_of_largest(count: int, power: int) -> float:
    """E max|z|^power of that many Gaussian values, by quadrature of its distribution function."""

    def height(x: float) -> float:
        outside = -np.expm1(count * np.log1p(-2 * special.ndtr(-x)))
        return float(power * x ** (power - 1) * outside)

    ends = (1e-12, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 14.0)
    return sum(integrate.quad(height, a, b)[0] for a, b in pairwise(ends))


def _max_z_null(case: Case) -> float | None:
    return _moment_of_largest(case.finite.size, 1) if _varies(case) else None


def _max_z_se(case: Case) -> float | None:
    if not _varies(case):
        return None
    mean = _moment_of_largest(case.finite.size, 1)
    return sqrt(_moment_of_largest(case.finite.size, 2) - mean**2)


def _central(case: Case) -> Array | None:
    """Which finite values are within 4 robust std of the median; None without such a scale."""
    if not case.finite.size:
        return None
    resolved(case)
    if not _varies(case):
        return np.ones(case.finite.size, bool)
    low, middle, high = np.quantile(case.finite, [0.25, 0.5, 0.75])
    if not high > low:
        return None
    limit = 4 * (high - low) / IQR
    return np.abs(case.finite - middle) <= limit


def _core_share(case: Case) -> float | None:
    central = _central(case)
    return None if central is None else float(central.mean())


def _core_std(case: Case) -> float | None:
    central = _central(case)
    if central is None:
        return None
    density = exp(-8) / sqrt(2 * pi)
    inside = 1 - 2 * float(stats.norm.sf(4))
    return float(case.finite[central].std() / sqrt(1 - 8 * density / inside))


def lattice(case: Case) -> str | None:
    """A step or a codebook of few values, or values of BF16 in float32."""
    if case.dtype.startswith("F8") or not case.finite.size:
        return None
    values = np.unique(case.finite)
    if case.finite.size >= 4096 and case.finite.size >= 16 * len(values) >= 32:
        return _of_few_values(values, case)
    if len(values) <= 256 and len(values) < case.finite.size / 4:
        raise NotCompared  # of few weights a quantiser has a name
    return _narrow(values, case)


def _of_few_values(values: Array, case: Case) -> str | None:
    step = float(np.diff(values).min())
    steps = values / step
    spacing = case.eps * 2.0 ** np.floor(np.log2(np.abs(values).max()))
    if len(values) >= 8 and step >= spacing and np.abs(steps - np.rint(steps)).max() < 1e-3:
        return f"step {step:.6g}"
    if len(values) > 8 or step < 8 * spacing:
        raise NotCompared  # sums of powers, and codebooks near the values of the type
    return f"codebook {len(values)}"


def _narrow(values: Array, case: Case) -> str | None:
    """`bf16` where the lower halves of 64 values of float32 and more are zero."""
    if case.dtype != "F32" or len(values) < 64:
        return None
    halves = values.astype(np.float32).view(np.uint32) & 0xFFFF
    return None if halves.any() else "bf16"


def _counted(count: Callable[[Array, int], int], axis: int) -> Callable[[Case], Value]:
    """A count over finite lines; null for vectors. `axis` 1: rows."""

    def of(case: Case) -> Value:
        if case.matrix is None:
            return None
        lines = case.matrix if axis == 1 else case.matrix.T
        return count(lines[np.isfinite(lines).all(1)], lines.shape[1])

    return of


def _dead(lines: Array, length: int) -> int:
    return int((lines == 0).all(1).sum())


def _is_constant(lines: Array) -> Array:
    return (lines == lines[:, :1]).all(1) & (lines[:, 0] != 0)


def _constant(lines: Array, length: int) -> int:
    return int(_is_constant(lines).sum())


def _duplicates(lines: Array, length: int) -> int:
    lines = lines[(lines != 0).any(1) & ~_is_constant(lines)] + 0.0  # -0 is 0
    if not len(lines):
        return 0
    _, counts = np.unique(lines, axis=0, return_counts=True)
    return int(counts[counts > 1].sum())


def _one_sign(lines: Array, length: int) -> int:
    if length < 16:
        return 0
    return int(((lines > 0).all(1) | (lines < 0).all(1)).sum())


def _log_rms(lines: Array) -> Array:
    squares = (lines**2).mean(1)
    return np.log(squares[squares > 0]) / 2


def _outlying(lines: Array, length: int) -> int:
    sizes = _log_rms(lines)
    if not len(sizes):
        return 0
    distance = np.abs(sizes - np.median(sizes))
    limit = max(6 * MAD * float(np.median(distance)), log(1.5))
    if np.abs(distance - limit).min() < 1e-9:
        raise NotCompared
    return int((distance > limit).sum())


def _rms_ratio(axis: int) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        if case.matrix is None:
            return None
        lines = case.matrix if axis == 1 else case.matrix.T
        sizes = np.exp(_log_rms(lines[np.isfinite(lines).all(1)]))
        return float(sizes.max() / np.median(sizes)) if len(sizes) else None

    return of


def _crossings(case: Case, axis: int) -> Array | None:
    """The number of weights beyond 4 robust std in each line; None without any."""
    central = _central(case)
    if central is None or case.matrix is None or central.all():
        return None
    far = np.zeros(case.matrix.shape, bool)
    far[np.isfinite(case.matrix)] = ~central
    counts = far.sum(axis)
    return counts if len(counts) > 1 else None


def _gini(axis: int) -> Callable[[Case], Value]:
    """Mean absolute difference of two lines over twice the mean."""

    def of(case: Case) -> Value:
        counts = _crossings(case, axis)
        if counts is None:
            return None
        differences = np.abs(counts[:, None] - counts[None, :]).mean()
        return float(differences / (2 * counts.mean()))

    return of


def _gini_null(axis: int) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        counts = _crossings(case, axis)
        if counts is None:
            return None
        twice = 2 * float(counts.mean())
        return float(exp(-twice) * (special.iv(0, twice) + special.iv(1, twice)))

    return of


def _top(axis: int) -> Callable[[Case], Value]:
    def of(case: Case) -> Value:
        counts = _crossings(case, axis)
        return None if counts is None else int(np.argmax(counts))

    return of


def _pattern(case: Case) -> str | None:
    """2:4, else 4:8, where no group of neighbours has more weights; not of sparse tensors."""
    matrix = case.matrix
    if matrix is None or (case.finite == 0).sum() >= 0.75 * case.finite.size:
        return None
    for most, size in ((2, 4), (4, 8)):
        if matrix.shape[1] % size:
            continue
        groups = (matrix != 0).reshape(-1, size).sum(1)
        if (groups <= most).all():
            return f"{most}:{size}"
    return None


SINGLE = (
    *(Definition(f"beyond_{k}", _beyond(k)) for k in (3, 4, 5, 6)),
    *(Definition(f"beyond_{k}_ratio", _beyond_ratio(k)) for k in (3, 4, 5, 6)),
    Definition("max_z", _max_z, 1e-8, wide=1e-6),
    Definition("max_z_null", _max_z_null, 1e-5),
    Definition("max_z_se", _max_z_se, 1e-4),
    Definition("core_share", _core_share, 1e-12, wide=1e-4),
    Definition("core_std", _core_std, 1e-9, wide=1e-3),
)
MARKED = (
    Definition("dead_rows", _counted(_dead, 1)),
    Definition("dead_cols", _counted(_dead, 0)),
    Definition("constant_rows", _counted(_constant, 1)),
    Definition("constant_cols", _counted(_constant, 0)),
    Definition("duplicate_rows", _counted(_duplicates, 1)),
    Definition("outlier_rows", _counted(_outlying, 1)),
    Definition("outlier_cols", _counted(_outlying, 0)),
    Definition("row_rms_ratio_max", _rms_ratio(1), 1e-6),
    Definition("col_rms_ratio_max", _rms_ratio(0), 1e-6),
    Definition("one_sign_rows", _counted(_one_sign, 1)),
    Definition("one_sign_cols", _counted(_one_sign, 0)),
    Definition("sparsity_pattern", _pattern),
    Definition("row_gini", _gini(1), wide=0.02),
    Definition("row_gini_null", _gini_null(1), wide=0.02),
    Definition("top_row", _top(1)),
    Definition("col_gini", _gini(0), wide=0.02),
    Definition("col_gini_null", _gini_null(0), wide=0.02),
    Definition("top_col", _top(0)),
)
