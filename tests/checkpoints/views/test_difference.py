"""The view B - A against numpy float64: all stored types, both layouts, any box."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.checkpoints.entry import Stored, lines_in_memory
from weightscope.checkpoints.views import Difference, Part, Transpose, difference
from weightscope.checkpoints.views.values import is_mirrored, laid_out
from weightscope.dtypes import DTYPES, decoded
from weightscope.geometry import Box, Index, whole

TYPES = sorted(name for name, dtype in DTYPES.items() if dtype.kind != "none")
SHAPE = (6, 5)


def held(dtype: str, column_major: bool, seed: int) -> tuple[Stored, np.ndarray]:
    """A leaf with random words in memory, and its values in float64."""
    rng = np.random.default_rng(seed)
    kind = DTYPES[dtype]
    store = getattr(torch, kind.store)
    if kind.kind == "float":
        tensor = torch.from_numpy(rng.standard_normal(SHAPE)).to(store)
        real = tensor.double().numpy()
    elif kind.narrow:
        words = rng.integers(0, 1 << kind.bits, SHAPE)
        real = decoded(dtype)[words]
        tensor = torch.from_numpy(words.astype("uint16" if kind.bits == 16 else "uint8"))
        tensor = tensor.view(store)
    else:
        signed = torch.from_numpy(rng.integers(-(1 << 31), 1 << 31, SHAPE)).to(store)
        real = signed.double().numpy()
        if kind.kind == "uint":
            real = np.where(real < 0, real + 2.0**kind.bits, real)
        tensor = signed
    if column_major:
        tensor = tensor.T.contiguous().T
    return Stored("w", SHAPE, dtype, strides=tuple(tensor.stride()), tensor=tensor), real


def made(entry, box: Box) -> torch.Tensor:
    """make on the lines that it needs."""
    return entry.make(box, tuple(lines_in_memory(span) for span in entry.needs(box)))


@settings(max_examples=150, deadline=None)
@given(
    types=st.tuples(st.sampled_from(TYPES), st.sampled_from(TYPES)),
    layouts=st.tuples(st.booleans(), st.booleans()),
    data=st.data(),
)
def test_every_box_is_that_of_b_minus_a(types, layouts, data) -> None:
    """All pairs of types and layouts, in the layout of A, and nothing is written into the terms."""
    (a, of_a), (b, of_b) = (held(types[i], layouts[i], i) for i in range(2))
    before = a.tensor.clone(), b.tensor.clone()
    entry = difference(a, b)
    narrow = all(t == "F32" or DTYPES[t].narrow for t in types)
    assert (entry.shape, entry.name, entry.cut) == (SHAPE, "w", a.cut)
    assert entry.dtype == ("F32" if narrow else "F64")
    with np.errstate(invalid="ignore"):
        real = np.float32 if narrow else np.float64
        expected = of_b.astype(real) - of_a.astype(real)
    found = made(entry, whole(SHAPE)).numpy()
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected, equal_nan=True)
    assert is_mirrored(torch.from_numpy(found)) == layouts[0]
    rows, cols = (
        tuple(sorted(data.draw(st.tuples(*[st.integers(0, side)] * 2)))) for side in SHAPE
    )
    part = made(entry, Box(rows, cols)).numpy()
    assert np.array_equal(part, found[slice(*rows), slice(*cols)], equal_nan=True)
    bits = torch.uint8
    assert torch.equal(a.tensor.contiguous().view(bits), before[0].contiguous().view(bits))
    assert torch.equal(b.tensor.contiguous().view(bits), before[1].contiguous().view(bits))


@pytest.mark.parametrize("layouts", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("types", [("F32", "F32"), ("BF16", "F16"), ("F64", "F32"), ("BF16", "I8")])
def test_a_buffer_of_the_caller_gets_the_same_differences(types, layouts) -> None:
    """Bit for bit and in the same layout; floats are written into it, other types are not."""
    (a, _), (b, _) = (held(types[i], layouts[i], i) for i in range(2))
    before = a.tensor.clone(), b.tensor.clone()
    entry = difference(a, b)
    box = Box((1, 5), (0, 4))
    taken = []

    def take(shape, dtype):
        taken.append(torch.full(shape, 7.0, dtype=dtype))
        return taken[-1]

    stored = tuple(lines_in_memory(span) for span in entry.needs(box))
    found = entry.make_into(box, stored, take)
    expected = made(entry, box)
    assert found.dtype == expected.dtype
    assert torch.equal(found, expected)
    assert is_mirrored(found) == is_mirrored(expected)
    assert len(taken) == (types[1] != "I8")
    assert all(found.data_ptr() == buffer.data_ptr() for buffer in taken)
    assert torch.equal(a.tensor, before[0])
    assert torch.equal(b.tensor, before[1])


def test_narrow_types_are_not_rounded() -> None:
    """1.0 and its upper neighbour in bf16 less 2^-20: a bf16 difference would lose it."""
    a = Stored("w", (1, 1), "BF16", tensor=torch.tensor([[2.0**-20]]).bfloat16())
    b = Stored("w", (1, 1), "BF16", tensor=torch.tensor([[1.0]]).bfloat16())
    assert made(difference(a, b), whole((1, 1))).item() == 1 - 2.0**-20


def test_views_of_files_need_the_spans_of_both() -> None:
    """A's first, then B's: rows of one, columns of the other."""
    a = Stored("a", SHAPE, "F32", "f")
    b = Stored("b", SHAPE[::-1], "F32", "g")
    entry = Difference(Part(a, Index(1, 2)), Part(Transpose(b), Index(1, 2)))
    spans = entry.needs(Box((0, 2), (0, 5)))
    lines = [(span.leaf.name, span.first, span.last) for span in spans]
    assert lines == [("a", 1, 3), ("b", 0, 5)]


@pytest.mark.parametrize("like", [False, True])
@pytest.mark.parametrize("other", [False, True])
def test_a_matrix_takes_the_layout_of_another(like, other) -> None:
    """Equal values; a matrix of that layout stays itself."""
    x = torch.arange(6).reshape(2, 3)
    y = torch.arange(6).reshape(3, 2).T
    one, two = (y if like else x), (y if other else x)
    found = laid_out(one, two)
    assert torch.equal(found, one)
    assert is_mirrored(found) == other
    assert (found is one) == (like == other)
