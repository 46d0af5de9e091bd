"""Factor: triangles carry the singular values of a product."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import Factor


@pytest.mark.parametrize(("m", "r", "n"), [(40, 8, 30), (5, 8, 30), (8, 8, 8), (40, 1, 30)])
def test_the_product_of_triangles_has_the_singular_values_of_the_product(lab, m, r, n) -> None:
    """svd(B A) = svd(R_B R_A^T), thin factors and fat ones."""
    rng = np.random.default_rng(m)
    b, a = rng.normal(size=(m, r)), rng.normal(size=(r, n))
    left, right = (lab.take(Factor(), torch.from_numpy(x)[None], "F64")[0].r for x in (b, a.T))
    result, expected = (np.linalg.svd(x, compute_uv=False) for x in (left @ right.T, b @ a))
    assert np.allclose(result, expected[: len(result)], rtol=0, atol=1e-14 * expected[0])
    assert np.allclose(left.T @ left, b.T @ b)


def test_non_finite_elements_are_counted(lab) -> None:
    """They count as zeros."""
    x = np.ones((1, 6, 2))
    x[0, 2, 1] = np.nan
    result = lab.take(Factor(), torch.from_numpy(x), "F64")[0]
    assert result.nonfinite == 1
    assert np.allclose(result.r.T @ result.r, [[6, 5], [5, 5]])
