"""Lattices of values: a fixed step, sums of two powers of two, a codebook, a narrower type.

These are signs of a quantiser or of training in another type, which change the meaning of counts
and of shares near zero. Only floats of 16 bits and more whose values are known are tested: narrower
types are a lattice by themselves.
"""

from __future__ import annotations

from math import ceil, isfinite, log2
from typing import TYPE_CHECKING

from ...dtypes import DTYPES
from ...lazy import numpy as np
from .spacing import eps_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts

FEWEST, EACH = (
    4096,
    16,
)  # weights, and weights per value: fewer have few values by chance
CODEBOOK = 256  # values at most
SPARE = 4  # representable values per value: gains near 1 in BF16 use them all
VARIED = 64  # values of BF16 in F32: 0, 1 and 2 are in every type
LEAST = 8  # values: fewer are on a step anyhow
NEAR = 1e-3  # of a step: greatest distance of a value from a multiple


def lattice(counts: ValueCounts, dtype: str) -> str | None:
    """`step S`, `two powers`, `codebook N` or `bf16`, the first that applies; None otherwise.

    step: every value is a whole multiple of S, S at least twice the spacing of the type below the
    largest value. two powers: every value is 0, +-2^a or +-2^a +-2^b. codebook: at most 256 values,
    a quarter of what the type has in their range. These need 4,096 weights and 16 per value. bf16:
    float32 of 64 values or more whose lower halves are all zero; the spacing is then that of BF16.
    """
    if DTYPES[dtype].kind != "float" or DTYPES[dtype].bits < 16 or not counts.n:
        return None
    narrow = dtype == "F32" and counts.coarse
    spacing_type = "BF16" if narrow else dtype
    name = _lattice_of_few_values(counts, eps_of(spacing_type))
    if name is not None:
        return name
    varied = counts.distinct is None or counts.distinct >= VARIED
    if narrow and varied:
        return "bf16"
    return None


def _lattice_of_few_values(counts: ValueCounts, eps: float) -> str | None:
    """The first of the lattices that many weights on few values can be on."""
    values = counts.values
    if values is None or len(values) < 2 or counts.n < max(FEWEST, EACH * len(values)):
        return None
    step = step_of(values, eps)
    if step is not None:
        return f"step {step:.6g}"
    if len(values) >= LEAST and two_powers(values):
        return "two powers"
    if len(values) <= min(CODEBOOK, representable(values, eps) / SPARE):
        return f"codebook {len(values)}"
    return None


def step_of(values: NDArray[np.float64], eps: float) -> float | None:
    """The step of which all values, ascending, are whole multiples; None if the type is as coarse.

    >>> step_of(np.arange(-7, 8) * 0.25, 2.0**-23)
    0.25
    """
    with np.errstate(over="ignore"):  # between -1e308 and 1e308
        span, gap = float(np.ptp(values)), float(np.diff(values).min())
    many = span / gap
    if not isfinite(many):
        return None
    step = span / round(many)  # one gap alone has the rounding of two values
    largest = max(abs(float(values[0])), abs(float(values[-1])))
    spacing = eps * 2.0 ** (ceil(log2(largest)) - 1)  # below the largest value
    if len(values) < LEAST or step < 2 * spacing:
        return None
    multiples = values / step
    distance = float(np.abs(multiples - np.round(multiples)).max())
    if distance < NEAR:
        return step
    return None


def representable(values: NDArray[np.float64], eps: float) -> float:
    """How many values a type of spacing eps has between the first and the last, ascending values.

    Infinite around zero, where a floating-point type has ever finer values.

    >>> representable(np.array([1.0, 2.0]), 2.0**-7)
    129.0
    """
    if values[0] <= 0 <= values[-1]:
        return float("inf")
    ends = np.abs(values[[0, -1]])
    return float(np.ptp(_ordinal(ends))) / eps + 1


def _ordinal(magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponent and linear position in the binade, eps more from one value of a type to the next."""
    mantissa, exponent = np.frexp(magnitudes)
    return np.asarray(exponent + 2 * mantissa - 1)


def two_powers(values: NDArray[np.float64]) -> bool:
    """Whether each value is zero, a signed power of two, or the sum of two of them.

    >>> two_powers(np.array([0.0, 0.75, -6.0, 8.0])), two_powers(np.array([0.6875]))
    (True, False)
    """
    rest = np.abs(values)
    for _ in range(2):  # subtract the nearest power of two twice: nothing may remain
        with np.errstate(divide="ignore"):
            exponent = np.round(np.log2(rest))
        nearest = np.where(rest > 0, 2.0**exponent, 0.0)
        rest = np.abs(rest - nearest)
    return not rest.any()
