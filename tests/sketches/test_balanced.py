"""Balancing equals alternating scaling, recovers planted scales, and reports where none exist."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from weightscope.sketches import Balanced, Count, MarginSums

MEASURE = Balanced((Count(), MarginSums()))


@cache
def uneven() -> tuple[np.ndarray, ...]:
    """A matrix of uneven rows and columns, and it balanced: the same for all cuts."""
    rng = np.random.default_rng(1)
    w = rng.normal(size=(40, 56)) * np.exp(rng.normal(0, 0.4, (40, 1)) + rng.normal(0, 0.3, 56))
    return w, *plain(w)


def plain(w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divides rows by their RMS, then columns by theirs, until they are equal; numpy alone."""
    g, a, b = w.copy(), np.ones(w.shape[0]), np.ones(w.shape[1])
    for _ in range(2000):
        r = np.sqrt((g**2).mean(1))
        g, a = g / r[:, None], a * r
        c = np.sqrt((g**2).mean(0))
        g, b = g / c, b * c
    return a, b, g * np.sqrt((w**2).mean() / (g**2).mean())


def level(x: np.ndarray) -> np.ndarray:
    """Scales up to their common factor."""
    return x - np.nanmean(x)


@pytest.mark.parametrize(("axis", "cuts"), [(0, ()), (0, (8, 24)), (1, (8, 40)), (1, ())])
@pytest.mark.parametrize("mirrored", [False, True])
def test_scales_and_balanced_matrix_equal_plain_alternation(lab, axis, cuts, mirrored) -> None:
    """For any tiling and layout; the balanced matrix has the RMS of the original."""
    w, a, b, g = uneven()
    stored = torch.from_numpy(w)[None]
    balanced = lab.take(
        MEASURE, stored.mT.contiguous().mT if mirrored else stored, "F64", axis, cuts
    )[0]
    assert np.allclose(level(balanced.log_rows), level(np.log(a)), atol=3e-6)
    assert np.allclose(level(balanced.log_cols), level(np.log(b)), atol=3e-6)
    counts, lines = balanced.of
    assert counts.n == w.size
    assert np.allclose(counts.value, np.sort(g.ravel()), atol=1e-4 * g.std())
    assert counts.power.std == pytest.approx(w.std(), rel=0.01)
    flat = np.sqrt(lines.rows["squares"] / 56), np.sqrt(lines.cols["squares"] / 40)
    assert max(np.log(x).std() for x in flat) < 1e-5


def test_lognormal_scales_are_recovered(lab) -> None:
    """Planted scales are recovered to their statistical error; the balanced matrix is Gaussian."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 0.5, 256), rng.normal(0, 0.5, 384)
    w = np.exp(a)[:, None] * np.exp(b) * rng.normal(0, 0.02, (256, 384))
    balanced = lab.take(MEASURE, lab.numbers("F32", w[None]), "F32", cuts=(64, 128))[0]
    assert np.corrcoef(balanced.log_rows, a)[0, 1] > 0.995
    assert np.corrcoef(balanced.log_cols, b)[0, 1] > 0.99
    assert abs(balanced.of[0].power.kurtosis) < 0.1


def test_zero_rows_and_columns_are_excluded(lab) -> None:
    """Zero rows and columns have no scale, and none of their elements is counted."""
    w = np.random.default_rng(3).normal(size=(1, 32, 48))
    w[0, 5], w[0, :, [7, 9]] = 0, 0
    balanced = lab.take(MEASURE, lab.numbers("F32", w), "F32")[0]
    assert np.flatnonzero(np.isnan(balanced.log_rows)).tolist() == [5]
    assert np.flatnonzero(np.isnan(balanced.log_cols)).tolist() == [7, 9]
    assert balanced.of[0].n == 31 * 46


@pytest.mark.parametrize(
    "w",
    [np.tril(np.random.default_rng(0).normal(size=(48, 48))), np.zeros((8, 8))],
    ids=["triangular", "zero"],
)
def test_a_matrix_without_balancing_has_no_sketches(lab, w) -> None:
    """Triangular and zero matrices have a number of sweeps and no sketches of a balanced matrix."""
    balanced = lab.take(MEASURE, lab.numbers("F32", w[None]), "F32")[0]
    assert balanced.of == ()


def test_non_finite_elements_are_excluded(lab) -> None:
    """One NaN neither spreads nor counts as a scale."""
    w = np.random.default_rng(3).normal(size=(1, 32, 48))
    w[0, 3, 3] = np.nan
    balanced = lab.take(MEASURE, lab.numbers("F32", w), "F32")[0]
    assert np.isfinite(balanced.log_rows).all()
    assert balanced.of[0].n == 32 * 48 - 1


def test_balanced_matrices_do_not_pool(lab) -> None:
    """Scales belong to one matrix."""
    balanced = lab.take(MEASURE, torch.randn(1, 4, 4), "F32")[0]
    assert balanced.forget() is None
    with pytest.raises(TypeError, match="do not add"):
        balanced + balanced


def test_scales_alone_can_be_requested(lab) -> None:
    """Balanced(()) has the same scales in one pass less, and whether a balanced matrix exists."""
    rng = np.random.default_rng(4)
    w = rng.normal(size=(2, 40, 56)) * np.exp(rng.normal(0, 0.4, (2, 40, 1)))
    stored = lab.numbers("F32", w)
    for alone, with_core in zip(
        lab.take(Balanced(()), stored, "F32"), lab.take(MEASURE, stored, "F32"), strict=True
    ):
        assert alone.exists
        assert alone.of == ()
        assert np.array_equal(alone.log_rows, with_core.log_rows)
        assert np.array_equal(alone.log_cols, with_core.log_cols)
        assert alone.sweeps == with_core.sweeps
    assert Balanced(()).cut == "any"


def test_scales_alone_report_where_no_balancing_exists(lab) -> None:
    """`exists` is False where the scales do not converge."""
    w = np.tril(np.random.default_rng(0).normal(size=(1, 48, 48)))
    assert not lab.take(Balanced(()), lab.numbers("F32", w), "F32")[0].exists
