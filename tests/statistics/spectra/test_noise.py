"""The largest eigenvalues of noise that the tests of laws draw."""

import numpy as np
import pytest

from tests.statistics.spectra.noise import _top, largest


def test_eigenvalues_of_tridiagonal_matrices_are_numpys():
    """Of each matrix its own largest one."""
    random = np.random.default_rng(0)
    diagonal, squares = random.chisquare(30, (20, 9)), random.chisquare(20, (20, 8))
    for top, row, square in zip(_top(diagonal, squares), diagonal, squares, strict=True):
        beside = np.sqrt(square)
        matrix = np.diag(row) + np.diag(beside, 1) + np.diag(beside, -1)
        assert top == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=1e-11)


@pytest.mark.parametrize("element", [None, 4.0])
def test_law_and_energy_are_those_of_whole_matrices(element):
    """Mean and std of 2,000 draws of 8 x 20, within four standard errors."""
    random = np.random.default_rng(1)
    noise = random.standard_normal((2000, 8, 20))
    if element:
        noise[:, 0, 0] = element
    tops = np.linalg.eigvalsh(noise @ noise.transpose(0, 2, 1))[:, -1]
    drawn, energies = largest(8, 20, 2000, random, element and element**2)
    for found, wanted in ((drawn, tops), (energies, (noise**2).sum((1, 2)))):
        error = wanted.std() / 2000**0.5
        assert found.mean() == pytest.approx(wanted.mean(), abs=4 * 2**0.5 * error)
        assert found.std() == pytest.approx(wanted.std(), abs=5 * error)
