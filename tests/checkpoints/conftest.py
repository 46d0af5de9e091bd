"""Weights for tests that open dicts of tensors."""

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
