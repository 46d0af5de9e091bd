"""The law of entries for entries made of entries, against plain indexing of numpy arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.checkpoints.entry import Stored, lines_in_memory
from weightscope.checkpoints.views import OutputsFirst, Part, Product, Transpose, expert
from weightscope.errors import Unmeasured
from weightscope.geometry import Box, Index, whole

DATA = torch.arange(4000, dtype=torch.float64)


def made(entry, box: Box) -> torch.Tensor:
    """make on spans read from DATA's bytes or from memory."""
    read = []
    for span in entry.needs(box):
        offset, length = span.bytes
        raw = torch.frombuffer(
            bytearray(DATA.numpy().tobytes()[offset : offset + length]) or bytearray(1),
            dtype=torch.uint8,
        )
        read.append(
            lines_in_memory(span) if span.leaf.tensor is not None else span.typed(raw[:length])
        )
    return entry.make(box, tuple(read))


def leaf(m: int, n: int, transposed: bool = False, at: int = 0) -> tuple[Stored, np.ndarray]:
    """A stored matrix and what it holds."""
    strides = (1, m) if transposed else None
    held = DATA.as_strided((m, n), strides or (n, 1), at).numpy()
    return Stored("w", (m, n), "F64", "f", 8 * at, strides), held


def boxes(draw, shape: tuple[int, int]) -> Box:
    spans = [tuple(sorted(draw(st.tuples(*[st.integers(0, side)] * 2)))) for side in shape]
    return Box(*spans)


