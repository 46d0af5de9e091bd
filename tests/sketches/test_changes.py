"""Elements and rows that differ, counted as numpy counts them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from tests.sketches.paired import HELD, LAYOUTS, WORDS, differing, integers, made, turned
from weightscope.dtypes import DTYPES
from weightscope.sketches import Changes


def words_of(dtype, seed, shape=(5, 9)):
    """Any bits of a type without values."""
    rng = np.random.default_rng(seed)
    kind = DTYPES[dtype]
    if dtype == "C128":
        return torch.from_numpy(rng.normal(size=(1, *shape)) + 1j * rng.normal(size=(1, *shape)))
    size = (1, *shape)
    words = rng.integers(0, 1 << min(kind.bits, 62), size)
    return torch.from_numpy(words).to(getattr(torch, kind.store))


@pytest.mark.parametrize("dtype", WORDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_types_without_values_are_compared_by_their_words(lab, dtype, layout) -> None:
    """Complex, 6-bit: equal words are equal, one other word is one element of one row."""
    a = words_of(dtype, 0)
    b = a.clone()
    same = lab.take_pair(Changes(), turned((a, dtype, b, dtype), *layout), 0, (2,))[0]
    assert (same.elements, same.row_count, same.retyped) == (0, 0, True)
    b[0, 3, 4] += 1
    changed = lab.take_pair(Changes(), turned((a, dtype, b, dtype), *layout), 0, (2,))[0]
    assert (changed.elements, np.flatnonzero(changed.rows).tolist()) == (1, [3])
    assert not changed.retyped


@pytest.mark.parametrize("dtype", WORDS)
def test_a_type_without_values_equals_no_other_type(lab, dtype) -> None:
    """Complex zeros are no zeros of F32: words of unknown meaning are not read as numbers."""
    zeros = torch.zeros_like(words_of(dtype, 0))
    numbers = torch.zeros(zeros.shape)
    for pair in ((zeros, dtype, numbers, "F32"), (numbers, "F32", zeros, dtype)):
        for measure in (Changes(), Changes(counted=False)):
            changed = lab.take_pair(measure, pair, 0, (2,))[0]
            assert changed.elements == (45 if measure.counted else 1)
            assert not changed.retyped


@pytest.mark.parametrize("of_a", HELD)
def test_changes_count_what_numpy_counts(lab, of_a) -> None:
    """Elements and rows that differ, of every two types, NaN, Inf, 0 and -0 among them."""
    for i, of_b in enumerate(HELD):
        pair = turned(made(lab, of_a, of_b, (9, 16), 4, "alike"), *LAYOUTS[i % 4])
        mask = differing(lab, pair)
        bits = DTYPES[of_b].bits
        both = lab.take_pairs((Changes(), Changes(counted=False)), pair, 0, (4,))
        changed, quick = (results[0] for results in both)
        assert changed.n == 144
        assert changed.elements == mask.sum()
        assert np.array_equal(changed.rows, mask.any(1))
        assert changed.row_count == mask.any(1).sum()
        each, rows = mask.sum() * (bits // 8 + 4), mask.any(1).sum() * (16 * bits // 8 + 4)
        assert changed.patch_bytes == min(each, rows, 144 * bits // 8)
        assert quick.elements == min(mask.sum(), 1)
        assert quick.retyped == changed.retyped


@pytest.mark.parametrize("row", [0, 7])
@pytest.mark.parametrize("counted", [True, False])
def test_a_retyped_tensor_has_no_other_change_in_any_tile(lab, row, counted) -> None:
    """Rounding differs in the first tile; a real change in the first or the last decides."""
    a = torch.randn(1, 8, 6, generator=torch.Generator().manual_seed(0))
    b = a.bfloat16()
    measure = Changes(counted=counted)
    assert lab.take_pair(measure, (a, "F32", b, "BF16"), 0, (2, 4, 6))[0].retyped
    b[0, row, 3] *= 1.5
    for pair in ((a, "F32", b, "BF16"), (b, "BF16", a, "F32")):
        assert not lab.take_pair(measure, pair, 0, (2, 4, 6))[0].retyped


@pytest.mark.parametrize("dtype", ["F64", "F32", "BF16", "F8_E4M3"])
@pytest.mark.parametrize("offset", [1, 2, 3])
def test_equal_words_are_equal_at_any_address(lab, dtype, offset) -> None:
    """A tensor that begins inside a word of 8 bytes equals an aligned copy of itself."""
    a = lab.bits(dtype, (1, 8, 8), 0)
    b = torch.cat((a.flatten()[:offset], a.flatten()))[offset:].view(1, 8, 8)
    for measure, pair in product(lab.PAIRED_EXAMPLES[Changes], ((a, b), (b, a))):
        changed = lab.take_pair(measure, (pair[0], dtype, pair[1], dtype))[0]
        assert (changed.elements, changed.retyped) == (0, True)


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"])
def test_words_of_one_type_are_compared_not_values(lab, dtype) -> None:
    """-0 is not 0, and a NaN is not a NaN of another payload."""
    zero = lab.numbers(dtype, np.zeros((1, 2, 2)))
    nan = lab.numbers(dtype, np.full((1, 2, 2), np.nan))
    payload = (nan.view(integers(nan)) ^ (0x80 if nan.element_size() == 1 else 1)).view(nan.dtype)
    assert np.isnan(lab.values(dtype, payload)).all()
    minus = lab.numbers(dtype, np.full((1, 2, 2), -0.0))
    for a, b, count in ((zero, minus, 4), (nan, payload, 4), (nan, nan.clone(), 0)):
        for x, y in ((a, b), (b, a)):
            changed = lab.take_pair(Changes(), (x, dtype, y, dtype))[0]
            assert changed.elements == count
            assert changed.retyped == (count == 0)
