"""Rounding to e4m3, e2m1 and integers: grid numbers, midpoints, and the floats beside these."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.dtypes import decoded
from weightscope.sketches.rounding import E2M1, E4M3, Integers, power_below

GRIDS = {
    "e4m3": (E4M3, decoded("F8_E4M3")[:127]),
    "e2m1": (E2M1, decoded("F4")[:8]),
    "int8": (Integers(127.0), np.arange(128.0)),
}


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_value_goes_to_its_nearest_and_middles_to_the_even_code(name, dtype) -> None:
    """The codes count up from zero, so the even code is the even index."""
    grid, values = GRIDS[name]
    middle = ((values[1:] + values[:-1]) / 2).astype(dtype)
    code = np.arange(len(middle))
    below, above = np.nextafter(middle, dtype(0)), np.nextafter(middle, dtype(1e9))
    for y, expected in (
        (middle, code + code % 2),
        (below, code),
        (above, code + 1),
        (values.astype(dtype), None),
    ):
        result = grid.nearest_(
            torch.from_numpy(y.copy()), torch.empty(len(y), dtype=torch.from_numpy(y).dtype)
        )
        assert result.tolist() == (values if expected is None else values[expected]).tolist()


def test_numbers_just_below_a_power_of_two_round_up_to_it() -> None:
    """The last float32s of a binade round to the first of the next, odd mantissas too."""
    for grid in (E4M3, E2M1):
        y = np.float32(2.0) - np.arange(1, 200, dtype=np.float32) * np.float32(2.0**-23)
        assert grid.nearest_(torch.from_numpy(y), torch.empty(199)).unique().tolist() == [2.0]


def test_e4m3_is_that_of_torch() -> None:
    """float8_e4m3fn, over all its range."""
    y = torch.from_numpy(np.random.default_rng(0).lognormal(0, 4, 20_000)).float().clamp(max=448)
    expected = y.to(torch.float8_e4m3fn).float()
    assert torch.equal(E4M3.nearest_(y.clone(), torch.empty_like(y)), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_power_of_two_below(dtype) -> None:
    """2^floor(log2 x), exactly."""
    x = torch.tensor([1e-30, 0.4999, 0.5, 1.0, 1.9999999, 3e30], dtype=dtype)
    expected = [2.0 ** np.floor(np.log2(v)) for v in x.tolist()]
    assert power_below(x, torch.empty_like(x)).tolist() == expected
