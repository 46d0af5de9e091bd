"""What fit draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import weightscope as ws


def drawn(values):
    return ws.fit({"w": torch.as_tensor(values)}).panels[0]


def test_the_best_law_lies_over_the_weights() -> None:
    """The third curve is the law that `best` names, evaluated where the weights are counted."""
    values = np.random.default_rng(0).laplace(size=40_000).astype(np.float32)
    panel = drawn(values)
    _, gauss, best = panel.curves
    assert (gauss.label, best.label) == ("Gaussian", ws.fit({"w": torch.as_tensor(values)}).rows[0]["best"])
    assert best.label == "laplace"
    assert np.interp(0.5, best.x, best.y) == pytest.approx(np.exp(-0.5 * np.sqrt(2)) / np.sqrt(2), rel=0.03)


def test_densities_stand_at_the_middle_of_their_bins_and_sum_to_one() -> None:
    """The grid is symmetric about zero in units of sigma."""
    panel = drawn(np.random.default_rng(1).normal(3.0, 0.1, 40_000).astype(np.float32))
    weights = panel.curves[0]
    assert weights.x == pytest.approx(-weights.x[::-1], abs=1e-9)
    assert float(weights.y.sum() * (weights.x[1] - weights.x[0])) == pytest.approx(1, abs=1e-3)
    assert len(panel.curves) == 2
