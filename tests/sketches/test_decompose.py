"""Decompose against numpy.linalg.svd in float64, within the floor that its method implies."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import Balanced, Decompose, MarginSums, Shuffled

RNG = np.random.default_rng(0)
MATRICES = {
    "gaussian": RNG.normal(size=(60, 90)),
    "tall": RNG.normal(size=(700, 33)),
    "wider than a block": RNG.normal(size=(600, 640)),
    "rank 4": RNG.normal(size=(80, 4)) @ RNG.normal(size=(4, 120)),
    "ill-conditioned": np.linalg.qr(RNG.normal(size=(64, 64)))[0] * np.geomspace(1, 1e-8, 64),
    "tiny": 1e-30 * RNG.normal(size=(20, 30)),
    "one line": RNG.normal(size=(1, 9)),
    "zero": np.zeros((7, 5)),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("svd", [False, True])
def test_singular_values_are_numpy_s_within_the_floor(lab, name, svd) -> None:
    """sigma_1 sqrt(r 2^-52) by the Gram matrix, 1e-12 sigma_1 by SVD; cut along the long side."""
    w = MATRICES[name]
    result = lab.take(Decompose(svd), torch.from_numpy(w)[None], "F64", cuts=(8, 24, 64, 400))[0]
    expected = np.linalg.svd(w, compute_uv=False)
    assert result.values.shape == expected.shape
    assert np.abs(result.values - expected).max() <= (1e-12 * expected[0] if svd else result.floor)
    assert result.method == ("svd" if svd else "gram")
    share = 2.0**-52 * min(w.shape)
    assert result.floor == pytest.approx(expected[0] * (share if svd else share**0.5))


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16", "F8_E4M3"])
def test_every_type_is_decomposed_in_float64(lab, dtype) -> None:
    """Stored values are decomposed without rounding."""
    stored = lab.numbers(dtype, RNG.normal(size=(1, 50, 70)))
    expected = np.linalg.svd(lab.values(dtype, stored)[0], compute_uv=False)
    result = lab.take(Decompose(), stored, dtype)[0]
    assert np.abs(result.values - expected).max() <= result.floor


@pytest.mark.parametrize("shape", [(5, 12), (12, 5), (6, 6)])
def test_the_wrapped_diagonal_is_where_row_equals_column_modulo_the_short_side(lab, shape) -> None:
    """Every row or column of the long side has one element on the diagonal."""
    w = RNG.normal(size=shape)
    rows, cols = np.indices(shape)
    expected = (w**2)[rows % min(shape) == cols % min(shape)].sum()
    for svd in (False, True):
        result = lab.take(Decompose(svd), torch.from_numpy(w)[None], "F64", cuts=(3, 8))[0]
        assert result.diagonal == pytest.approx(expected, rel=1e-14)


def test_folds_merge(lab) -> None:
    """The Gram matrix of both halves is the whole's."""
    w, measure = torch.from_numpy(MATRICES["tall"])[None], Decompose()
    halves = [
        measure.add(measure.start(1, (700, 33), "F64", "cpu"), lab.tile(w, "F64", box))
        for box in lab.boxes((700, 33), 0, [300])
    ]
    result = measure.finish(measure.merge(*halves))[0]
    expected = lab.take(measure, w, "F64")[0]
    assert np.abs(result.values - expected.values).max() <= result.floor
    assert result.diagonal == pytest.approx(expected.diagonal)


def test_non_finite_elements_are_counted_and_taken_as_zeros(lab) -> None:
    """LAPACK never sees one; the others keep their spectrum."""
    w = RNG.normal(size=(2, 9, 20))
    w[0, 3, 4], w[0, 3, 5], w[0, 0, 19] = np.nan, np.inf, -np.inf
    for svd in (False, True):
        result = lab.take(Decompose(svd), torch.from_numpy(w), "F64", cuts=(8,))
        assert [f.nonfinite for f in result] == [3, 0]
        expected = np.linalg.svd(np.where(np.isfinite(w), w, 0), compute_uv=False)
        assert np.allclose([f.values for f in result], expected, rtol=1e-9)


def test_squares_beyond_float64_give_no_spectrum(lab) -> None:
    """Values of 1e200 have no Gram matrix, and --svd has them all the same."""
    w = torch.from_numpy(1e200 * RNG.normal(size=(1, 6, 8)))
    assert len(lab.take(Decompose(), w, "F64")[0].values) == 0
    assert len(lab.take(Decompose(svd=True), w, "F64")[0].values) == 6


def test_a_balanced_matrix_and_a_permutation_have_spectra(lab) -> None:
    """Cut as by the wrapped measure; a zero row or column is zero in the balanced matrix."""
    w = RNG.normal(size=(30, 50)) * RNG.lognormal(0, 0.5, (30, 1))
    w[3] = 0
    wrapped = Balanced((Decompose(),))
    cuts = [
        Balanced(of).cut
        for of in ((Decompose(),), (MarginSums(),), (MarginSums(), Decompose(svd=True)))
    ]
    assert cuts == ["long", "any", "whole"]
    balanced = lab.take(wrapped, torch.from_numpy(w)[None], "F64", cuts=(16, 32))[0]
    scaled = (
        np.delete(w, 3, 0)
        / np.exp(np.delete(balanced.log_rows, 3))[:, None]
        / np.exp(balanced.log_cols)
    )
    expected = np.linalg.svd(scaled, compute_uv=False) * np.sqrt((w**2).mean())
    assert np.allclose(balanced.of[0].values[:29], expected, rtol=1e-5)
    mixed = lab.take(Shuffled(Decompose(), 4), torch.from_numpy(w)[None], "F64")[0]
    assert (mixed.values**2).sum() == pytest.approx((w**2).sum())
    assert not np.allclose(mixed.values, np.linalg.svd(w, compute_uv=False), rtol=1e-3)


def test_a_spectrum_needs_little_beside_its_gram_matrix() -> None:
    """s x s numbers for a matrix of any length."""
    assert Decompose().bytes((128, 10**9)) == Decompose().bytes((128, 10**8)) < 64 << 20
    assert Decompose().cut == "long"
    assert Decompose(svd=True).cut == "whole"
