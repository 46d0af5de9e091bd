"""Counts, moments and robust statistics of the elements."""

from __future__ import annotations

from math import sqrt

import numpy as np
import torch

from ..case import Array, Case, NotCompared, resolved
from .definition import Definition

NORMAL_IQR = 1.349


def _std(case: Case) -> float:
    return case.std


def _one(case: Case) -> float:
    return 1.0


def _mean(case: Case) -> float | None:
    return case.mean if case.finite.size else None


def _population_std(case: Case) -> float | None:
    return case.std if case.finite.size else None


def _varies(case: Case) -> bool:
    return case.finite.size > 0 and case.ordered[0] < case.ordered[-1]


def _skew(case: Case) -> float | None:
    if not _varies(case):
        return None
    return float(((case.finite - case.mean) ** 3).mean() / case.std**3)


def _kurtosis(case: Case) -> float | None:
    if not _varies(case):
        return None
    return float(((case.finite - case.mean) ** 4).mean() / case.std**4) - 3


def _std_se(case: Case) -> float | None:
    if case.finite.size and not _varies(case):
        return 0.0
    kurtosis = _kurtosis(case)
    if kurtosis is None:
        return None
    return case.std * sqrt((kurtosis + 2) / (4 * case.finite.size))


def _kurtosis_se(case: Case) -> float | None:
    if not _varies(case):
        return None
    return sqrt(24 / case.finite.size)


def _l_kurtosis(case: Case) -> float | None:
    """Fourth over second sample L-moment, by unbiased probability-weighted moments b_r."""
    resolved(case)
    x, n = case.ordered, case.finite.size
    if n < 4 or not _varies(case):
        return None
    i = np.arange(n, dtype=np.float64)
    weight_1 = i / (n - 1)
    weight_2 = weight_1 * (i - 1) / (n - 2)
    weight_3 = weight_2 * (i - 2) / (n - 3)
    x = x - case.mean  # L-moments from the second on do not see it
    b0, b1, b2, b3 = (float((x * w).mean()) for w in (1.0, weight_1, weight_2, weight_3))
    return (20 * b3 - 30 * b2 + 12 * b1 - b0) / (2 * b1 - b0)


def _robust_std(case: Case) -> float | None:
    if not case.finite.size:
        return None
    resolved(case)
    low, high = np.quantile(case.finite, [0.25, 0.75])
    return float(high - low) / NORMAL_IQR


def _least(case: Case) -> float | None:
    return float(case.ordered[0]) if case.finite.size else None


def _greatest(case: Case) -> float | None:
    return float(case.ordered[-1]) if case.finite.size else None


def _zeros(case: Case) -> int:
    return int((case.values == 0).sum())


def _nan(case: Case) -> int:
    return int(np.isnan(case.values).sum())


def _inf(case: Case) -> int:
    return int(np.isinf(case.values).sum())


def _subnormals(case: Case) -> int:
    size = np.abs(case.finite)
    return int(((size > 0) & (size < torch.finfo(case.tensor.dtype).tiny)).sum())


def _distinct(case: Case) -> int | None:
    count = len(np.unique(case.finite))
    if case.is_wide and count > 4096:
        return None
    return count


def _tiny_share(case: Case) -> float | None:
    if not _varies(case):
        return None
    resolved(case)
    return float((np.abs(case.finite) < case.std / 1000).mean())


def _trimmed(case: Case) -> Array | None:
    if not case.finite.size:
        return None
    resolved(case)
    return case.finite[np.abs(case.finite - case.mean) <= 3 * case.std]


def _trimmed_std(case: Case) -> float | None:
    inside = _trimmed(case)
    return None if inside is None else float(inside.std())


def _trimmed_kurtosis(case: Case) -> float | None:
    inside = _trimmed(case)
    if inside is None or inside.std() == 0:
        return None
    z = (inside - inside.mean()) / inside.std()
    return float((z**4).mean()) - 3


def _filtered(case: Case) -> Array | None:
    """Within 3 std of the mean and at least std/1000 from 0; from 1,000 weights on."""
    inside = _trimmed(case)
    if inside is None or not _varies(case):
        return None
    if case.finite.size < 1000 or case.is_wide or len(np.unique(case.finite)) < 300:
        raise NotCompared  # of a lattice, zero is a cell like its neighbours
    if (case.finite == 0).mean() > 0.001:
        raise NotCompared  # zeros in excess are left out first
    return inside[np.abs(inside) >= case.std / 1000]


def _filtered_std(case: Case) -> float | None:
    if case.finite.any() and not _varies(case):
        return 0.0
    kept = _filtered(case)
    return None if kept is None else float(kept.std())


def _filtered_kurtosis(case: Case) -> float | None:
    kept = _filtered(case)
    if kept is None:
        return None
    z = (kept - kept.mean()) / kept.std()
    return float((z**4).mean()) - 3


COUNTS = (
    Definition("zeros", _zeros),
    Definition("nan", _nan),
    Definition("inf", _inf),
    Definition("distinct", _distinct),
    Definition("min", _least),
    Definition("max", _greatest),
    Definition("tiny_share", _tiny_share, 1e-12, wide=1e-4, unit=_one),
)
SUBNORMALS = Definition("subnormals", _subnormals)
MOMENTS = (
    Definition("mean", _mean, 1e-9, unit=_std, wide=1e-6),
    Definition("std", _population_std, wide=1e-6),
    Definition("std_se", _std_se, 1e-6),
    Definition("skew", _skew, 1e-6, unit=_one),
    Definition("kurtosis", _kurtosis, 1e-6, unit=_one, wide=1e-5),
    Definition("kurtosis_se", _kurtosis_se),
    Definition("l_kurtosis", _l_kurtosis, 1e-8, unit=_one, wide=2e-4),
    Definition("robust_std", _robust_std, 1e-9, wide=1e-3),
    Definition("trimmed_std", _trimmed_std, wide=2e-3),
    Definition("filtered_std", _filtered_std),
    Definition("filtered_kurtosis", _filtered_kurtosis, 1e-6, unit=_one),
    Definition("trimmed_kurtosis", _trimmed_kurtosis, 1e-6, unit=_one, wide=0.03),
)
