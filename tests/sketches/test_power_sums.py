"""Power sums of any union have the digits of its spread, however large its mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

import weightscope as ws
from tests.fits import fitted_once
from weightscope.sketches.power_sums import PowerSums

LARGE = 1e15


@pytest.fixture(autouse=True, scope="module")
def _one_fit():
    """Laws, which no test here is of, are fitted once to equal values."""
    with fitted_once():
        yield


def sums(values):
    """The power sums of some values."""
    return PowerSums.of(*np.unique(values, return_counts=True))


def test_unions_beside_a_large_mean_keep_their_digits():
    """Blocks of different means near 1e15, added in both orders, against the noise alone."""
    rng = np.random.default_rng(0)
    blocks = [rng.gamma(3, 20, 500).round() + 50 * i for i in range(4)]
    noise = np.concatenate(blocks).astype(np.longdouble)
    want = noise.std(), stats.skew(noise), stats.kurtosis(noise)
    for order in (blocks, blocks[::-1]):
        union = PowerSums()
        for block in order:
            union = union + sums(LARGE + block)
        assert (union.std, union.skew, union.kurtosis) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize("value", [0.1, 1e15 / 3, -7.3e-5])
@pytest.mark.parametrize("shape", [(3, 7), (260, 256)])
def test_a_constant_has_sums_of_zero(value, shape):
    """Exactly, with counted values and with bins, so that rounding is no spread."""
    assert sums(np.full(7, value)).central == (0, 0, 0)
    row = ws.fit({"w": torch.full(shape, value, dtype=torch.float64)}, panels=False).rows[0]
    assert (row["std"], row["pattern"]) == (0, "constant" if shape[0] > 3 else None)
    assert "constant: rows and columns are not compared" in row["note"]


@pytest.mark.parametrize("shape", [(64, 64), (260, 256)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64])
def test_a_large_mean_is_no_constant(shape, dtype):
    """1e15 + noise of a tensor and of a group of two: moments of the noise, and true reasons."""
    noise = np.random.default_rng(1).gamma(3, 20, shape).round()
    stored = torch.from_numpy(LARGE + noise).to(dtype)
    model = {"layers.0.a.weight": stored, "layers.1.a.weight": stored + 8}
    both = np.stack((noise, noise + 8)).astype(np.longdouble)
    for row, values in (
        (ws.fit(model, panels=False).rows[0], both[0]),
        (ws.fit(model, by="role", panels=False).rows[0], both),
    ):
        got = row["std"], row["skew"], row["kurtosis"]
        want = values.std(), stats.skew(values, None), stats.kurtosis(values, None)
        assert got == pytest.approx(want, rel=1e-12)
        assert "constant" not in row["note"]
