"""Status of every two types against torch's conversions; elements, rows and bytes that differ."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.dtypes import DTYPES, decoded
from weightscope.statistics.pairs import CHANGED, labels
from weightscope.statistics.pairs.changes import RANGES, ranges, status

FLOATS = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"]
FRACTION = {"F64": 52, "F32": 23, "F16": 10, "BF16": 7, "F8_E4M3": 3, "F8_E5M2": 2}
FRACTION |= {"F8_E4M3FNUZ": 3, "F8_E5M2FNUZ": 2}


def status_of(pairs, *case) -> str:
    """Of a pair: stored A, its type, stored B, its type."""
    (result,) = statuses_of(pairs, case)
    return result


def statuses_of(pairs, *cases) -> list[str]:
    """Of both measures of equality, which must agree, in both layouts of B."""
    layouts = [
        (a, of_a, other, of_b) for a, of_a, b, of_b in cases for other in (b, b.mT.contiguous().mT)
    ]
    measured = pairs.measure(layouts, {labels.EQUALITY, labels.CHANGES})
    statuses = []
    for (_, of_a, _, of_b), row, column in zip(cases, measured[::2], measured[1::2], strict=True):
        (result,) = {status(sketch, of_a == of_b) for sketch in (*row.values(), *column.values())}
        statuses.append(result)
    return statuses


def numbers_of(of_a: str, of_b: str) -> np.ndarray:
    """Values of A: Gaussian, halfway between neighbours of B, subnormal, and special ones."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 8))
    if DTYPES[of_b].narrow:
        table = np.unique(decoded(of_b)[np.isfinite(decoded(of_b))])
        table = table[np.abs(table) < 200]
        i = rng.integers(0, len(table) - 1, 24)
        x[3:6] = ((table[i] + table[i + 1]) / 2).reshape(3, 8)
        smallest = table[table > 0][0]
        x[6] = smallest * np.array([0.5, 1, 1.5, 2, 2.5, 0.4, -0.5, -1.5])
    x[7] = [0.0, -0.0, np.nan, 1.0, -1.0, 2.0, 0.5, -3.0]
    if "E4M3" not in of_a + of_b and "FNUZ" not in of_a + of_b:
        x[8, :2] = np.inf, -np.inf
    return x


def converted(pairs, words, of_a: str, of_b: str):
    """torch's conversion of stored words to another type."""
    typed = words.view(pairs.FLOAT8[of_a]) if of_a in pairs.FLOAT8 else words
    return pairs.stored(typed, of_b)


def next_word(words, row: int, column: int):
    """The words with one of them next to what it was: one unit in the last place."""
    words = words.clone()
    names = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}
    words.view(getattr(torch, names[words.element_size()]))[row, column] += 1
    return words


@pytest.mark.parametrize("of_a", FLOATS)
def test_a_conversion_by_torch_is_retyped(pairs, of_a) -> None:
    """Every ordered pair of float types, ties, subnormals, NaN, Inf, either way round."""
    others = [of_b for of_b in FLOATS if of_b != of_a]
    cases = [case for of_b in others for case in conversions(pairs, of_a, of_b)]
    found = iter(statuses_of(pairs, *cases))
    assert {of_b: [next(found) for _ in range(4)] for of_b in others} == {
        of_b: ["retyped", "retyped", "changed", "changed"] for of_b in others
    }


def conversions(pairs, of_a: str, of_b: str):
    """A beside its conversion, both ways round, then the same with one word next to what it was."""
    a = pairs.stored(numbers_of(of_a, of_b), of_a)
    b = converted(pairs, a, of_a, of_b)
    # one unit in the last place of the coarser type is more than rounding
    further_a, further_b = a, b
    if FRACTION[of_b] <= FRACTION[of_a]:
        further_b = next_word(b, 7, 3)
    else:
        further_a = next_word(a, 7, 3)
    return (
        (a, of_a, b, of_b),
        (b, of_b, a, of_a),
        (further_a, of_a, further_b, of_b),
        (further_b, of_b, further_a, of_a),
    )


@pytest.mark.parametrize("of_b", ["BF16", "F16", "F8_E4M3", "F8_E5M2"])
def test_other_roundings_are_changes(pairs, of_b) -> None:
    """Towards zero, and halves away from zero, are not to nearest even."""
    value = decoded(of_b)
    table = np.unique(value[np.isfinite(value) & (np.abs(value) < 4) & (np.abs(value) > 0.1)])
    middle = (table[1:] + table[:-1]) / 2
    x = np.resize(middle, (8, 8))
    to_even = np.resize(pairs.values(pairs.stored(middle, of_b), of_b), (8, 8))
    assert status_of(pairs, torch.from_numpy(x), "F64", pairs.stored(to_even, of_b), of_b) == (
        "retyped"
    )
    below, above = (np.resize(side, (8, 8)) for side in (table[:-1], table[1:]))
    towards_zero = np.where(np.abs(below) < np.abs(above), below, above)
    away = np.where(np.abs(below) < np.abs(above), above, below)
    for rounded in (towards_zero, away):
        b = pairs.stored(rounded, of_b)
        assert status_of(pairs, torch.from_numpy(x), "F64", b, of_b) == "changed"


