"""Blocks that tiles cut through: every element is shown once, in its own block."""

from __future__ import annotations

import pytest
import torch

from weightscope.sketches.blocks import number, parts, peaks

BLOCKS = [(1, None), (1, 5), (None, None), (4, 3), (128, 128), (7, 1)]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("mirrored", [False, True])
def test_peaks_of_all_tiles_are_those_of_the_blocks(lab, block, axis, mirrored) -> None:
    """Whatever the cut and the layout, within any number of blocks a tile."""
    x = torch.rand(2, 13, 17, generator=torch.Generator().manual_seed(0))
    rows, cols = number((13, 17), block)
    known, shown = torch.zeros(2, rows, cols), torch.zeros(2, rows, cols)
    for box in lab.boxes((13, 17), axis, [2, 3, 9, 10]):
        tile = lab.tile(x.mT.contiguous().mT if mirrored else x, "F32", box, axis)
        for part in parts(tile.values.mT if tile.mirrored else tile.values, tile, block):
            blocks = part.apart(part.values)
            torch.maximum(part.of(known), peaks(blocks), out=part.of(known))
            part.of(shown).add_(blocks.sum((2, 4)))
    high, wide = block[0] or 13, block[1] or 17
    for i in range(rows):
        for j in range(cols):
            own = x[:, i * high : (i + 1) * high, j * wide : (j + 1) * wide]
            assert torch.equal(known[:, i, j], own.amax((1, 2)))
            assert torch.allclose(shown[:, i, j], own.sum((1, 2)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_peaks_hold_over_the_range_of_the_type(dtype) -> None:
    """Bits order magnitudes as their values do, subnormals and zeros too."""
    tiny, big = torch.finfo(dtype).smallest_normal / 8, torch.finfo(dtype).max
    x = torch.tensor([0.0, tiny, 1.0, 3.0, big, 2.0], dtype=dtype).view(1, 1, 2, 3, 1)
    assert peaks(x).tolist() == [[[3.0, big, 2.0]]]
    assert peaks(x[..., :1, :]).tolist() == [[[3.0]]]
