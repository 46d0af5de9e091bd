"""Weights for tests that open dicts of tensors, and torch without its compiler."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from tests.fits import fitted_once


@pytest.fixture
def draw():
    """`draw(48, 32)`: seeded Gaussian weights, another matrix at each call."""
    rng = np.random.default_rng(0)
    return lambda *shape, std=0.02: torch.from_numpy(
        (std * rng.standard_normal(shape)).astype(np.float32)
    )


@pytest.fixture
def no_compiler(monkeypatch):
    """Optimizers ask the compiler of torch to leave them alone: its import alone takes 2 s."""
    stand_in = ModuleType("torch._dynamo")
    stand_in.disable = lambda call, *_, **__: call
    stand_in.graph_break = lambda: None
    monkeypatch.setitem(sys.modules, "torch._dynamo", stand_in)
    monkeypatch.setitem(vars(torch), "_dynamo", stand_in)


@pytest.fixture(scope="module")
def laws_are_fitted_once():
    """For tests of how weights are opened, many of which open equal ones."""
    with fitted_once():
        yield
