"""The energy that rounding adds to a tensor of a floating type, from its counted values."""

from __future__ import annotations

from ...lazy import numpy as np
from ...sketches.row_sample import FRACTION
from ...sketches.value_counts import ValueCounts


def rounding_energy(counts: ValueCounts, dtype: str) -> float:
    """Sum of step^2/12 over the elements, step the spacing of the type at each; 0 for other types.

    The variance of a uniform error of one step. dtype is spelled as safetensors spells it.

    >>> from ...sketches.power_sums import PowerSums
    >>> one = ValueCounts(value=np.ones(1), counts=np.array([12]), power=PowerSums(12))
    >>> rounding_energy(one, "BF16") == 2.0**-14
    True
    """
    bits = FRACTION.get(dtype)
    if bits is None:
        return 0.0
    nonzero = (counts.value != 0) & np.isfinite(counts.value)
    _, exponents = np.frexp(counts.value[nonzero])
    steps = np.ldexp(1.0, exponents - 1 - bits)
    return float((steps**2 * counts.counts[nonzero]).sum() / 12)
