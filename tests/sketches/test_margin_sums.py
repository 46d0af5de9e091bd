"""Margins and lag products equal numpy's, on any tiling and any scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from weightscope.sketches import MarginSums


@dataclass(frozen=True)
class Expected:
    """What the margins of a matrix are compared with."""

    sums: dict  # of each side and field
    sizes: dict  # of the summands, where a field is a sum
    lags: tuple[float, float]
    energy: float


def expected_of(x: np.ndarray) -> Expected:
    """By numpy on the finite values."""
    v = np.where(np.isfinite(x), x, 0.0)
    sizes = {}
    for side, axis in (("rows", 1), ("cols", 0)):
        sizes[side, "sum"] = np.abs(v).sum(axis)
        sizes[side, "squares"] = (v**2).sum(axis)
    lags = (v[:, 1:] * v[:, :-1]).sum(), (v[1:] * v[:-1]).sum()
    return Expected(sums(x), sizes, lags, (v**2).sum())


def sums(x: np.ndarray) -> dict:
    """Each field of both sides, by numpy on the finite values."""
    ok = np.isfinite(x)
    v = np.where(ok, x, 0.0)
    return {
        (side, name): value
        for side, axis in (("rows", 1), ("cols", 0))
        for name, value in {
            "sum": v.sum(axis),
            "squares": (v**2).sum(axis),
            "min": np.where(ok, x, np.inf).min(axis),
            "max": np.where(ok, x, -np.inf).max(axis),
            "nonfinite": (~ok).sum(axis),
            **ends(x, axis),
        }.items()
    }


def ends(x: np.ndarray, axis: int) -> dict:
    """Positions of the first and the last non-zero element of each row."""
    places = np.arange(x.shape[axis])[:, None] if axis == 0 else np.arange(x.shape[axis])
    least, greatest = np.where(x != 0, places, np.inf), np.where(x != 0, places, -np.inf)
    return {"start": least.min(axis), "end": greatest.max(axis)}


def check(result, expected: Expected, near: float) -> None:
    """Every field and both lags, within `near` of the magnitude of the summands."""
    for side in ("rows", "cols"):
        for name, value in getattr(result, side).items():
            size = expected.sizes.get((side, name), 0.0)
            same = value == expected.sums[side, name]
            off = np.abs(
                np.where(same, 0.0, value) - np.where(same, 0.0, expected.sums[side, name])
            )
            assert (off <= near * size).all(), name
    lags = expected.lags if "min" not in result.rows else (np.nan, np.nan)
    assert np.allclose(result.lag, lags, equal_nan=True, rtol=0, atol=near * expected.energy)


@pytest.fixture(scope="module")
def scaled(lab):
    """Two matrices of a type and a scale, and what their margins are: drawn once for all cuts."""

    @cache
    def drawn(dtype, scale):
        stored = lab.numbers(dtype, scale * np.random.default_rng(5).normal(0.3, 1.0, (2, 64, 96)))
        return stored, [expected_of(x) for x in lab.values(dtype, stored)]

    return drawn


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e-30, 1e20, 1e-18])
@pytest.mark.parametrize(("axis", "cuts"), [(0, ()), (0, (8, 40)), (1, (16, 17, 90))])
@pytest.mark.parametrize("dtype", ["F32", "BF16", "F64"])
def test_margins_and_lags_are_those_of_numpy(lab, scaled, dtype, scale, axis, cuts) -> None:
    """For any scale, cut and layout; with and without extremes."""
    stored, expected = scaled(dtype, scale)
    for layout in (stored, stored.mT.contiguous().mT):
        for measure in (MarginSums(), MarginSums(extremes=True)):
            result = lab.take(measure, layout, dtype, axis, cuts)
            for i in range(2):
                check(result[i], expected[i], 3e-7 if dtype != "F64" else 1e-14)


def test_non_finite_values_have_a_count_of_their_own(lab) -> None:
    """NaN and Inf enter no sum, also where only one of a stack has them."""
    x = np.random.default_rng(6).normal(size=(3, 20, 30))
    x[1, 3, 4], x[1, 5, :], x[1, :, 7] = np.nan, np.inf, -np.inf
    result = lab.take(MarginSums(extremes=True), lab.numbers("F32", x), "F32", cuts=(8,))
    for i in range(3):
        check(result[i], expected_of(x.astype(np.float32).astype(float)[i]), 3e-7)


def test_one_large_value_does_not_swallow_a_row(lab) -> None:
    """Squares beyond float32 are computed in float64."""
    x = np.random.default_rng(6).normal(size=(1, 20, 30))
    x[0, 3, 4] = 1e30
    check(
        lab.take(MarginSums(), lab.numbers("F32", x), "F32")[0],
        expected_of(x.astype(np.float32).astype(float)[0]),
        3e-7,
    )


@pytest.mark.parametrize(
    "dtype", ["I8", "U8", "I16", "U16", "I32", "U32", "U64", "F8_E4M3", "F8_E8M0", "F4", "BOOL"]
)
def test_every_kind_of_number_has_margins(lab, dtype) -> None:
    """Integers, codes and booleans are summed by value."""
    stored = lab.bits(dtype, (1, 24, 40), 8)
    check(
        lab.take(MarginSums(extremes=True), stored, dtype, cuts=(16,))[0],
        expected_of(lab.values(dtype, stored)[0]),
        1e-6,
    )


@cache
def scattered(share: float) -> tuple[np.ndarray, list[dict]]:
    """Three matrices with zeros, and the ends of their rows and columns: the same for all cuts."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(3, 80, 250)) * (rng.random((3, 80, 250)) >= share)
    x[0, 40:, 100:], x[1, :33, :], x[1, :, 240:], x[2, 5, 9], x[2, 6, 200] = (
        0.0,
        -0.0,
        0.0,
        np.nan,
        -np.inf,
    )
    return x, [{"rows": ends(v, 1), "cols": ends(v, 0)} for v in x]


@pytest.mark.parametrize(("axis", "cuts"), [(0, ()), (0, (1, 30, 64)), (1, (16, 17, 90))])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.97, 1.0])
def test_positions_of_the_first_and_last_non_zero_elements(lab, share, axis, cuts) -> None:
    """Scattered zeros, zero rows, a zero corner; -0 is zero, NaN and Inf are not; by matrix."""
    x, places = scattered(share)
    stored = lab.numbers("BF16", x)
    for layout in (stored, stored.mT.contiguous().mT):
        results = lab.take(MarginSums(extremes=True), layout, "BF16", axis, cuts)
        for result, sides in zip(results, places, strict=True):
            for side, of_side in sides.items():
                for name, expected in of_side.items():
                    assert np.array_equal(getattr(result, side)[name], expected), (side, name)


def test_margins_of_different_tensors_do_not_pool(lab) -> None:
    """Rows and columns have positions."""
    result = lab.take(MarginSums(), lab.bits("BF16", (1, 4, 4), 0), "BF16")[0]
    assert result.forget() is None
    with pytest.raises(TypeError, match="do not add"):
        result + result
