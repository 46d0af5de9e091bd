"""Are the values on a lattice? A fixed step, sums of two powers of two, a codebook, or a narrower type stored wide.

Signs of a quantiser or of training in another type: counts and shares near zero then mean something else. Only floats
of 16 bits and more whose values are known are looked at: narrower types are a lattice by themselves.
"""

from __future__ import annotations

from math import ceil, log2
from typing import TYPE_CHECKING

from ...dtypes import DTYPES
from ...lazy import numpy as np
from .spacing import eps_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import ValueCounts

FEWEST, EACH = 4096, 16  # weights, and weights to a value: below, few values are chance
CODEBOOK = 256  # values at most
SPARE = 4  # representable values to a value: gains near 1 in BF16 use them all
VARIED = 64  # values of BF16 in F32: 0, 1 and 2 are in every type
LEAST = 8  # values: fewer are on a step anyhow
NEAR = 1e-3  # of a step: how close a rounded multiple comes


def lattice(counts: ValueCounts, dtype: str) -> str | None:
    """`step S`, `two powers`, `codebook N` or `bf16`, the first that holds; None for ordinary values.

    step: every value is a whole multiple of S, S at least twice the spacing of the type below the largest value. two
    powers: every value is 0, +-2^a or +-2^a +-2^b. codebook: at most 256 values, a quarter of what the type has in
    their range. These need 4,096 weights and 16 to a value. bf16: float32 of 64 values or more whose lower halves are
    all zero; the spacing is then that of BF16.
    """
    if DTYPES[dtype].kind != "float" or DTYPES[dtype].bits < 16 or not counts.n:
        return None
    narrow = dtype == "F32" and counts.coarse
    if found := _of_few(counts, eps_of("BF16" if narrow else dtype)):
        return found
    return "bf16" if narrow and (counts.distinct is None or counts.distinct >= VARIED) else None


def _of_few(counts: ValueCounts, eps: float) -> str | None:
    """The first of the lattices that few values show."""
    values = counts.values
    if values is None or len(values) < 2 or counts.n < max(FEWEST, EACH * len(values)):
        return None
    if step := step_of(values, eps):
        return f"step {step:.6g}"
    if len(values) >= LEAST and two_powers(values):
        return "two powers"
    few = len(values) <= min(CODEBOOK, representable(values, eps) / SPARE)
    return f"codebook {len(values)}" if few else None


def step_of(values: NDArray[np.float64], eps: float) -> float | None:
    """The step of which all values, ascending, are whole multiples; None where the type itself is as coarse.

    >>> step_of(np.arange(-7, 8) * 0.25, 2.0**-23)
    0.25
    """
    span, gap = float(np.ptp(values)), float(np.diff(values).min())
    step = span / round(span / gap)  # one gap alone has the rounding of two values
    spacing = eps * 2.0 ** (
        ceil(log2(max(abs(float(values[0])), abs(float(values[-1]))))) - 1
    )  # below the largest
    if len(values) < LEAST or step < 2 * spacing:
        return None
    multiples = values / step
    return step if float(np.abs(multiples - np.round(multiples)).max()) < NEAR else None


def representable(values: NDArray[np.float64], eps: float) -> float:
    """How many values a type of that spacing has in the range of these, ascending; endless around zero.

    >>> representable(np.array([1.0, 2.0]), 2.0**-7)
    129.0
    """
    around = values[0] <= 0 <= values[-1]
    return float("inf") if around else float(np.ptp(_ordinal(np.abs(values[[0, -1]])))) / eps + 1


def _ordinal(magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponent and linear place within the binade: equal steps of eps from one value of the type to the next."""
    mantissa, exponent = np.frexp(magnitudes)
    return np.asarray(exponent + 2 * mantissa - 1)


def two_powers(values: NDArray[np.float64]) -> bool:
    """Whether each value is zero, a signed power of two, or the sum of two of them.

    >>> two_powers(np.array([0.0, 0.75, -6.0, 8.0])), two_powers(np.array([0.6875]))
    (True, False)
    """
    rest = np.abs(values)
    for _ in range(2):
        with np.errstate(divide="ignore"):
            near = np.where(rest > 0, 2.0 ** np.round(np.log2(rest)), 0.0)
        rest = np.abs(rest - near)
    return not rest.any()
