"""Scales equal the definitions of their schemes, and grids those of their formats."""

from __future__ import annotations

import pytest
import torch

from weightscope.dtypes import decoded
from weightscope.sketches.rounding import E2M1, E4M3
from weightscope.sketches.schemes import SCHEMES, binary, nested


def test_each_scheme_has_its_blocks_and_its_largest_value() -> None:
    """int8 by row, int4 by group, fp8 by tensor or block, mxfp4 by 32, nvfp4 by 16."""
    assert {name: (s.block, s.grid.largest) for name, s in SCHEMES.items()} == {
        "int8": ((1, None), 127),
        "int4_g128": ((1, 128), 7),
        "int4_g32": ((1, 32), 7),
        "fp8_e4m3": ((None, None), 448),
        "fp8_e4m3_b128": ((128, 128), 448),
        "mxfp4": ((1, 32), 6),
        "nvfp4": ((1, 16), 6),
    }
    assert [name for name, s in SCHEMES.items() if s.clips] == ["mxfp4", "nvfp4"]
    assert [name for name, s in SCHEMES.items() if s.nested] == ["nvfp4"]
    assert (E4M3.largest, E2M1.largest) == (decoded("F8_E4M3")[:127].max(), decoded("F4").max())


@pytest.mark.parametrize(
    ("peak", "scale"), [(4, 1), (7.99, 1), (8, 2), (1e-30, 2.0**-102), (1e-300, 2.0**-127)]
)
def test_mxfp4_scales_are_powers_of_two_of_8_bits(peak, scale) -> None:
    """2^(floor(log2 absmax) - 2), no less than 2^-127."""
    assert binary(torch.tensor([peak], dtype=torch.float64), None, 6.0).item() == scale


def test_nvfp4_scales_are_e4m3_times_the_tensor_s() -> None:
    """448 s for the block of the peak, 0 below half of e4m3's smallest number, 0 for zeros."""
    top = torch.tensor([2688.0])
    peak = torch.tensor([2688.0, 6.0, 6.3, 6 * 2.0**-9, 6 * 2.0**-11, 0.0])
    assert nested(peak, top, 6.0).tolist() == [448.0, 1.0, 1.0, 2.0**-9, 0.0, 0.0]
    assert nested(0 * peak, 0 * top, 6.0).tolist() == [0.0] * 6
