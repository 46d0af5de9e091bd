"""Cosines of neurons against those of the vectors that they are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistics.lineage.cross_products import cross_products
from weightscope.statistics.lineage.neuron_cosines import neuron_cosines


def neurons(seed: int, sizes: tuple[float, ...] = (1.0, 0.1), count: int = 12):
    """Matrices (f, 20) of one network, of these sizes."""
    rng = np.random.default_rng(seed)
    return [size * rng.standard_normal((count, 20)) for size in sizes]


def vectors(parts) -> np.ndarray:
    """Each matrix over its norm, side by side."""
    return np.concatenate([part / np.linalg.norm(part) for part in parts], axis=1)


@pytest.mark.parametrize("sizes", [(1.0,), (1.0, 0.1), (0.02, 5.0, 1.0)])
def test_they_are_cosines_of_normalised_matrices(sizes) -> None:
    """Of one, two or three matrices, and of networks of different widths."""
    a, b = neurons(0, sizes), neurons(1, sizes, count=9)
    found = neuron_cosines([cross_products(x, y) for x, y in zip(a, b, strict=True)])
    x, y = vectors(a), vectors(b)
    lengths = np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1))
    np.testing.assert_allclose(found, x @ y.T / lengths, atol=1e-6)


def test_the_size_of_a_matrix_does_not_matter() -> None:
    """A factor between up and down changes nothing."""
    a, b = neurons(0), neurons(1)
    plain = neuron_cosines([cross_products(x, y) for x, y in zip(a, b, strict=True)])
    scaled = [1e-3 * a[0], 1e3 * a[1]]
    other = neuron_cosines([cross_products(x, y) for x, y in zip(scaled, b, strict=True)])
    np.testing.assert_allclose(other, plain, atol=1e-5)


def test_zeros_have_the_cosine_zero() -> None:
    """A neuron of zeros is like no other; a matrix of zeros is left out."""
    a, b = neurons(0), neurons(1)
    a[0][3] = a[1][3] = 0
    found = neuron_cosines([cross_products(x, y) for x, y in zip(a, b, strict=True)])
    assert not found[3].any()
    zero = cross_products(0 * a[0], b[0])
    alone = neuron_cosines([cross_products(a[1], b[1])])
    np.testing.assert_array_equal(neuron_cosines([zero, cross_products(a[1], b[1])]), alone)
    assert neuron_cosines([zero]) is None
    assert neuron_cosines([]) is None


def test_overflow_has_no_cosines() -> None:
    """Products of 1e30 are Inf in float32."""
    a, b = neurons(0), neurons(1)
    with np.errstate(over="ignore"):
        huge = cross_products(1e30 * a[0], 1e30 * b[0])
    assert neuron_cosines([huge]) is None
