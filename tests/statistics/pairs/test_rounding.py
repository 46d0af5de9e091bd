"""The energy that rounding adds to a tensor."""

import numpy as np
import pytest
import torch

from weightscope.sketches.power_sums import PowerSums
from weightscope.sketches.value_counts import ValueCounts
from weightscope.statistics.pairs.rounding import rounding_energy

TYPES = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32}


def counted(values):
    """Exact counts of values."""
    cells, counts = np.unique(values, return_counts=True)
    return ValueCounts(value=cells, counts=counts, power=PowerSums(len(values)))


@pytest.mark.parametrize("dtype", TYPES)
def test_energy_is_that_of_the_rounding_errors(dtype):
    """Sum of squared errors of torch's conversion of smooth values, within 3%."""
    exact = torch.randn(20_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rounded = exact.to(TYPES[dtype]).double()
    energy = rounding_energy(counted(rounded.numpy()), dtype)
    assert energy == pytest.approx(float(((rounded - exact) ** 2).sum()), rel=0.03)


def test_other_types_and_zeros_add_nothing():
    """Integers are exact, and zeros, Inf and NaN have no spacing."""
    assert rounding_energy(counted(np.array([1.0, 2.0])), "I32") == 0
    assert rounding_energy(counted(np.array([0.0, 0.0, np.inf])), "BF16") == 0
