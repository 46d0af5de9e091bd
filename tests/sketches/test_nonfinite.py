"""The position of the first NaN or Inf equals numpy's; finite tensors are not searched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.sketches import Count, ValueCounts, count, few_values, nonfinite

BROKEN = {  # every way of counting, and what such a type has: NaN, Inf or both
    "F64": (np.nan, np.inf, -np.inf),
    "F32": (np.nan, np.inf, -np.inf),
    "BF16": (np.nan, np.inf, -np.inf),
    "F16": (np.nan, np.inf, -np.inf),
    "F8_E5M2": (np.nan, np.inf, -np.inf),
    "F8_E4M3": (np.nan,),
    "F8_E8M0": (np.nan,),
    "F8_E4M3FNUZ": (np.nan,),
}


def draw(lab, dtype: str, shape: tuple[int, int, int], seed: int, broken: int) -> torch.Tensor:
    """Powers of two, which every type has, with some broken values anywhere."""
    rng = np.random.default_rng(seed)
    x = 2.0 ** rng.integers(-2, 3, shape)
    x.reshape(-1)[rng.integers(0, x.size, broken)] = rng.choice(BROKEN[dtype], broken)
    return lab.numbers(dtype, x)


def first(lab, dtype: str, stored: torch.Tensor) -> tuple[int, int] | None:
    """As numpy finds it."""
    places = np.argwhere(~np.isfinite(lab.values(dtype, stored)[0]))
    return tuple(places[0].tolist()) if len(places) else None


@pytest.fixture(params=["as told", "bins"])
def ways(request, monkeypatch):
    """Small wide tensors counted by value, and in bins as large ones are."""
    if request.param == "bins":
        monkeypatch.setattr(count, "EXACT", -1)
        monkeypatch.setattr(few_values, "FEW", -1)


@pytest.mark.usefixtures("ways")
@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from(list(BROKEN)),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 24), st.integers(1, 24)),
    cuts=st.lists(st.integers(0, 24), max_size=5),
    axis=st.sampled_from([0, 1]),
    mirrored=st.booleans(),
    broken=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_it_is_numpys_first(lab, data, dtype, shape, cuts, axis, mirrored, broken, seed) -> None:
    """For any cut and layout, tiles folded in any order, or apart and merged in any order."""
    stored = draw(lab, dtype, shape, seed, broken)
    laid, measure = stored.mT.contiguous().mT if mirrored else stored, Count()
    tiles = [
        lab.tile(laid, dtype, box, axis)
        for box in data.draw(st.permutations(lab.boxes(shape[1:], axis, cuts)))
    ]
    parts = [measure.start(shape[0], shape[1:], dtype, "cpu") for _ in range(2)]
    for tile in tiles:
        half = data.draw(st.integers(0, 1))
        parts[half] = measure.add(parts[half], tile)
    result = measure.finish(measure.merge(*parts))
    assert [f.first_nonfinite for f in result] == [
        first(lab, dtype, stored[i : i + 1]) for i in range(shape[0])
    ]


@pytest.mark.parametrize("dtype", ["BF16", "F32", "F64"])
def test_a_large_tensor_in_real_tiles(lab, dtype) -> None:
    """Positions count from the corner of the matrix, not of the tile."""
    stored = lab.numbers(dtype, np.ones((1, 300, 400)))
    stored[0, 250, 7], stored[0, 251, 0], stored[0, 299, 399] = np.inf, np.nan, np.nan
    for axis, cuts in ((0, (64, 128, 192, 256)), (1, (5, 100, 300))):
        result = lab.take(Count(), stored, dtype, axis, cuts)[0]
        assert (result.first_nonfinite, result.nan, result.inf) == ((250, 7), 2, 1)


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("dtype", ["F32", "BF16", "F8_E4M3", "F4", "I32", "U16", "BOOL"])
def test_finite_tiles_are_not_searched(lab, dtype, monkeypatch) -> None:
    """Only tiles with NaN or Inf are searched, and none behind a position already found."""
    searched = []
    monkeypatch.setattr(
        nonfinite,
        "_first_in_tile",
        lambda tile, i: searched.append(tile.box.rows) or (tile.box.rows[0], 0),
    )
    stored = torch.ones(1, 8, 8, dtype=lab.bits(dtype, (1, 1), 0).dtype)
    assert lab.take(Count(), stored, dtype, cuts=(2, 4, 6))[0].first_nonfinite is None
    assert searched == []
    if stored.is_floating_point():
        stored[0, 3:] = torch.nan
        assert lab.take(Count(), stored, dtype, cuts=(2, 4, 6))[0].first_nonfinite == (2, 0)
        assert searched == [(2, 4)]


def test_pooled_tensors_have_no_position(lab) -> None:
    """A sum for one tensor has the earlier position; pooled counts have none."""
    a, b = (ValueCounts(nan=1, first_nonfinite=place) for place in ((3, 1), (2, 9)))
    assert (a + b).first_nonfinite == (b + a).first_nonfinite == (2, 9)
    assert (a + ValueCounts()).first_nonfinite == (3, 1)
    pooled = a.forget() + b.forget()
    assert (pooled.nan, pooled.first_nonfinite) == (2, None)