@pytest.mark.parametrize("dtype", FLOATS)
def test_within_one_type_words_are_compared(pairs, dtype) -> None:
    """The same, NaN included; one unit, another NaN payload, -0 for 0: changed."""
    x = numbers_of(dtype, dtype)
    a = pairs.stored(x, dtype)
    assert status_of(pairs, a, dtype, a.clone(), dtype) == "same"
    assert status_of(pairs, a, dtype, next_word(a, 7, 3), dtype) == "changed"
    if not dtype.endswith("FNUZ"):  # which have one NaN and no -0
        minus = pairs.stored(np.where(x == 0, -x, x), dtype)
        assert status_of(pairs, a, dtype, minus, dtype) == "changed"
        payload = a.clone()
        payload[7, 2] = a.neg()[7, 2] if a.dtype != torch.uint8 else a[7, 2] ^ 0x80
        of_payload = pairs.values(payload, dtype)
        assert np.array_equal(of_payload, pairs.values(a, dtype), equal_nan=True)
        assert status_of(pairs, a, dtype, payload, dtype) == "changed"


def test_zero_of_another_type_has_no_sign(pairs) -> None:
    """A type of integers, or an F8 without -0, cannot hold it: equal values are retyped."""
    minus, zero = pairs.stored(np.full((2, 4), -0.0), "F32"), torch.zeros(2, 4, dtype=torch.int32)
    assert status_of(pairs, minus, "F32", zero, "I32") == "retyped"
    assert status_of(pairs, zero, "I32", minus.bfloat16(), "BF16") == "retyped"
    assert status_of(pairs, minus, "F32", zero.bfloat16(), "BF16") == "retyped"


INTEGERS = ["I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8"]


def words(dtype: str, values) -> torch.Tensor:
    """Integers in the storage type of an integer type."""
    kind = DTYPES[dtype]
    unsigned = "u" if kind.kind in ("uint", "bool") else ""
    array = np.asarray(values).astype(f"{unsigned}int{kind.bits}")
    return torch.from_numpy(array.copy()).view(getattr(torch, kind.store))


@pytest.mark.parametrize("of_a", INTEGERS)
def test_integers_are_retyped_where_their_values_are_equal(pairs, of_a) -> None:
    """Other widths, signs and float types; one number off is changed."""
    values = np.arange(24).reshape(4, 6)
    largest = 2 ** (DTYPES[of_a].bits - 1)  # negative if its word is read with another sign
    others = ("F32", "F64", "I64", "U32", "I8", "U8")
    a = words(of_a, values)
    equal = [(a, of_a, _of_type(pairs, of_b, values), of_b) for of_b in others]
    expected = ["same" if of_a == of_b else "retyped" for of_b in others]
    assert statuses_of(pairs, *equal) == expected
    moved = np.where(values == 23, 22, values)
    changed = [(a, of_a, _of_type(pairs, of_b, moved), of_b) for of_b in others]
    assert statuses_of(pairs, *changed) == ["changed"] * len(others)
    if of_a.startswith("U"):
        a = words(of_a, np.full((2, 2), largest, np.uint64))
        for sign, expected in ((1, "retyped"), (-1, "changed")):
            b = torch.full((2, 2), sign * float(largest), dtype=torch.float64)
            assert status_of(pairs, a, of_a, b, "F64") == expected


def _of_type(pairs, dtype, values):
    return pairs.stored(values, dtype) if dtype in pairs.TYPES else words(dtype, values)


def test_flags_are_compared_by_their_bytes_and_as_numbers(pairs) -> None:
    """BOOL beside BOOL by bytes, beside another type as 0 and 1."""
    flags = words("BOOL", [[0, 1, 1, 0], [1, 1, 0, 0]])
    assert status_of(pairs, flags, "BOOL", flags.clone(), "BOOL") == "same"
    assert status_of(pairs, flags, "BOOL", 1 - flags, "BOOL") == "changed"
    assert status_of(pairs, flags, "BOOL", flags.clone(), "U8") == "retyped"
    assert status_of(pairs, flags, "BOOL", flags.float(), "F32") == "retyped"
    assert status_of(pairs, flags, "BOOL", 2 * flags, "U8") == "changed"


