"""Magnitudes exclude non-finite values, and their squares have all digits at any scale."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.geometry import whole
from weightscope.sketches.magnitudes import magnitudes


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", [1e-35, 1.0, 1e35])
def test_squares_are_exact_to_float32_at_any_size(lab, mirrored, size) -> None:
    """float64 replaces float32 where its squares underflow or overflow."""
    x = size * np.random.default_rng(0).normal(size=(2, 7, 30))
    stored = torch.from_numpy(x).float()
    tile = lab.tile(stored.mT.contiguous().mT if mirrored else stored, "F32", whole((7, 30)))
    result = [(m.which, m.finite, m.squares.tolist(), m.values.clone()) for m in magnitudes(tile)]
    assert [which for which, *_ in result] == (
        [slice(0, 2)] if size == 1 else [slice(0, 1), slice(1, 2)]
    )
    assert np.allclose(
        np.concatenate([s for *_, s, _ in result]), (x**2).sum((1, 2)), rtol=1e-6, atol=0
    )
    values = torch.cat([v for *_, v in result])
    assert torch.equal((values.mT if mirrored else values).float(), stored.abs())
    assert {n for _, n, *_ in result} == {210}


def test_a_matrix_with_nan_goes_alone(lab) -> None:
    """Its neighbours in the stack stay in float32."""
    stored = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    stored[1, 2, 2], stored[1, 0, 0] = torch.nan, -torch.inf
    result = [
        (m.finite, m.values.dtype, m.values.clone())
        for m in magnitudes(lab.tile(stored, "F32", whole((4, 5))))
    ]
    assert [(n, dtype) for n, dtype, _ in result] == [
        (20, torch.float32),
        (18, torch.float64),
        (20, torch.float32),
    ]
    assert torch.equal(result[1][2][0].float(), stored[1].nan_to_num(0, 0, 0).abs())
