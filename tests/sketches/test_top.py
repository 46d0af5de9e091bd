"""The extreme weights and their positions equal those of a full sort."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.dtypes import DTYPES
from weightscope.sketches import Scratch, Tile, Top, TopWeights, top

HELD = [
    name for name, kind in DTYPES.items() if kind.kind != "none" and name != "U64"
]  # float64 rounds those


def ends(values: np.ndarray, n: int) -> set[int]:
    """Positions of the n largest and the n smallest finite values, the first of equals."""
    flat = values.ravel()
    places = np.flatnonzero(np.isfinite(flat))
    up, down = (places[least(sign * flat[places], n)] for sign in (-1, 1))
    return set(up.tolist()) | set(down.tolist())


def least(keys: np.ndarray, n: int) -> np.ndarray:
    """Positions of the n least keys in ascending order, the first of equals."""
    if len(keys) <= n:
        return np.argsort(keys, kind="stable")
    near = np.flatnonzero(keys <= np.partition(keys, n - 1)[n - 1])  # few: sorting all is slow
    return near[np.argsort(keys[near], kind="stable")[:n]]


def check(result: TopWeights, values: np.ndarray, n: int) -> None:
    """The positions in order, their values, and for any mean the n furthest."""
    places = result.rows * values.shape[1] + result.cols
    assert places.tolist() == sorted(ends(values, n))
    assert result.values.tolist() == values.ravel()[places].tolist()
    finite = np.flatnonzero(np.isfinite(values))
    for mean in (0.0, -0.3, 2.5):
        distance = np.zeros(values.size)
        distance[finite] = np.abs(values.ravel()[finite] - mean)
        far = finite[least(-distance[finite], n)]
        found = places[result.furthest(mean, n)]
        assert distance[found].tolist() == distance[far].tolist()
        # Weights that differ may have one rounded distance; equal weights are taken by position.
        equal = values.ravel()[found] == values.ravel()[far]
        assert found[equal].tolist() == far[equal].tolist()


@settings(max_examples=80, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from(HELD),
    shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    cuts=st.lists(st.integers(0, 24), max_size=4),
    axis=st.sampled_from([0, 1]),
    n=st.sampled_from([1, 2, 7, 600]),
    turned=st.booleans(),
)
def test_any_tiling_order_and_grouping_gives_the_ends_of_a_sort(
    lab, data, dtype, shape, cuts, axis, n, turned
) -> None:
    """Every bit pattern of every type, equal values, NaN and Inf among them, in either layout."""
    stored = lab.bits(dtype, (1, *shape), data.draw(st.integers(0, 99)))
    shown = stored.mT.contiguous().mT if turned else stored
    measure, states = Top(n), []
    for box in data.draw(st.permutations(lab.boxes(shape, axis, cuts))):
        part = lab.tile(shown, dtype, box, axis)
        if states and data.draw(st.booleans()):
            states[-1] = measure.add(states[-1], part)
        else:
            states.append(measure.add(measure.start(1, shape, dtype, "cpu"), part))
    while len(states) > 1:
        i = data.draw(st.integers(0, len(states) - 2))
        states[i : i + 2] = [measure.merge(states[i], states[i + 1])]
    check(measure.finish(states[0])[0], lab.values(dtype, stored)[0], n)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["F32", "BF16", "F8_E4M3", "I8", "U8", "I32"])
def test_large_matrices_are_as_exact(lab, dtype, axis) -> None:
    """Tiles of thousands of weights, most without an extreme one, in several segments."""
    stored = lab.bits(dtype, (2, 512, 96), 1)
    stored = (
        stored
        if dtype in ("F8_E4M3", "I8", "U8", "I32")
        else torch.randn(2, 512, 96).to(stored.dtype)
    )
    measure, states = Top(20), []
    for half in range(2):
        state = measure.start(2, (512, 96), dtype, "cpu")
        for box in lab.boxes((512, 96), axis, [*range(8, 512, 40)])[half::2]:
            state = measure.add(state, lab.tile(stored, dtype, box, axis))
        states.append(state)
    for result, values in zip(
        measure.finish(measure.merge(*states)), lab.values(dtype, stored), strict=True
    ):
        check(result, values, 20)


def test_equal_weights_are_ordered_row_by_row(lab) -> None:
    """The first of more than n equal weights, for any order of tiles; -0 and 0 are equal."""
    x = np.array([[[0.0, -0.0, 5.0, -0.0], [5.0, 0.0, 5.0, -7.0], [5.0, 5.0, -7.0, 0.0]]])
    for axis, cuts in ((0, ()), (0, (1, 2)), (1, (1, 2, 3))):
        result = lab.take(Top(2), lab.numbers("F32", x), "F32", axis, cuts)[0]
        assert list(zip(result.rows, result.cols, result.values, strict=True)) == [
            (0, 2, 5.0), (1, 0, 5.0), (1, 3, -7.0), (2, 2, -7.0),
        ]  # fmt: skip
        assert result.furthest(0.0, 2).tolist() == [2, 3]
        assert result.furthest(-1.0, 2).tolist() == [0, 1]
    result = lab.take(Top(1), lab.numbers("F32", np.array([[[-0.0, 0.0]]])), "F32", 1, (1,))[0]
    assert (result.cols.tolist(), np.signbit(result.values).tolist()) == ([0], [True])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_elements_are_excluded(lab, value) -> None:
    """One NaN or Inf in every tile hides no weight; a matrix of NaN alone has no extremes."""
    x = np.random.default_rng(3).normal(size=(1, 64, 64))
    x[0, ::8, 5] = value
    check(lab.take(Top(9), lab.numbers("F64", x), "F64", cuts=(8, 16, 40))[0], x[0], 9)
    assert not len(lab.take(Top(9), lab.numbers("F64", np.full((1, 4, 4), value)), "F64")[0].values)


def test_integers_beyond_float32_are_distinguished(lab) -> None:
    """2^24 + 1 is above 2^24, signed or not."""
    x = torch.tensor([[[2**24, 2**24 + 1, 2**24, -(2**24) - 1, -(2**24)]]], dtype=torch.int32)
    result = lab.take(Top(1), x, "I32", 1, (1, 2, 3))[0]
    assert result.values.tolist() == [2**24 + 1, -(2**24) - 1]
    result = lab.take(Top(1), x, "U32", 1, (1, 2, 3))[0]
    assert result.values.tolist() == [2**24, 2**32 - 2**24]


def test_a_tile_without_an_extreme_weight_is_not_searched(lab, monkeypatch) -> None:
    """Only its extremes are computed, also where they equal the last weight at a later position."""
    looked: list[int] = []
    best = top._best
    monkeypatch.setattr(top, "_best", lambda *given: looked.append(1) or best(*given))
    x = np.random.default_rng(4).uniform(-1, 1, (1, 80, 16))
    x[0, :8], x[0, 8:, 3] = np.sign(x[0, :8]), 1.0
    stored, measure = lab.numbers("BF16", x), Top(5)
    state = measure.start(1, (80, 16), "BF16", "cpu")
    for box in lab.boxes((80, 16), 0, list(range(8, 80, 8))):
        part = Tile(stored[:, slice(*box.rows)], "BF16", box, (80, 16), 0, Scratch())
        state = measure.add(state, part)
        assert "flat" not in vars(part) or box.rows[0] == 0
    assert len(looked) == 2
    check(measure.finish(state)[0], lab.values("BF16", stored)[0], 5)


def test_top_weights_of_different_tensors_do_not_add(lab) -> None:
    """They have positions."""
    result = lab.take(Top(1), lab.bits("BF16", (1, 4, 4), 0), "BF16")[0]
    assert result.forget() is None
    with pytest.raises(TypeError, match="do not add"):
        _ = result + result
