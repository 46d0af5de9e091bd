"""Heads whose rows are interleaved, shown in halves, against the conversion in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.checkpoints.entry import Stored, joined
from weightscope.checkpoints.views import Halves, Part, Transpose
from weightscope.geometry import Box, Index, whole

DATA = torch.arange(2000, dtype=torch.float64)


def stored_matrix(m: int, n: int, column_major: bool) -> tuple[Stored, np.ndarray]:
    """A leaf of a file whose elements are their positions in it, and the matrix."""
    strides = (1, m) if column_major else (n, 1)
    leaf = Stored("w", (m, n), "F64", "f", 0, strides)
    return leaf, DATA.as_strided((m, n), strides).numpy()


def made(entry, box: Box) -> np.ndarray:
    """The box from the bytes of its spans alone."""
    raw = DATA.view(torch.uint8)
    loaded = []
    for span in entry.needs(box):
        start, length = span.bytes
        loaded.append(span.typed(raw[start : start + length]))
    return entry.make(box, tuple(loaded)).numpy()


def in_halves(weight: np.ndarray, heads: int) -> np.ndarray:
    """transformers' conversion of Meta's checkpoints: `permute` of its script for Llama."""
    rows, columns = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


@settings(max_examples=60, deadline=None)
@given(
    heads=st.integers(1, 4),
    half=st.integers(1, 4),
    n=st.integers(1, 5),
    column_major=st.booleans(),
    data=st.data(),
)
def test_any_box_has_the_rows_of_the_conversion(heads, half, n, column_major, data) -> None:
    """Boxes begin and end anywhere in a head, of either layout, and read no byte twice."""
    leaf, matrix = stored_matrix(2 * heads * half, n, column_major)
    entry, expected = Halves(leaf, 2 * half), in_halves(matrix, heads)
    assert (entry.name, entry.dtype, entry.shape, entry.cut) == ("w", "F64", leaf.shape, leaf.cut)
    assert np.array_equal(made(entry, whole(entry.shape)), expected)
    rows, cols = (
        tuple(sorted(data.draw(st.tuples(*[st.integers(0, side)] * 2)))) for side in leaf.shape
    )
    box = Box(rows, cols)
    part = expected[slice(*rows), slice(*cols)]
    found = made(entry, box)
    assert found.shape == part.shape
    assert np.array_equal(found, part)
    assert np.array_equal(made(Transpose(entry), box.T), part.T)
    if leaf.cut == 0:
        read = sum(span.bytes[1] for span in joined(entry.needs(box)))
        assert read == 8 * n * (rows[1] - rows[0])


def test_whole_heads_are_read_at_once() -> None:
    """A box of heads is one span; one that ends in a head has the rows of its beginning."""
    leaf, _ = stored_matrix(12, 2, False)
    entry = Halves(leaf, 4)
    spans = [(s.first, s.last) for s in entry.needs(Box((4, 12), (0, 2)))]
    assert spans == [(4, 12)]
    spans = [(s.first, s.last) for s in entry.needs(Box((0, 6), (0, 2)))]
    assert spans == [(0, 4), (4, 5), (6, 7)]


@pytest.mark.parametrize("column_major", [False, True])
def test_layouts_stay_as_they_are(column_major: bool) -> None:
    """Column-major matrices come column-major."""
    leaf, _ = stored_matrix(8, 3, column_major)
    loaded = leaf.make(whole((8, 3)), (DATA[:24],))
    found = Halves(leaf, 4).make(whole((8, 3)), (DATA[:24],))
    assert found.stride() == loaded.stride()


def test_vectors_and_parts() -> None:
    """The rows of a vector are its elements; a part of a fused matrix has heads of its own."""
    vector = Stored("b", (8,), "F64", "f")
    entry = Transpose(Halves(Transpose(vector), 4))
    expected = in_halves(DATA[:8].numpy()[:, None], 2).T
    assert np.array_equal(made(entry, whole((1, 8))), expected)
    leaf, matrix = stored_matrix(12, 2, False)
    part = Halves(Part(leaf, Index(4, 8)), 4)
    assert np.array_equal(made(part, whole((8, 2))), in_halves(matrix[4:], 2))
