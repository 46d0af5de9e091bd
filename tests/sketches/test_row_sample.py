"""Singular values of the sampled rows of a difference are those of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.sketches.paired import made
from weightscope.sketches import RowSample
from weightscope.sketches.row_sample import sampled


@pytest.mark.parametrize(("of_a", "of_b"), [("F32", "F32"), ("BF16", "F8_E4M3"), ("I8", "F64")])
@pytest.mark.parametrize("shape", [(200, 40), (30, 90), (64, 64)])
def test_sampled_rows_have_the_singular_values_of_numpy(lab, of_a, of_b, shape) -> None:
    """Squares of those of the sampled rows of D, in units of a power of 2 near the largest |d|."""
    pair = made(lab, of_a, of_b, shape, 1, "normal")
    rows = sampled(shape)
    a, b = lab.values(of_a, pair[0])[0][rows], lab.values(of_b, pair[2])[0][rows]
    d = b - a
    unit = 2.0 ** np.floor(np.log2(np.abs(d).max()))
    record = lab.take_pair(RowSample(), pair, 1, (7, 20))[0]
    squares = np.linalg.svd(d / unit, compute_uv=False) ** 2
    assert record.energies == pytest.approx(squares, rel=1e-9, abs=1e-12 * squares[0])
    bits = {"F32": 23, "F8_E4M3": 3, "F64": 52}[of_b]
    nonzero = np.abs(b[b != 0])
    steps = 2.0 ** (np.floor(np.log2(nonzero)) - bits)
    assert record.rounding == pytest.approx((steps**2).sum() / 12 / unit**2, rel=1e-12)


def test_rows_and_columns_without_a_change_are_not_sampled(lab) -> None:
    """20 new rows of a table, or 20 columns, are no change of rank 20."""
    a = torch.randn(1, 60, 50, generator=torch.Generator().manual_seed(0))
    for box in ((slice(20), slice(None)), (slice(None), slice(30, 50)), (slice(5), slice(7, 9))):
        b = a.clone()
        b[0, *box] += 1 + torch.rand(b[0, *box].shape)
        record = lab.take_pair(RowSample(), (a, "F32", b, "F32"))[0]
        part = (b - a).double()[0, *box].numpy()
        squares = np.linalg.svd(part, compute_uv=False) ** 2
        energies = record.energies / record.energies.sum()
        assert energies == pytest.approx(squares / squares.sum(), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1.0, 1e30, 1e200])
def test_a_sample_does_not_depend_on_the_scale(lab, scale) -> None:
    """Squares that float64 does not hold end no run: energies are relative."""
    x = np.random.default_rng(0).normal(size=(2, 1, 70, 20))
    exponent = np.floor(np.log2(scale))
    pair = [torch.from_numpy(y * 2.0**exponent) for y in x]
    plain = [torch.from_numpy(y) for y in x]
    scaled = lab.take_pair(RowSample(), (pair[0], "F64", pair[1], "F64"))[0]
    expected = lab.take_pair(RowSample(), (plain[0], "F64", plain[1], "F64"))[0]
    assert lab.plain(scaled) == lab.plain(expected)


def test_a_sample_has_rows_of_all_the_height() -> None:
    """All of a low matrix, 64 to 128 of a high one, from the first on and evenly spaced."""
    assert sampled((64, 5)) == list(range(64))
    assert sampled((128, 5)) == list(range(0, 128, 2))
    assert len(sampled((2048, 1600))) == 100
    assert len(sampled((9000, 9000))) == 128
