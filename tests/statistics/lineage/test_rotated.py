"""Rotations: equal singular values elsewhere; independent matrices of one law are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.statistics.lineage.rotated import spectrum_distance


def spectrum(x: np.ndarray) -> np.ndarray:
    """Singular values, descending."""
    values: np.ndarray = np.linalg.svd(x, compute_uv=False)
    return values


def distance(x: np.ndarray, y: np.ndarray):
    """The distance of two matrices."""
    cosine = float((x * y).sum() / np.linalg.norm(x) / np.linalg.norm(y))
    return spectrum_distance(spectrum(x), spectrum(y), cosine)


def rotation(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random orthogonal matrix (n, n)."""
    q: np.ndarray = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return q


def matrix(rng: np.random.Generator, shape: tuple[int, int], kind: str) -> np.ndarray:
    """Gaussian noise, alone, with one large direction, or with a heavy tail of directions."""
    x = rng.standard_normal(shape)
    if kind == "spike":
        x += 0.3 * np.outer(rng.standard_normal(shape[0]), rng.standard_normal(shape[1]))
    if kind == "heavy":
        side = min(shape)
        falling = np.arange(1, side + 1) ** -0.5
        x = rotation(rng, shape[0])[:, :side] * falling @ rotation(rng, shape[1])[:side]
    return x


@pytest.mark.parametrize("kind", ["noise", "spike", "heavy"])
@pytest.mark.parametrize("shape", [(64, 64), (48, 96), (96, 48), (128, 128)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_rotation_is_found(kind, shape, dtype) -> None:
    """Of rows, of columns and of both, stored in 32 or 16 bits."""
    rng = np.random.default_rng(1)
    x = matrix(rng, shape, kind)
    turned = rotation(rng, shape[0]) @ x @ rotation(rng, shape[1])
    stored = [torch.from_numpy(a).to(dtype).double().numpy() for a in (x, turned)]
    found = distance(*stored)
    assert found.rotated
    assert found.displacement < 0.1


@pytest.mark.parametrize("shape", [(16, 16), (32, 32), (16, 64)])
def test_independent_matrices_are_no_rotation(shape) -> None:
    """In 200 seeded draws for each shape: displacements are about 0.8."""
    displacements = []
    for seed in range(200):
        x, y = np.random.default_rng(seed).standard_normal((2, *shape))
        found = distance(x, y)
        assert not found.rotated
        if found.displacement is not None:
            displacements.append(found.displacement)
    assert np.mean(displacements) == pytest.approx(0.8, abs=0.15)


@pytest.mark.parametrize("side", [64, 256])
def test_displacement_does_not_shrink_with_size(side) -> None:
    """The largest difference falls towards 0.001, the displacement stays near 1."""
    found = distance(*np.random.default_rng(2).standard_normal((2, side, side)))
    assert 0.5 < found.displacement < 1.4


def test_equal_and_similar_matrices_are_no_rotation() -> None:
    """A cosine of 0.15 or more leaves elements to pair; noise moves singular values."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((64, 64))
    assert not distance(x, x).rotated
    noisy = x @ rotation(rng, 64) + 0.1 * rng.standard_normal((64, 64))
    assert not distance(x, noisy).rotated
    assert not spectrum_distance(spectrum(x), spectrum(x), -0.15).rotated
    assert not spectrum_distance(spectrum(x), 1.002 * spectrum(x), 0.0).rotated


def test_equal_singular_values_prove_nothing() -> None:
    """Any two orthogonal matrices have them, as matrices of few values."""
    rng = np.random.default_rng(4)
    assert distance(rotation(rng, 40), rotation(rng, 40)).displacement is None
    thin = rng.standard_normal((15, 60))
    assert distance(thin, thin @ rotation(rng, 60)).displacement is None
    low = rng.standard_normal((40, 4)) @ rng.standard_normal((4, 40))
    assert distance(low, rotation(rng, 40) @ low).displacement is None


def test_odd_spectra_have_no_distance() -> None:
    """Unequal numbers, none, zeros, and values that are not finite."""
    ones = np.ones(20)
    assert spectrum_distance(ones, ones[1:], 0.0) is None
    assert spectrum_distance(ones[:0], ones[:0], 0.0) is None
    assert spectrum_distance(0 * ones, 0 * ones, 0.0) is None
    assert spectrum_distance(ones, np.inf * ones, 0.0) is None
    assert spectrum_distance(1e300 * ones, ones, 0.0).largest == 1.0
