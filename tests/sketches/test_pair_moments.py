"""Co-moments of a pair keep the digits of its spread, however large its mean."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.fits import fitted_once
from weightscope.sketches import pair_moments


@pytest.fixture(autouse=True, scope="module")
def _one_fit():
    """The law of changes, which no test here is of, is fitted once to equal changes."""
    with fitted_once():
        yield


@cache
def drawn(shape):
    """A and the change of it, and their moments in extended precision."""
    rng = np.random.default_rng(0)
    noise = 2 * rng.gamma(3, 20, shape).round(), 2 * rng.normal(1, 8, shape).round()
    a, d = (x.astype(np.longdouble) for x in noise)
    together = ((a - a.mean()) * (d - d.mean())).mean()
    want = {
        "std_a": a.std(),
        "std_b": (a + d).std(),
        "delta_std": d.std(),
        "delta_mean": d.mean(),
        "delta_fro": np.sqrt((d**2).sum()),
        "delta_correlation": together / a.std() / d.std(),
    }
    return *noise, {name: float(value) for name, value in want.items()}


@pytest.mark.parametrize("shape", [(40, 50), (260, 256)])
@pytest.mark.parametrize("base", [1e6, -1e12, 1e15, 2.0**53])
def test_deviations_of_a_pair_beside_a_large_mean(monkeypatch, shape, base):
    """A and B in one chunk and in several, against the noise alone."""
    monkeypatch.setattr(pair_moments, "CHUNK", 1 << 14)
    a, d, want = drawn(shape)
    models = [{"w": torch.from_numpy(base + values)} for values in (a, a + d)]
    (row,) = ws.compare(*models, panels=False).rows
    assert {name: row[name] for name in want} == pytest.approx(want, rel=1e-11)


@pytest.mark.parametrize("value", [0.1, 1e15 / 3, 1e200])
def test_constants_have_no_deviation(value):
    """Neither a negative sum of squares nor rounding."""
    a = torch.full((40, 50), value, dtype=torch.float64)
    (row,) = ws.compare({"w": a}, {"w": a * 2}, panels=False).rows
    assert row["std_a"] in (0, None)
    assert row["delta_std"] == (None if value > 1e154 else pytest.approx(0, abs=1e-15 * value))
