"""The matched cosine of unrelated neurons, against permuted rows and the figures of the issue."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.statistics.lineage import matching_null
from weightscope.statistics.lineage.matching_null import (
    best_pairs,
    expected_largest,
    matched_cosine_null,
)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of the rows of A with those of B."""
    x = a / np.linalg.norm(a, axis=1, keepdims=True)
    y = b / np.linalg.norm(b, axis=1, keepdims=True)
    product: np.ndarray = x @ y.T
    return product


def null(c: np.ndarray) -> float:
    """The null of the best pairs."""
    return matched_cosine_null(c, *best_pairs(c))


def permuted(a: np.ndarray, b: np.ndarray) -> float:
    """The matched cosine after the elements of each row of A have been permuted."""
    c = cosines(np.random.default_rng(9).permuted(a, axis=1), b)
    return float(c[best_pairs(c)].mean())


@pytest.mark.parametrize(("shape", "expected"), [((384, 96), 0.283), ((1024, 256), 0.194)])
def test_gaussian_matrices_have_the_known_null(shape, expected) -> None:
    """The same for unrelated matrices and for equal ones."""
    a, b = np.random.default_rng(0).standard_normal((2, *shape))
    assert null(cosines(a, b)) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("kind", ["noise", "related", "mean", "columns", "spike"])
def test_it_equals_that_of_permuted_rows(kind) -> None:
    """Of neurons with a common mean, unequal columns, a large direction, and related ones."""
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 256, 64))
    if kind == "related":
        b = a + b
    if kind == "mean":
        a, b = a + 0.5, b + 0.5
    if kind == "columns":
        b *= np.exp(0.7 * rng.standard_normal(64))
    if kind == "spike":
        b += np.outer(rng.standard_normal(256), rng.standard_normal(64))
    assert null(cosines(a, b)) == pytest.approx(permuted(a, b), rel=0.04)


def test_a_sample_gives_the_null_of_all(monkeypatch) -> None:
    """128 neurons of 512, multiplied by the ratio of their largest entries."""
    a, b = np.random.default_rng(2).standard_normal((2, 512, 64))
    c = cosines(a, b)
    whole = null(c)
    monkeypatch.setattr(matching_null, "SAMPLE", 128)
    assert null(c) == pytest.approx(whole, rel=0.03)


def test_the_largest_entries_grow_with_their_number() -> None:
    """As measured, between the powers of 2 and beyond."""
    z = np.random.default_rng(3).standard_normal((300, 300))
    rows, columns = best_pairs(z)
    assert expected_largest(300) == pytest.approx(z[rows, columns].mean(), abs=0.08)
    assert expected_largest(2) == expected_largest(8) == 1.2
    assert expected_largest(8192) == pytest.approx(3.511 + 0.196)


def test_no_pairs_have_the_null_zero() -> None:
    """An empty matrix."""
    nothing = np.zeros(0, int)
    assert matched_cosine_null(np.zeros((0, 3)), nothing, nothing) == 0
