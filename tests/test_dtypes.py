"""Bit patterns mean what torch says they mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.dtypes import DTYPES, decoded

OUTSIDE = {
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E8M0": torch.float8_e8m0fnu,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
    "I16": torch.int16,
    "U16": torch.uint16,
    "I8": torch.int8,
    "U8": torch.uint8,
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_every_pattern_has_the_value_that_torch_gives_it(name: str) -> None:
    """All 256 or 65,536 patterns, NaN, Inf and the sign of zero included."""
    codes = np.arange(1 << DTYPES[name].bits, dtype=f"u{DTYPES[name].bits // 8}")
    expected = torch.from_numpy(codes).view(OUTSIDE[name])
    expected = (expected.float() if expected.is_floating_point() else expected).double().numpy()
    assert np.array_equal(decoded(name), expected, equal_nan=True)
    assert (
        np.array_equal(np.signbit(decoded(name)), np.signbit(expected)) or np.isnan(expected).any()
    )


def test_half_byte_floats() -> None:
    """E2M1: 0, 1/2, 1, 3/2, 2, 3, 4, 6, the fourth bit the sign."""
    assert decoded("F4").tolist() == [0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6]


def test_booleans_are_false_only_where_no_bit_is_set() -> None:
    """A byte that is not 0 is true, whatever it is."""
    assert decoded("BOOL").tolist() == [0.0] + [1.0] * 255


def test_tables_cannot_be_changed() -> None:
    """They are shared by everyone."""
    with pytest.raises(ValueError, match="read-only"):
        decoded("BF16")[0] = 1.0


@pytest.mark.parametrize("name", DTYPES)
def test_what_torch_negates(name: str) -> None:
    """Only values that the storage type itself carries can be negated there."""
    kind = DTYPES[name]
    same = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8"}
    assert kind.negatable == (name in same)
    assert not kind.negatable or (-torch.ones(1, dtype=getattr(torch, kind.store))).numel() == 1


@pytest.mark.parametrize("name", DTYPES)
def test_the_storage_type_is_as_wide_as_the_type(name: str) -> None:
    """An element of the storage type holds one element, or one code of less than a byte."""
    kind = DTYPES[name]
    assert kind.name == name
    assert getattr(torch, kind.store).itemsize * 8 == max(kind.bits, 8)
    assert kind.narrow == (kind.bits <= 16)
