"""The format from which a tensor was upcast, and tensors of equal content.

Every group of every row is tested, with the scale from the least difference of its values; a
tensor with some groups on a grid and some off it is not compared.
"""

from __future__ import annotations

import numpy as np
import torch

from ..case import Array, Case, NotCompared
from ..tensors import NF4
from .definition import Definition
from .outlying import lattice

DISTINCT = 64  # values of a narrower type
FEWEST_EQUAL = 1024
STEPS = 255
FIRST = 3
GROUPS = (128, 64, 32, 16)
ROUNDINGS = 4.0  # of a value in float32: arithmetic rounds several times
CODES = ((2, 1), (3, 3), (4, 7), (8, 127))  # bits of symmetric integers, and their largest code


def _is_step(sizes: Array, rounding: Array) -> float | None:
    """The largest size in steps where all are multiples of one; None otherwise."""
    peak = sizes[-1]
    for steps in range(2, STEPS + 1):
        step = peak / steps
        off = np.abs(sizes - np.rint(sizes / step) * step)
        if (off <= rounding + sizes / peak * rounding[-1]).all():
            return float(steps) if step > 5 * rounding[-1] else None
    return None


def _is_nf4(values: Array, rounding: Array) -> bool:
    peak = np.abs(values).max()
    nearest = np.array(NF4)[np.abs((values / peak)[:, None] - np.array(NF4)).argmin(1)] * peak
    return bool(
        (np.abs(values - nearest) <= rounding + np.abs(values) / peak * rounding.max()).all()
    )


def _rounding(values: Array, case: Case) -> Array:
    eps = 2.0**-23 if case.dtype in ("F32", "F64") else case.eps
    _, exponent = np.frexp(values)
    least = 2.0**-24 if case.dtype == "F16" else 0.0
    roundings = ROUNDINGS if case.dtype in ("F32", "F64") else 1.05
    return np.asarray(roundings * np.maximum(np.ldexp(eps / 2, exponent - 1), least / 2))


def _of_group(group: Array, case: Case) -> str | None:
    """`nf4`, the bits of the integers, or `few` where three sizes do not tell."""
    values = np.unique(group[group != 0])
    if len(np.unique(np.abs(values))) < 4:
        return "few"
    sizes = np.unique(np.abs(values))
    steps = _is_step(sizes, _rounding(sizes, case))
    if steps is not None:
        return str(next(bits for bits, code in CODES if steps <= code)) if steps <= 127 else "8"
    if _is_nf4(values, _rounding(values, case)):
        return "nf4"
    return None


def _kinds(matrix: Array, length: int, case: Case) -> set[str | None]:
    width = matrix.shape[1] // length * length
    groups = matrix[:, :width].reshape(-1, length)
    first = {_of_group(group, case) for group in groups[:FIRST]}
    if first == {None}:
        return first  # the other groups of noise take minutes
    return (first | {_of_group(group, case) for group in groups[FIRST:]}) - {"few"}


def _narrower(case: Case) -> str | None:
    """The narrowest type that has all of at least 64 values."""
    if len(np.unique(case.finite)) < DISTINCT:
        return None
    tensor = torch.from_numpy(case.finite)
    for name, kind in (("BF16", torch.bfloat16), ("F16", torch.float16), ("F32", torch.float32)):
        wider = {"BF16": ("F32",), "F16": ("F32", "F64"), "F32": ("F64",)}[name]
        if case.dtype in wider and torch.equal(tensor.to(kind).to(torch.float64), tensor):
            return name
    return None


def history(case: Case) -> str | None:
    if case.dtype.startswith("F8") or not case.finite.size or case.ordered[0] == case.ordered[-1]:
        return None
    matrix = case.matrix
    if case.finite.size >= 16 * len(np.unique(case.finite)):
        raise NotCompared  # of few values one scale is tested first
    narrower = _narrower(case)
    if matrix is None or not np.isfinite(matrix).all() or matrix.size < 4096:
        return narrower
    scales = [("per row", matrix.shape[1])]
    scales += [(f"g{length}", length) for length in GROUPS if matrix.shape[1] > length]
    for scale, length in scales:
        kinds = _kinds(matrix, length, case)
        if kinds and None not in kinds:
            return _named(kinds, scale)
        if len(kinds) > 1:
            raise NotCompared  # groups on a grid and off it
        if not kinds:
            raise NotCompared  # too few values in a group
    return narrower


def _lattice(case: Case) -> str | None:
    """A lattice of few values, else the history: types have small letters."""
    found = lattice(case)
    if found is None and not case.dtype.startswith("F8"):
        found = history(case)
    if found in ("BF16", "F16", "F32"):
        return found.lower()
    return found


def _named(kinds: set[str | None], scale: str) -> str:
    if kinds == {"nf4"}:
        return f"nf4 {scale}"
    if "nf4" in kinds:
        raise NotCompared
    return f"int{max(int(str(bits)) for bits in kinds)} {scale}"


def _duplicate_of(case: Case) -> str | None:
    """The first tensor of the same type, shape and values; -0 is 0."""
    values = case.values
    if values.size < FEWEST_EQUAL or not case.finite.size or case.ordered[0] == case.ordered[-1]:
        return None
    if not np.isfinite(values).all():
        return None
    for other in case.earlier:
        alike = other.dtype == case.dtype and other.values.shape == values.shape
        if alike and np.array_equal(other.values, values):
            return other.name
    return None


HISTORIES = (
    Definition("precision_history", history, slow=True),
    Definition("lattice", _lattice, slow=True),
    Definition("duplicate_of", _duplicate_of),
)
