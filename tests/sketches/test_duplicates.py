"""Duplicates are the rows that equal another, whatever the type, the tiling and the layout."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from weightscope.dtypes import DTYPES
from weightscope.geometry import whole
from weightscope.sketches import Again, Duplicates, Hashes

HELD = [name for name, kind in DTYPES.items() if kind.kind != "none"]


def check(
    lab, stored: torch.Tensor, dtype: str, axis: int = 0, cuts: tuple[int, ...] = ()
) -> np.ndarray:
    """Twins of every matrix of a stack against all hashes; those of the first."""
    every = lab.take(Hashes(), stored, dtype)
    result = lab.take(Duplicates(), stored, dtype, axis, cuts)
    for twins, hashes in zip(result, every, strict=True):
        alike = (hashes.rows[:, None] == hashes.rows).sum(1) > 1
        assert twins.rows.dtype == np.int64
        assert np.array_equal(twins.rows, np.flatnonzero(alike))
        assert np.array_equal(twins.hashes, hashes.rows[alike])
    return result[0].rows


def planted(lab, dtype: str, stack: int = 2) -> torch.Tensor:
    """Random words; rows 3, 7, 30 equal, 11, 12 equal, 20, 21 zero, 5, 6 differ in one element."""
    stored = lab.bits(dtype, (stack, 40, 9), 8)
    stored[:, 7], stored[:, 30], stored[:, 12] = stored[:, 3], stored[:, 3], stored[:, 11]
    stored[:, 6] = stored[:, 5]
    stored[:, 20:22] = 0
    raw = stored.view(getattr(torch, f"int{8 * stored.element_size()}"))
    raw[:, 6, 4] ^= 1
    return stored


@pytest.mark.parametrize("dtype", HELD)
def test_duplicates_are_the_rows_of_equal_hashes(lab, dtype) -> None:
    """Three and two equal rows and zero rows, distant and adjacent, in one tile and in several."""
    stored = planted(lab, dtype)
    tilings = [(0, ()), (0, (8, 9, 25)), (1, (4, 7))]
    for x, (axis, cuts) in product((stored, stored.mT.contiguous().mT), tilings):
        result = check(lab, x, dtype, axis, cuts)
        assert {3, 7, 11, 12, 20, 21, 30} <= set(result.tolist()), (x.stride(), axis, cuts)
        assert not {5, 6} & set(result.tolist()), (x.stride(), axis, cuts)


@pytest.mark.parametrize("dtype", ["F64", "F32", "BF16", "F16", "F8_E4M3"])
def test_rows_equal_up_to_sign_or_last_digits_are_no_duplicates(lab, dtype) -> None:
    """The hashes distinguish rows of equal sums; the sign of zero affects neither."""
    x = np.random.default_rng(1).choice([-1.0, 1.0], (1, 60, 50))
    assert not len(check(lab, lab.numbers(dtype, x), dtype))
    x = np.repeat(np.abs(x[:, :1]), 4, 1)
    x[0, 1:, 3], x[0, :, 9] = -1.0, [0.0, -0.0, 0.0, 1.0]
    assert check(lab, lab.numbers(dtype, x), dtype).tolist() == [1, 2]
    if DTYPES[dtype].bits >= 32:
        x[0, 2, 5] += 1e-6
        assert not len(check(lab, lab.numbers(dtype, x), dtype))


def test_zeros_of_either_sign_are_equal(lab) -> None:
    """Rows that differ in the sign of zeros alone are duplicates, in every type that has -0."""
    x = np.random.default_rng(2).normal(0, 1, (1, 10, 30)) * (np.arange(30) % 3 > 0)
    x[0, 4] = np.where(x[0, 8] == 0, -np.copysign(0.0, x[0, 8]), x[0, 8])
    for dtype in ("F64", "F32", "BF16", "F16", "F8_E5M2"):
        assert check(lab, lab.numbers(dtype, x), dtype).tolist() == [4, 8]


@pytest.mark.parametrize("dtype", ["F32", "BF16"])
def test_an_ordinary_matrix_needs_one_pass(lab, dtype) -> None:
    """Without equal sums no row is hashed."""
    stored = lab.numbers(dtype, np.random.default_rng(3).normal(0, 1, (1, 500, 64)))
    measure = Duplicates()
    state = measure.add(
        measure.start(1, (500, 64), dtype, "cpu"), lab.tile(stored, dtype, whole((500, 64)))
    )
    record = measure.finish(state)
    assert not isinstance(record, Again)
    assert not len(record[0].rows)


def test_a_narrow_type_stored_wide_has_a_second_pass_if_needed(lab) -> None:
    """Duplicates of few significant bits are found: bf16 in float32, small integers in int64."""
    x = torch.randn(1, 3000, 4, generator=torch.Generator().manual_seed(4)).bfloat16().float()
    x[0, 2000] = x[0, 17]
    assert check(lab, x, "F32").tolist() == [17, 2000]
    assert {17, 2000} <= set(check(lab, (8 * x).round().long(), "I64", cuts=(64, 700)).tolist())


@pytest.mark.parametrize("dtype", ["F64", "F32", "BF16", "F16", "F8_E4M3"])
def test_sums_distinguish_signs_and_columns(lab, dtype) -> None:
    """Ones or signs in other columns, NaN for Inf, one small sign; but not the sign of zero."""
    w = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], (32, 32))
    w[0, :3] = [-1.0, 0.0, 1.0]
    changed = {
        "sign": w.copy(),
        "signs": w[:, ::-1],
        "rows": w[::-1],
        "nan": w.copy(),
        "inf": w.copy(),
    }
    changed["sign"][0, 0], changed["nan"][3, 3], changed["inf"][3, 3] = 1.0, np.nan, np.inf
    sums = [taken_sums(lab, x, dtype) for x in (w, *changed.values())]
    assert len({x.tobytes() for x in sums}) == len(sums)
    minus = np.where(w == 0, -0.0, w)
    assert np.array_equal(sums[0], taken_sums(lab, minus, dtype))
    assert np.array_equal(sums[0], taken_sums(lab, w, dtype, 1, (5, 20)))


@pytest.mark.parametrize("dtype", ["F64", "F32"])
def test_sums_distinguish_the_last_digit(lab, dtype) -> None:
    """One ulp of one element; two signs of one row, whose number remains even."""
    w = np.random.default_rng(6).normal(0, 1, (8, 50)).astype(np.float32)
    last, signs = w.copy(), w.copy()
    last[2, 7] = np.nextafter(w[2, 7], np.float32(9))
    signs[2, 7:9] *= -1
    sums = [taken_sums(lab, x, dtype)[2] for x in (w, last, signs)]
    assert len(set(sums)) == 3


def taken_sums(
    lab, w: np.ndarray, dtype: str, axis: int = 0, cuts: tuple[int, ...] = ()
) -> np.ndarray:
    """Sums of every row of one matrix."""
    return lab.take(Duplicates(), lab.numbers(dtype, w[None].copy()), dtype, axis, cuts)[0].sums


def test_duplicates_in_different_tensors_do_not_pool(lab) -> None:
    """Rows have positions."""
    result = lab.take(Duplicates(), lab.bits("BF16", (1, 4, 4), 0), "BF16")[0]
    assert result.forget() is None
    with pytest.raises(TypeError, match="do not add"):
        result + result
