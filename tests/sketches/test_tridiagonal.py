"""Eigenvalues of bands against scipy's own, and that other threads run meanwhile."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.linalg

from weightscope.sketches.tridiagonal import eigenvalues_of_band

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("side", "width"), [(1, 0), (1, 4), (5, 1), (40, 7), (300, 64), (30, 64)])
def test_eigenvalues_are_scipy_s(side, width) -> None:
    """Elements of a band beyond the end of the matrix are not used."""
    band = RNG.normal(size=(side, width + 1))
    full = np.zeros((side, side))
    for d in range(min(width + 1, side)):
        full += np.diag(band[: side - d, d], -d) + (np.diag(band[: side - d, d], d) if d else 0)
    assert np.allclose(
        eigenvalues_of_band(band), scipy.linalg.eigvalsh(full), rtol=0, atol=1e-13 * side
    )


def test_failed_convergence_raises() -> None:
    """NaN has no eigenvalues."""
    with pytest.raises(np.linalg.LinAlgError, match=r"dst|dsb"):
        eigenvalues_of_band(np.full((40, 3), np.nan))


def test_other_threads_run_meanwhile() -> None:
    """The interpreter's lock is not held."""
    band, ticks = RNG.normal(size=(600, 65)), 0
    work = threading.Thread(target=eigenvalues_of_band, args=(band,))
    work.start()
    while work.is_alive():
        ticks += 1
    assert ticks > 1000
