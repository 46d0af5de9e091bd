"""Checkpoints in memory and on disk for the tests of analyses."""

import numpy as np
import pytest
import torch


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
