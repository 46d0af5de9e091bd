"""Rows have equal hashes exactly where their words are equal, for any type, tiling and layout."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.dtypes import DTYPES
from weightscope.sketches import Hashes

HELD = [name for name, kind in DTYPES.items() if kind.kind != "none"]
SIGNED = {  # the word of -0
    "F64": 1 << 63,
    "F32": 1 << 31,
    "F16": 1 << 15,
    "BF16": 1 << 15,
    "F8_E4M3": 0x80,
    "F8_E5M2": 0x80,
    "F4": 8,
}
MASK = (1 << 32) - 1


def words(dtype: str, stored: torch.Tensor) -> np.ndarray:
    """The stored words as unsigned integers, -0 as 0."""
    size = stored.element_size()
    raw = (
        stored.contiguous()
        .view(getattr(torch, f"int{8 * size}"))
        .numpy()
        .view(f"u{size}")
        .astype(np.uint64)
    )
    return np.where(raw == SIGNED.get(dtype, 0), np.uint64(0), raw)


def hashed(
    lab, stored: torch.Tensor, dtype: str, axis: int = 0, cuts: tuple[int, ...] = ()
) -> np.ndarray:
    """One hash a row of the first matrix."""
    return lab.take(Hashes(), stored, dtype, axis, cuts)[0].rows


def alike(result: np.ndarray) -> np.ndarray:
    """Which rows have the first row's number, the second's, ..."""
    return result[:, None] == result


def splitmix(counter: int) -> int:
    """The generator by its definition, in plain integers."""
    x = counter * 0x9E3779B97F4A7C15 % (1 << 64)
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % (1 << 64)
    x = (x ^ x >> 27) * 0x94D049BB133111EB % (1 << 64)
    return x ^ x >> 31


def mixed(word: int) -> int:
    """The bijection, in plain integers."""
    word = (word ^ word >> 16) * 0x7FEB352D & MASK
    return word ^ word >> 16


def by_hand(dtype: str, row: list[int], value: list[float]) -> int:
    """The hash of one row, in plain integers."""
    wide = 2 if DTYPES[dtype].bits == 64 else 1
    sums = [0, 0]
    for j, (word, v) in enumerate(zip(row, value, strict=True)):
        halves = (
            [word + (v != 0)]
            if DTYPES[dtype].narrow
            else [word >> 32 * h & MASK for h in range(wide)]
        )
        for half, part in enumerate(halves):
            for lane in (0, 1):
                odd = splitmix((j + 1) * 2 * wide + 2 * half + lane) >> 32 | 1
                sums[lane] = sums[lane] + mixed(part) * odd & MASK
    return sums[0] | sums[1] << 32


@pytest.mark.parametrize("dtype", HELD)
def test_the_hash_is_that_of_plain_integers(lab, dtype) -> None:
    """Two sums of mixed words times odd multipliers, with no machine arithmetic."""
    stored = lab.bits(dtype, (1, 5, 9), 3)
    stored[0, 2] = 0
    rows, values = words(dtype, stored)[0].tolist(), lab.values(dtype, stored)[0].tolist()
    expected = [by_hand(dtype, row, value) for row, value in zip(rows, values, strict=True)]
    assert hashed(lab, stored, dtype).tolist() == expected


@pytest.mark.parametrize("dtype", HELD)
@pytest.mark.parametrize("columns", [1, 3, 40])
def test_rows_have_equal_hashes_exactly_where_they_are_equal(lab, dtype, columns) -> None:
    """Any words, NaN among them, with planted twins and rows of which a single element differs."""
    stored, rng = lab.bits(dtype, (1, 60, columns), columns), np.random.default_rng(1)
    stored[0, 20:40] = stored[0, :20]
    stored[0, 40:] = stored[0, :20]
    changed = lab.bits(dtype, (20,), 9)
    for i in range(20):
        stored[0, 40 + i, rng.integers(columns)] = changed[i]
    result = hashed(lab, stored, dtype)
    assert result.dtype == np.uint64
    rows = words(dtype, stored)[0]
    assert np.array_equal(alike(result), (rows[:, None] == rows).all(-1))


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(HELD),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    cuts=st.lists(st.integers(0, 20), max_size=5),
    axis=st.sampled_from([0, 1]),
    mirrored=st.booleans(),
    data=st.data(),
)
def test_any_tiling_in_any_order_gives_the_same_hashes(
    lab, dtype, shape, cuts, axis, mirrored, data
) -> None:
    """Cut along either axis, merged in any order, stored by rows or columns: the same 64 bits."""
    stored = lab.bits(dtype, (2, *shape), data.draw(st.integers(0, 99)))
    shown = stored.mT.contiguous().mT if mirrored else stored
    measure, boxes = Hashes(), data.draw(st.permutations(lab.boxes(shape, axis, cuts)))
    tiles = [lab.tile(shown, dtype, box, axis) for box in boxes]
    states = [measure.add(measure.start(2, shape, dtype, "cpu"), tile) for tile in tiles]
    while len(states) > 1:
        i = data.draw(st.integers(0, len(states) - 2))
        states[i : i + 2] = [measure.merge(*data.draw(st.permutations(states[i : i + 2])))]
    for i, result in enumerate(measure.finish(states[0])):
        assert np.array_equal(result.rows, hashed(lab, stored[i : i + 1].clone(), dtype))


@pytest.mark.parametrize("dtype", SIGNED)
def test_the_sign_of_zero_does_not_count(lab, dtype) -> None:
    """-0 is +0, among other values too; the sign of anything else counts."""
    plus = lab.bits(dtype, (1, 4, 6), 2)
    raw = plus.view(getattr(torch, f"int{8 * plus.element_size()}"))
    raw[0, :, 2], raw[0, 3] = 0, 0
    minus, sign = plus.clone(), SIGNED[dtype]
    bits = 8 * plus.element_size()
    minus.view(raw.dtype)[0, :, 2] = sign - (1 << bits) if sign == 1 << (bits - 1) else sign
    assert np.array_equal(hashed(lab, plus, dtype), hashed(lab, minus, dtype))
    one = lab.FOUR.tolist().index(1.0) if dtype == "F4" else lab.numbers(dtype, np.ones(1))[0]
    less = lab.FOUR.tolist().index(-1.0) if dtype == "F4" else lab.numbers(dtype, -np.ones(1))[0]
    plus[0, :, 2], minus[0, :, 2] = one, less
    assert (hashed(lab, plus, dtype) != hashed(lab, minus, dtype)).all()


@pytest.mark.parametrize("dtype", HELD)
def test_only_a_row_of_zeros_hashes_to_zero(lab, dtype) -> None:
    """Also in F8_E8M0, whose first pattern is 2^-127 and which has no zero."""
    stored = lab.bits(dtype, (1, 50, 3), 4)
    stored.view(getattr(torch, f"int{8 * stored.element_size()}"))[0, ::5] = 0
    zero = (lab.values(dtype, stored)[0] == 0).all(-1)
    assert zero.any() == (dtype != "F8_E8M0")
    assert np.array_equal(hashed(lab, stored, dtype) == 0, zero)


@pytest.mark.parametrize("dtype", HELD)
def test_no_single_bit_goes_unseen(lab, dtype) -> None:
    """Each bit of a word flipped in a row of its own: as many hashes as rows."""
    bits = DTYPES[dtype].bits
    stored = lab.bits(dtype, (1, 1, 7), 6).repeat(1, 7 * bits + 1, 1)
    raw = stored.view(getattr(torch, f"int{8 * stored.element_size()}"))
    for at in range(7 * bits):
        flip = 1 << at % bits
        raw[0, at, at // bits] ^= (
            flip - (1 << bits) if flip == 1 << (bits - 1) and bits >= 8 else flip
        )
    rows = words(dtype, stored)[0]
    assert len(np.unique(hashed(lab, stored, dtype))) == len(np.unique(rows, axis=0))


@pytest.fixture(scope="module")
def zeros_and_ones() -> np.ndarray:
    """20,000 rows, all different."""
    x = np.random.default_rng(3).integers(0, 2, (1, 20_000, 40))
    assert len(np.unique(x[0] @ 2 ** np.arange(40))) == 20_000
    return x


@pytest.mark.parametrize("value", [2.0, 1.0, -1.0, 2.0**-126, 1.0000001])
@pytest.mark.parametrize("dtype", ["F32", "BF16", "F64"])
def test_rows_of_two_values_do_not_collide(lab, dtype, value, zeros_and_ones) -> None:
    """Words that differ in a single high bit, as 0 and 2 do, are as far apart as any others."""
    result = hashed(lab, lab.numbers(dtype, value * zeros_and_ones), dtype)
    assert len(np.unique(result)) == 20_000


def test_every_bit_of_a_hash_is_set_in_half_of_the_rows(lab) -> None:
    """bf16 stored as float32 has sixteen zero bits per word: all 64 bits of the hash still vary."""
    x = torch.randn(1, 20_000, 8, generator=torch.Generator().manual_seed(0)).bfloat16().float()
    result = hashed(lab, x, "F32")
    share = (result[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)).mean(0)
    assert np.abs(share - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)
    assert np.abs(
        np.corrcoef(result >> np.uint64(32), result & np.uint64(MASK))[0, 1]
    ) < 5 / np.sqrt(20_000)


def test_hashes_of_different_tensors_do_not_pool(lab) -> None:
    """Rows have positions."""
    result = lab.take(Hashes(), lab.bits("BF16", (1, 4, 4), 0), "BF16")[0]
    assert result.forget() is None
    with pytest.raises(TypeError, match="do not add"):
        result + result
