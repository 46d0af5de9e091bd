"""Checkpoints in memory and on disk for the tests of analyses."""

import numpy as np
import pytest
import torch

from tests import fits


@pytest.fixture(scope="module", autouse=True)  # folders of tests are no packages
def laws_are_fitted_once():
    """Many tests measure the same few tensors, and the fits have tests in tests/statistics."""
    with fits.fitted_once():
        yield


@pytest.fixture
def fitted_anew():
    """Two runs that are compared have fits of their own."""
    with fits.fitted_anew():
        yield


@pytest.fixture
def draw():
    """`draw(48, 32)`: seeded Gaussian weights, another matrix at each call."""
    rng = np.random.default_rng(0)
    return lambda *shape, std=0.02: torch.from_numpy(
        (std * rng.standard_normal(shape)).astype(np.float32)
    )


@pytest.fixture
def by_name():
    """Rows of a report by their tensor's name."""
    return lambda report: {row["tensor"]: row for row in report.rows}
