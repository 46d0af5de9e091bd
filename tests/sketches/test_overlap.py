"""Overlap: leading left singular vectors of A and B against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.checkpoints import Stored
from weightscope.engine import Executor, Unit, choose
from weightscope.sketches import Overlap, leading

ROOM = 1 << 28


def overlap(a: np.ndarray, b: np.ndarray, transposed: bool = False, threads: int = 1):
    """The record of two float64 matrices, measured by the engine; B column-major on request."""
    other = torch.from_numpy(b)
    if transposed:
        other = other.T.contiguous().T
    entries = {
        name: Stored(name, tuple(x.shape), "F64", strides=x.stride(), tensor=x)
        for name, x in (("a", torch.from_numpy(a)), ("b", other))
    }
    unit = Unit(None, entries, {"b": frozenset({Overlap()})}, {"b": ("a",)})
    (measured,) = Executor(choose("cpu", ROOM, threads))([unit], lambda measured: {})
    return measured.sketches["b"][Overlap()]


def expected(a: np.ndarray, b: np.ndarray, k: int) -> float:
    """|U_a^T U_b|_F^2 / k by numpy.linalg.svd."""
    u = [np.linalg.svd(x, full_matrices=False)[0][:, :k] for x in (a, b)]
    return float(((u[0].T @ u[1]) ** 2).sum() / k)


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (64, 64), (12, 30), (30, 12), (3000, 20)])
@pytest.mark.parametrize("transposed", [False, True])
def test_it_equals_numpy(shape, transposed):
    """Wide, tall and square; with fewer than 16 vectors; A and B stored alike and not."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal(shape)
    b = a + 0.7 * rng.standard_normal(shape)
    found = overlap(a, b, transposed)
    k = min(16, *shape)
    assert (found.k, found.m) == (k, shape[0])
    assert found.overlap == pytest.approx(expected(a, b, k), rel=1e-8)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)])
def test_equal_and_orthogonal_subspaces(shape):
    """1 for one matrix; 0 for matrices whose columns have no row in common."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal(shape)
    assert overlap(a, -2 * a).overlap == pytest.approx(1, abs=1e-9)
    half = shape[0] // 2
    top, bottom = np.zeros(shape), np.zeros(shape)
    top[:half], bottom[half : 2 * half] = a[:half], a[half : 2 * half]
    found = overlap(top, bottom)
    if half >= 16 and shape[1] >= 16:
        reason = found.overlap if found.overlap is not None else 0.0
        assert reason < 1e-9


def test_low_ranks_and_overflow_have_no_overlap():
    """Sixteen vectors of a matrix of rank 3 are arbitrary; squares of 1e200 overflow."""
    rng = np.random.default_rng(2)
    thin = rng.standard_normal((40, 3)) @ rng.standard_normal((3, 60))
    full = rng.standard_normal((40, 60))
    assert overlap(thin, full).overlap is None
    assert overlap(full, thin).overlap is None
    assert overlap(full * 1e200, full).overlap is None


def test_iterations_equal_all_eigenvectors(monkeypatch):
    """Lanczos iterations, as large sides take them, give the vectors of LAPACK."""
    rng = np.random.default_rng(3)
    a = rng.standard_normal((120, 150))
    b = a + rng.standard_normal((120, 150))
    direct = overlap(a, b).overlap
    monkeypatch.setattr(leading, "DIRECT", 0)
    assert overlap(a, b).overlap == pytest.approx(direct, rel=1e-7)


def test_threads_do_not_matter():
    """Bit for bit."""
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((2, 200, 3000))
    assert overlap(a, b, threads=1) == overlap(a, b, threads=2)


def test_bytes_hold_the_products():
    """Three products of the smaller side, and what their eigenvectors take."""
    assert Overlap().bytes((100, 5000)) >= 3 * 8 * 100 * 100
