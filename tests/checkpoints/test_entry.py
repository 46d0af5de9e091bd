"""The law of entries, make(box) == make(whole)[box], for stored tensors, and bytes needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.checkpoints.entry import Span, Stored, lines_in_memory
from weightscope.dtypes import DTYPES
from weightscope.geometry import Box, whole

STORAGE = torch.arange(6000, dtype=torch.int32)
BYTES = STORAGE.numpy().tobytes()


def load(spans: tuple[Span, ...], file: bytes = BYTES) -> tuple[torch.Tensor, ...]:
    """What the engine would hand to make: typed bytes of a file, or lines of a tensor in memory."""
    read = []
    for span in spans:
        offset, length = span.bytes
        if span.leaf.tensor is None:
            assert 0 <= offset <= offset + length <= len(file)
            read.append(
                span.typed(
                    torch.frombuffer(bytearray(file[offset : offset + length]), dtype=torch.uint8)
                    if length
                    else torch.empty(0, dtype=torch.uint8)
                )
            )
        else:
            read.append(lines_in_memory(span))
    return tuple(read)


def made(entry, box: Box, file: bytes = BYTES) -> torch.Tensor:
    return entry.make(box, load(entry.needs(box), file))


layouts = st.sampled_from(
    [
        "plain",
        "transposed",
        "stepped",
        "expanded rows",
        "expanded columns",
        "kernel",
        "turned kernel",
    ]
)


def laid_out(
    layout: str, m: int, n: int, offset: int
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """dims and strides of a tensor in the storage."""
    return {
        "plain": ((m, n), None),
        "transposed": ((m, n), (1, m)),
        "stepped": ((m, n), (2 * n + 1, 2)),
        "expanded rows": ((m, n), (0, 1)),
        "expanded columns": ((m, n), (1, 0)),
        "kernel": ((m, n, 2, 2), None),
        "turned kernel": ((m, n, 2, 2), (4 * n, 1, n, 2 * n)),
    }[layout]


@settings(max_examples=150, deadline=None)
@given(
    layout=layouts,
    m=st.integers(1, 12),
    n=st.integers(1, 12),
    offset=st.integers(0, 50),
    memory=st.booleans(),
    data=st.data(),
)
def test_a_box_is_the_box_of_the_whole(layout, m, n, offset, memory, data) -> None:
    """Transposed, stepped, expanded and offset views, kernels, in a file and in memory."""
    dims, strides = laid_out(layout, m, n, offset)
    tensor = STORAGE.as_strided(dims, strides or torch.empty(dims).stride(), offset)
    entry = Stored("w", dims, "I32", "f", 4 * offset, strides, tensor=tensor if memory else None)
    expected = tensor.reshape(m, -1)
    assert entry.shape == tuple(expected.shape)
    assert torch.equal(made(entry, whole(entry.shape)), expected)
    r0, r1 = sorted(data.draw(st.tuples(*[st.integers(0, entry.shape[0])] * 2)))
    c0, c1 = sorted(data.draw(st.tuples(*[st.integers(0, entry.shape[1])] * 2)))
    assert torch.equal(made(entry, Box((r0, r1), (c0, c1))), expected[r0:r1, c0:c1])


@pytest.mark.parametrize(
    ("dims", "shape"),
    [
        ((), (1, 1)),
        ((7,), (1, 7)),
        ((3, 4), (3, 4)),
        ((2, 3, 4, 5), (2, 60)),
        ((0,), (1, 0)),
        ((0, 3), (0, 3)),
    ],
)
def test_every_tensor_is_a_matrix(dims, shape) -> None:
    """A scalar is 1 x 1, a vector 1 x n, a kernel its first side by the rest; empty: no byte."""
    entry = Stored("w", dims, "I32", "f")
    assert entry.shape == shape
    values = made(entry, whole(shape))
    assert tuple(values.shape) == shape
    assert torch.equal(values.flatten(), STORAGE[: entry.params])


def test_only_the_lines_of_a_box_are_read() -> None:
    """Rows of a row-major matrix, columns of a column-major one, elements of a vector."""
    box = Box((2, 4), (0, 10))
    assert Stored("w", (10, 10), "F32", "f", 100).needs(box)[0].bytes == (100 + 80, 80)
    assert Stored("w", (10, 10), "F32", "f", 100, (1, 10)).needs(box.T)[0].bytes == (100 + 80, 80)
    assert Stored("w", (10,), "F32", "f", 100).needs(Box((0, 1), (2, 5)))[0].bytes == (108, 12)


@pytest.mark.parametrize("dtype", ["I16", "I32", "I64", "F32", "F64", "F16", "BF16"])
def test_big_endian_bytes_are_turned(dtype) -> None:
    """The same numbers whichever way round they lie."""
    width = DTYPES[dtype].bits // 8
    native = np.arange(1, 25, dtype=f"i{width}").reshape(4, 6)
    entry = Stored("w", (4, 6), dtype, "f", swapped=True)
    box = Box((1, 3), (2, 5))
    found = made(entry, box, native.astype(f">i{width}").tobytes())
    expected = made(replace(entry, swapped=False), box, native.tobytes())
    assert found.dtype == getattr(torch, DTYPES[dtype].store)
    assert torch.equal(
        found.contiguous().view(torch.uint8), expected.contiguous().view(torch.uint8)
    )


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("dtype", ["I8", "U8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64"])
def test_negated_bytes_are_the_negatives(dtype, swapped) -> None:
    """What torch would negate when it resolves the bit is negated after the bytes are in order."""
    entry = Stored("w", (3, 4), dtype, "f", swapped=swapped)
    file = (
        np.random.default_rng(1).integers(0, 60, 12 * DTYPES[dtype].bits // 8, np.uint8).tobytes()
    )
    box = Box((1, 3), (0, 3))
    found = made(replace(entry, negated=True), box, file)
    assert found.dtype == getattr(torch, DTYPES[dtype].store)
    assert torch.equal(found, -made(entry, box, file))


@given(m=st.integers(1, 6), n=st.integers(1, 9), data=st.data())
def test_half_byte_codes_come_low_nibble_first(m, n, data) -> None:
    """Rows that begin in the middle of a byte included."""
    codes = np.random.default_rng(m * n).integers(0, 16, m * n, np.uint8)
    padded = np.append(codes, [0] * (len(codes) % 2)).astype(np.uint8)
    packed = (padded[0::2] | padded[1::2] << 4).tobytes()
    r0, r1 = sorted(data.draw(st.tuples(*[st.integers(0, m)] * 2)))
    entry = Stored("w", (m, n), "F4", "f")
    assert entry.nbytes == len(packed)
    assert np.array_equal(
        made(entry, Box((r0, r1), (0, n)), packed).numpy(), codes.reshape(m, n)[r0:r1]
    )


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("F8_E4M3", torch.float8_e4m3fn),
        ("BOOL", torch.bool),
        ("U16", torch.uint16),
        ("U32", torch.uint32),
        ("U64", torch.uint64),
        ("BF16", torch.bfloat16),
        ("I8", torch.int8),
    ],
)
def test_tensors_in_memory_come_in_their_storage_type(dtype, kind) -> None:
    """What torch can hardly compute with is seen as the words that it is stored in."""
    tensor = torch.tensor([[0, 1, 1], [1, 0, 1]]).float().to(kind)
    entry = Stored("w", (2, 3), dtype, tensor=tensor)
    found = made(entry, Box((1, 2), (0, 3)))
    assert found.dtype == getattr(torch, DTYPES[dtype].store)
    assert torch.equal(found, tensor.view(found.dtype)[1:2])


def test_gradients_stay_behind() -> None:
    """Parameters are looked at, not differentiated."""
    entry = Stored("w", (2, 2), "F32", tensor=torch.nn.Parameter(torch.ones(2, 2)))
    assert not made(entry, whole((2, 2))).requires_grad
