"""A tensor under test: its stored values in float64, and what several definitions share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]
EPS = {"F64": 2.0**-52, "F32": 2.0**-23, "F16": 2.0**-10, "BF16": 2.0**-7, "F8_E4M3": 2.0**-3,
       "F8_E5M2": 2.0**-2}  # fmt: skip
TRACKED = 65_536  # elements: wider tensors of float32 and float64 are counted in bins


class NotCompared(Exception):
    """The definition does not cover this tensor."""


def resolved(case: Case) -> None:
    """Raises NotCompared where bins are wide beside the std: the value is null, with a note."""
    if case.is_wide and case.std < 0.1 * abs(case.mean):
        raise NotCompared


@dataclass(frozen=True, eq=False)
class Case:
    """A tensor: its name, the type, and its values as float64."""

    name: str
    dtype: str
    tensor: torch.Tensor
    earlier: tuple[Case, ...] = ()  # in the same file

    @cached_property
    def values(self) -> Array:
        """All values, in their shape."""
        return self.tensor.to(torch.float64).numpy()

    @cached_property
    def finite(self) -> Array:
        """The finite values, flat."""
        flat = self.values.ravel()
        return flat[np.isfinite(flat)]

    @cached_property
    def ordered(self) -> Array:
        """The finite values, ascending."""
        return np.sort(self.finite)

    @property
    def is_wide(self) -> bool:
        """Whether its values are counted in bins 0.8% wide."""
        return self.dtype in ("F32", "F64") and self.values.size > TRACKED

    @cached_property
    def matrix(self) -> Array | None:
        """The values as a matrix; None for a vector, in whatever shape it is stored."""
        values = self.values
        if values.ndim != 2 or 1 in values.shape:
            return None
        return values

    @cached_property
    def lines(self) -> Array | None:
        """The matrix without its zero rows and columns; None where none is left."""
        matrix = self.matrix
        if matrix is None or not np.isfinite(matrix).all():
            return None
        used = matrix != 0
        kept = matrix[used.any(1)][:, used.any(0)]
        return kept if kept.size else None

    @cached_property
    def sigma(self) -> Array | None:
        """Singular values without zero lines, descending."""
        if self.lines is None:
            return None
        return np.linalg.svd(self.lines, compute_uv=False)

    @property
    def eps(self) -> float:
        """The spacing of the type at 1."""
        return EPS[self.dtype]

    @cached_property
    def mean(self) -> float:
        """Mean of the finite values."""
        return float(self.finite.mean())

    @cached_property
    def std(self) -> float:
        """Population standard deviation."""
        return float(self.finite.std())