def test_codes_of_four_bits(pairs) -> None:
    """F4 beside F4 by codes; beside a float type by value."""
    codes = torch.arange(16, dtype=torch.uint8).view(2, 8)
    values = torch.from_numpy(decoded("F4")[codes.numpy()])
    assert status_of(pairs, codes, "F4", codes.clone(), "F4") == "same"
    assert status_of(pairs, codes, "F4", codes ^ 1, "F4") == "changed"
    for dtype in ("F64", "BF16", "F8_E4M3"):
        other = pairs.stored(values, dtype)
        assert status_of(pairs, codes, "F4", other, dtype) == "retyped"
        assert status_of(pairs, other, dtype, codes, "F4") == "retyped"
        assert status_of(pairs, codes ^ 1, "F4", other, dtype) == "changed"


def test_of_one_changed_element_a_patch_holds_the_element(pairs) -> None:
    """Element bytes and an index of 4; the row is in the note."""
    a = torch.zeros(30, 20)
    b = a.clone()
    b[7, 3] = 1
    found = pairs.columns(CHANGED, a, "F32", b, "F32")
    assert (found.changed_share, found.changed_rows, found.delta_bytes) == (1 / 600, 1, 4 + 4)
    assert found.noted["changed-lines"].text == "changed rows: 7"
    found = pairs.columns(CHANGED, a.bfloat16(), "BF16", b.bfloat16(), "BF16")
    assert found.delta_bytes == 2 + 4


def test_of_changed_rows_a_patch_holds_the_rows(pairs) -> None:
    """Row bytes and an index of 4, where that is less than the elements."""
    a = torch.zeros(30, 20)
    b = a.clone()
    b[[2, 3, 9]] = 1
    found = pairs.columns(CHANGED, a, "F32", b, "F32")
    assert (found.changed_share, found.changed_rows) == (0.1, 3)
    assert found.delta_bytes == 3 * (20 * 4 + 4)
    assert found.noted["changed-lines"].text == "changed rows: 2:4, 9"


def test_of_a_tensor_that_changed_everywhere_a_patch_is_b(pairs) -> None:
    """All bytes of B in its own type, and no list of rows."""
    a = torch.zeros(30, 20)
    for dtype, size in (("F32", 4), ("BF16", 2), ("F8_E4M3", 1), ("F64", 8)):
        b = pairs.stored(a + 1, dtype)
        found = pairs.columns(CHANGED, a, "F32", b, dtype)
        assert (found.changed_share, found.changed_rows) == (1, 30)
        assert found.delta_bytes == 600 * size
        assert not found.noted


def test_of_equal_tensors_a_patch_is_empty(pairs) -> None:
    """Zeros and no note; nulls of a tensor without elements."""
    found = pairs.columns(CHANGED, torch.ones(3, 4), "F32", torch.ones(3, 4), "F32")
    assert (found.changed_share, found.changed_rows, found.delta_bytes) == (0, 0, 0)
    assert not found.noted
    empty = pairs.columns(CHANGED, torch.ones(0, 4), "F32", torch.ones(0, 4), "F32")
    assert (empty.changed_share, empty.changed_rows, empty.delta_bytes) == (None, None, None)


def test_a_note_has_twenty_ranges_of_rows(pairs) -> None:
    """The first twenty, and the number of rows in the others."""
    a = torch.zeros(200, 3)
    b = a.clone()
    changed = [row for row in range(200) if row % 4 < 2]
    b[changed] = 1
    text = pairs.columns(CHANGED, a, "F32", b, "F32").noted["changed-lines"].text
    assert text.startswith("changed rows: 0:2, 4:6, 8:10, ")
    assert text.endswith(", 76:78 and 60 more")
    assert text.count(":") == RANGES + 1


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([0], "0"),
        ([5, 6], "5:7"),
        (range(0, 40, 2), ", ".join(map(str, range(0, 40, 2)))),
        (range(0, 42, 2), ", ".join(map(str, range(0, 40, 2))) + " and 1 more"),
    ],
)
def test_ranges_are_slices(rows, text) -> None:
    """Half open, as in Python; single rows alone; exactly twenty need no remainder."""
    assert ranges(np.array(rows)) == text


def test_pooled_changes_add(pairs) -> None:
    """Elements, rows and bytes of several tensors; retyped if all are."""
    a = torch.zeros(4, 5)
    b = a.clone()
    b[1] = 2
    several = [(a, "F32", b, "F32"), (a, "F32", a.bfloat16(), "BF16")]
    one, other = (s[labels.CHANGES].forget() for s in pairs.measure(several, {labels.CHANGES}))
    total = one + other
    found = pairs.evaluated(CHANGED, {labels.CHANGES: total})
    assert (found.changed_share, found.changed_rows, found.delta_bytes) == (5 / 40, 1, 24)
    assert not found.noted
    assert (one.retyped, other.retyped, total.retyped) == (False, True, False)
