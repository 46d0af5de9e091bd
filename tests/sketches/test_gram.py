"""Gram matrices in blocks equal whole products; their eigenvalues equal LAPACK's both ways."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import Decompose, gram

DRAW = torch.Generator().manual_seed(0)


def blocks_of(lines: torch.Tensor) -> gram.Blocks:
    """Folded in two parts."""
    blocks, half = gram.blank(len(lines), lines.shape[-1], "cpu"), lines.shape[1] // 2
    for part in (lines[:, :half], lines[:, half:]):
        gram.added(blocks, part)
    return blocks


@pytest.mark.parametrize("side", [1, 63, 255, 256, 257, 520])
def test_blocks_hold_the_lower_triangle(side) -> None:
    """Of each product, block by block."""
    lines = torch.randn(2, 40, side, dtype=torch.float64, generator=DRAW)
    expected = lines.mT @ lines
    for i, block in enumerate(blocks_of(lines)):
        first, rows, columns = i * gram.BLOCK, *block.shape[1:]
        assert torch.allclose(
            block, expected[:, first : first + rows, :columns], rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("side", [1, 2, 63, 64, 65, 127, 128, 129, 256, 300, 520])
@pytest.mark.parametrize("kind", ["full", "rank 3", "graded"])
def test_the_reduction_in_place_has_the_eigenvalues_of_lapack(monkeypatch, side, kind) -> None:
    """Within a few ulp of the largest; rank-deficient and graded matrices too, with tau = 0."""
    monkeypatch.setattr(gram, "DIRECT", 0)
    lines = torch.randn(
        1, 3 if kind == "rank 3" else side + 9, side, dtype=torch.float64, generator=DRAW
    )
    lines = lines * torch.logspace(0, -8, side, dtype=torch.float64) if kind == "graded" else lines
    expected = np.linalg.eigvalsh((lines.mT @ lines)[0].numpy())
    result = gram.eigenvalues(blocks_of(lines))[0].numpy()
    assert np.abs(result - expected).max() <= 1e-14 * max(side**0.5, 4) * expected[-1]
    assert (np.diff(result) >= 0).all()


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e-150, 1e150])
def test_zeros_and_extreme_scales_are_reduced(monkeypatch, scale) -> None:
    """The identity is the hardest case for reflections: tau is 0."""
    monkeypatch.setattr(gram, "DIRECT", 0)
    result = gram.eigenvalues(blocks_of(scale * torch.eye(200, dtype=torch.float64)[None]))[0]
    assert torch.equal(result, torch.full((200,), scale * scale, dtype=torch.float64))


def test_the_way_changes_no_singular_value_beyond_the_floor(lab, monkeypatch) -> None:
    """Each matrix of a stack as alone, bit for bit."""
    w = torch.randn(2, 310, 330, dtype=torch.float64, generator=DRAW)
    whole = lab.take(Decompose(), w, "F64")
    monkeypatch.setattr(gram, "DIRECT", 0)
    reduced, alone = lab.take(Decompose(), w, "F64"), lab.take(Decompose(), w[1:], "F64")[0]
    assert all(
        np.abs(a.values - b.values).max() <= a.floor for a, b in zip(whole, reduced, strict=True)
    )
    assert np.array_equal(reduced[1].values, alone.values)


def test_a_large_gram_matrix_is_planned_for_as_half_of_it() -> None:
    """32k x 32k needs 4.4 GB instead of 8 and a copy."""
    assert 4.2e9 < gram.room(32_768) < 4.6e9
