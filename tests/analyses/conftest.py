"""Checkpoints in memory and on disk for the tests of analyses."""

import numpy as np
import pytest
import torch

from tests import fits
from tests.sketched import measured_anew, measured_once_by_tests
from tests.threadless import on_threads, without_threads


@pytest.fixture(scope="module", autouse=True)  # folders of tests are no packages
def tensors_are_measured_once():
    """Many tests measure the same few tensors, and the engine and the fits have their own tests."""
    with fits.fitted_once(), measured_once_by_tests(), without_threads():
        yield


@pytest.fixture(name="measured_anew")
def measured_anew_on_threads():
    """Two runs that are compared have sketches and fits of their own; what is read is counted."""
    with fits.fitted_anew(), measured_anew(), on_threads():
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