@st.composite
def built(draw) -> tuple[object, np.ndarray]:
    """A leaf wrapped up to three deep, and the array that it stands for."""
    entry, held = leaf(
        draw(st.integers(1, 12)),
        draw(st.integers(1, 12)),
        draw(st.booleans()),
        draw(st.integers(0, 9)),
    )
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            entry, held = Transpose(entry), held.T
            continue
        rows = held.shape[0]
        length = draw(st.integers(1, rows))
        groups = draw(st.integers(1, rows // length))
        period = (
            draw(st.integers(length, (rows - length) // max(groups - 1, 1))) if groups > 1 else 0
        )
        start = draw(st.integers(0, rows - length - (groups - 1) * period))
        index = Index(start, length, groups, period)
        picked = np.concatenate([np.arange(length) + start + g * period for g in range(groups)])
        entry, held = Part(entry, index), held[picked]
    return entry, held


@settings(max_examples=150, deadline=None)
@given(pair=built(), data=st.data())
def test_parts_and_transposes_of_each_other_obey_the_law(pair, data) -> None:
    """Any nesting of transposes and index sets, any box."""
    entry, held = pair
    assert entry.shape == held.shape
    assert entry.name == "w"
    assert entry.dtype == "F64"
    assert np.array_equal(made(entry, whole(entry.shape)).numpy(), held)
    box = boxes(data.draw, entry.shape)
    assert np.array_equal(made(entry, box).numpy(), held[slice(*box.rows), slice(*box.cols)])


def test_a_part_reads_its_rows_only() -> None:
    """q of a fused qkv costs the bytes of q."""
    entry = Part(leaf(12, 10)[0], Index(0, 2, 2, 6))
    assert [s.bytes for s in entry.needs(whole(entry.shape))] == [(0, 160), (480, 160)]


def test_a_part_in_runs_keeps_the_layout() -> None:
    """Rows of a column-major matrix, from several runs, come column-major."""
    stored, held = leaf(6, 4, transposed=True)
    found = made(Part(stored, Index(0, 1, 3, 2)), whole((3, 4)))
    assert np.array_equal(found.numpy(), held[::2])
    assert found.stride() == (1, 3)


def test_a_transpose_is_cut_the_other_way() -> None:
    """Its cheap lines are the columns."""
    assert (
        leaf(3, 4)[0].cut,
        Transpose(leaf(3, 4)[0]).cut,
        Transpose(leaf(3, 4, True)[0]).cut,
    ) == (0, 1, 0)


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("strides", [None, (1, 4, 12)])
def test_one_expert_is_a_leaf_of_its_own(memory, strides) -> None:
    """Matrix e of a stack, and no byte of the others where they lie apart."""
    held = DATA.as_strided((4, 3, 5), strides or (15, 5, 1))
    stack = Stored("w", (4, 3, 5), "F64", "f", 0, strides, tensor=held if memory else None)
    for e in range(4):
        one = expert(stack, e)
        assert one.shape == (3, 5)
        assert torch.equal(made(one, whole((3, 5))), held[e])
        assert torch.equal(made(one, Box((1, 3), (2, 4))), held[e, 1:3, 2:4])


def test_an_expert_in_the_middle_of_a_byte_is_not_measured() -> None:
    """Half-byte matrices of an odd size begin between two bytes."""
    stack = Stored("w", (2, 3, 3), "F4", "f")
    assert expert(stack, 0).offset == 0
    with pytest.raises(
        Unmeasured,
        match="begins on a whole byte; half-byte elements and 9 to an expert; pad the rows",
    ):
        expert(stack, 1)


@given(m=st.integers(1, 7), n=st.integers(1, 7), r=st.integers(1, 3), data=st.data())
def test_a_product_is_the_scaled_product_of_its_factors(m, n, r, data) -> None:
    """scale * B A, box by box, in float64 for float64 factors."""
    (b, held_b), (a, held_a) = leaf(m, r, at=5), leaf(r, n, at=300)
    entry = Product(b, a, 0.5)
    expected = 0.5 * held_b @ held_a
    assert entry.shape == (m, n)
    box = boxes(data.draw, entry.shape)
    assert np.allclose(
        made(entry, box).numpy(), expected[slice(*box.rows), slice(*box.cols)], rtol=1e-12
    )


def test_a_product_of_narrow_factors_is_float32() -> None:
    """Its values lie on no bf16 grid."""
    factors = [Stored("x", d, "BF16", tensor=torch.randn(d).bfloat16()) for d in ((6, 2), (2, 5))]
    entry = Product(*factors, 2.0)
    found = made(entry, whole((6, 5)))
    expected = 2 * factors[0].tensor.double() @ factors[1].tensor.double()
    assert (entry.dtype, found.dtype) == ("F32", torch.float32)
    assert torch.equal(found, expected.float())
    assert Transpose(entry).shape == (5, 6)
    assert (entry.name, entry.cut, Transpose(entry).cut) == ("x", 0, 1)


@settings(max_examples=80, deadline=None)
@given(
    groups=st.integers(1, 3),
    into=st.integers(1, 3),
    out=st.integers(1, 3),
    kernel=st.integers(1, 5),
    data=st.data(),
)
def test_outputs_first_is_the_weight_of_an_ordinary_convolution(
    groups, into, out, kernel, data
) -> None:
    """(in, out / groups, k) as (out, in / groups * k): output o of group g has the inputs of g."""
    held = DATA.as_strided((groups * into, out, kernel), (out * kernel, kernel, 1), 7)
    stored = Stored("w", (groups * into, out, kernel), "F64", "f", 56)
    entry = OutputsFirst(stored, kernel, groups)
    each = [held[g * into : (g + 1) * into].transpose(0, 1).reshape(out, -1) for g in range(groups)]
    expected = torch.cat(each)
    assert (entry.name, entry.dtype, entry.cut) == ("w", "F64", 1)
    assert entry.shape == tuple(expected.shape)
    assert torch.equal(made(entry, whole(entry.shape)), expected)
    box = boxes(data.draw, entry.shape)
    found = made(entry, box)
    assert torch.equal(found, expected[slice(*box.rows), slice(*box.cols)])
    assert torch.equal(made(Transpose(entry), box.T), found.mT)


def test_outputs_first_of_a_tensor_in_memory_that_lies_otherwise() -> None:
    """Strides of the stored tensor do not matter."""
    held = torch.arange(24.0).reshape(2, 4, 3).transpose(0, 2)
    stored = Stored("w", (3, 4, 2), "F32", strides=tuple(held.stride()), tensor=held)
    expected = held.transpose(0, 1).reshape(4, 6)
    assert torch.equal(made(OutputsFirst(stored, 2), whole((4, 6))), expected)


def test_outputs_first_reads_the_channels_of_a_box() -> None:
    """Two columns inside of one kernel cost one input channel of eight."""
    entry = OutputsFirst(Stored("w", (8, 5, 4), "F64", "f"), 4)
    (span,) = entry.needs(Box((0, 5), (9, 11)))
    assert (span.first, span.last, span.bytes) == (2, 3, (2 * 160, 160))
