"""Chosen rows and columns against fancy indexing of numpy: types, both layouts, any box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.checkpoints.entry import Span, Stored, joined, same
from weightscope.checkpoints.views import Chosen, Indices, Part, Transpose
from weightscope.engine.buffers import Buffers
from weightscope.engine.held import read_lines
from weightscope.engine.made import made as made_whole
from weightscope.geometry import TILE, Box, Index, tiles, whole

SIDE = 12
TYPES = {"BF16": torch.bfloat16, "F32": torch.float32, "F8_E4M3": torch.uint8}
BYTES = torch.arange(4 * SIDE * SIDE, dtype=torch.int64).mul(37).remainder(120).to(torch.uint8)


def stored_matrix(dtype: str, m: int, n: int, column_major: bool) -> tuple[Stored, np.ndarray]:
    """A leaf of a file that holds BYTES, and its words as an array."""
    strides = (1, m) if column_major else (n, 1)
    matrix = BYTES.view(TYPES[dtype]).as_strided((m, n), strides)
    return Stored("w", (m, n), dtype, "f", 0, strides), words(matrix)


def words(matrix: torch.Tensor) -> np.ndarray:
    """Stored bits as integers, which are equal for NaN too."""
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32}
    return matrix.view(integers[matrix.element_size()]).numpy()


def made(entry, box: Box) -> np.ndarray:
    """The box from the bytes of its spans alone."""
    loaded = []
    for span in entry.needs(box):
        start, length = span.bytes
        loaded.append(span.typed(BYTES[start : start + length]))
    return words(entry.make(box, tuple(loaded)))


def read(entry, box: Box) -> int:
    """Bytes that a box reads."""
    return sum(span.bytes[1] for span in entry.needs(box))


def numbers(draw, side: int) -> list[int] | None:
    """Any selection of lines: none, repeats, permutations; None is all."""
    kinds = ("all", "any", "permutation", "stride")
    kind = draw(st.sampled_from(kinds))
    if kind == "all":
        return None
    if kind == "permutation":
        return draw(st.permutations(range(side)))
    if kind == "stride":
        return list(range(0, side, draw(st.integers(1, 3))))
    return draw(st.lists(st.integers(0, side - 1), max_size=SIDE))


@settings(max_examples=100, deadline=None)
@given(
    dtype=st.sampled_from(sorted(TYPES)),
    sides=st.tuples(st.integers(1, SIDE), st.integers(1, SIDE)),
    column_major=st.booleans(),
    page=st.sampled_from([1, 16, 4096]),
    data=st.data(),
)
def test_any_box_is_that_of_fancy_indexing(dtype, sides, column_major, page, data) -> None:
    """Any rows and columns, in any order and with repeats, of any type and layout."""
    leaf, matrix = stored_matrix(dtype, *sides, column_major)
    chosen = [numbers(data.draw, side) for side in sides]
    rows, columns = (None if c is None else Indices.of(c) for c in chosen)
    for axis, kept in enumerate(chosen):
        if kept is not None:
            matrix = np.take(matrix, np.array(kept, dtype=int), axis)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weightscope.checkpoints.views.chosen.PAGE", page)
        entry = Chosen(leaf, rows, columns)
        assert (entry.name, entry.dtype, entry.cut) == ("w", dtype, leaf.cut)
        assert entry.shape == matrix.shape
        found = made(entry, whole(entry.shape))
        assert found.shape == matrix.shape
        assert np.array_equal(found, matrix)
        ends = [data.draw(st.tuples(*[st.integers(0, side)] * 2)) for side in matrix.shape]
        box = Box(*(tuple(sorted(pair)) for pair in ends))
        part = matrix[slice(*box.rows), slice(*box.cols)]
        found = made(entry, box)
        assert found.shape == part.shape
        assert np.array_equal(found, part)
        assert np.array_equal(made(Transpose(entry), box.T), part.T)


def test_entries_of_entries() -> None:
    """Rows of a part, of a transpose and of chosen rows."""
    leaf, matrix = stored_matrix("F32", 12, 6, False)
    part = Chosen(Part(leaf, Index(1, 2, 3, 4)), Indices.of([5, 0, 3]), Indices.of([2, 2]))
    of_part = matrix[[1, 2, 5, 6, 9, 10]][[5, 0, 3]][:, [2, 2]]
    assert np.array_equal(made(part, whole(part.shape)), of_part)
    turned = Chosen(Transpose(leaf), Indices.of([4, 1]), Indices.of([9, 3, 0]))
    assert turned.cut == 1
    assert np.array_equal(made(turned, whole(turned.shape)), matrix.T[[4, 1]][:, [9, 3, 0]])
    twice = Chosen(Chosen(leaf, Indices.of([8, 2, 5])), Indices.of([2, 0]))
    assert np.array_equal(made(twice, whole(twice.shape)), matrix[[5, 8]])


@pytest.mark.parametrize("column_major", [False, True])
def test_layouts_stay_as_they_are(column_major: bool) -> None:
    """Column-major matrices come column-major, others row-major, picked across too."""
    tensor = torch.arange(48.0).reshape(8, 6)
    if column_major:
        tensor = tensor.T.contiguous().T
    leaf = Stored("w", (8, 6), "F32", strides=tuple(tensor.stride()), tensor=tensor)
    entry = Chosen(leaf, Indices.of([7, 0, 2]), Indices.of([1, 5, 3, 0]))
    found = entry.make(whole(entry.shape), (tensor,))
    expected = (1, 3) if column_major else (4, 1)
    assert found.stride() == expected


def test_one_range_is_a_view() -> None:
    """Rows and columns that follow each other are not copied."""
    tensor = torch.arange(48.0).reshape(8, 6)
    leaf = Stored("w", (8, 6), "F32", tensor=tensor)
    entry = Chosen(leaf, Indices.of(range(2, 6)), Indices.of(range(1, 3)))
    found = entry.make(whole(entry.shape), (tensor[2:6],))
    assert found.data_ptr() == tensor[2:, 1:].data_ptr()


def test_rows_less_than_a_page_apart_share_a_run() -> None:
    """Every second of 1 KiB rows is one read, every eighth of them reads of their own."""
    leaf = Stored("w", (4096, 256), "F32", "f")
    near = Chosen(leaf, Indices.of(range(0, 4096, 2)))
    assert [(s.first, s.last) for s in near.needs(whole(near.shape))] == [(0, 4095)]
    far = Chosen(leaf, Indices.of(range(0, 4096, 8)))
    assert len(far.needs(whole(far.shape))) == 512
    assert read(far, whole(far.shape)) == 512 * 1024
    back = Chosen(leaf, Indices.of(range(4094, -1, -2)))
    assert len(back.needs(whole(back.shape))) == 1


def test_rows_of_one_tile_share_a_run_in_any_order() -> None:
    """A small matrix is read once; in a large one each row of a permutation is its own run."""
    order = Indices.of([6, 0, 3])
    small = Chosen(Stored("w", (64, 256), "F32", "f"), order)
    assert len(small.needs(whole(small.shape))) == 1
    large = Chosen(Stored("w", (4096, 256), "F32", "f"), order)
    assert len(large.needs(whole(large.shape))) == 3


@pytest.mark.parametrize("order", ["ascending", "descending", "permuted"])
@pytest.mark.parametrize("column_major", [False, True])
def test_the_tiles_of_any_order_read_no_byte_twice(order: str, column_major: bool) -> None:
    """The bytes of all tiles together are at most those of the file."""
    lines, length = 4096, 512  # 4 tiles
    strides = (1, length) if column_major else (length, 1)
    shape = (length, lines) if column_major else (lines, length)
    leaf = Stored("w", shape, "BF16", "f", 0, strides)
    kept = np.arange(0, lines, 2)
    if order == "descending":
        kept = kept[::-1]
    if order == "permuted":
        kept = np.random.default_rng(0).permutation(lines)
    chosen = Indices.of(kept)
    entry = Chosen(leaf, None, chosen) if column_major else Chosen(leaf, chosen)
    boxes = tiles(whole(entry.shape), entry.cut)
    assert len(boxes) > 1
    assert sum(read(entry, box) for box in boxes) <= leaf.nbytes
    assert sum(span.bytes[1] for span in joined(entry.needs(whole(entry.shape)))) <= leaf.nbytes


def test_a_permuted_vector_is_one_read() -> None:
    """Elements of two bytes are not read one by one, whatever their order."""
    leaf = Stored("b", (10_000,), "BF16", "f")
    order = np.random.default_rng(0).permutation(10_000)[:5000]
    entry = Chosen(leaf, None, Indices.of(order))
    assert len(entry.needs(whole(entry.shape))) == 1
    long = Stored("b", (2 * TILE,), "BF16", "f")
    order = np.random.default_rng(0).permutation(2 * TILE)
    assert len(Chosen(long, None, Indices.of(order)).needs(Box((0, 1), (0, 1000)))) <= 513


def test_a_held_unit_and_made_values_are_those_of_the_entry(tmp_path) -> None:
    """The engine holds the stored lines of a permutation once, or its values."""
    words_ = torch.arange(2048 * 512, dtype=torch.int16).reshape(2048, 512)
    path = tmp_path / "f"
    path.write_bytes(words_.numpy().tobytes())
    leaf = Stored("w", (2048, 512), "I16", str(path))
    order = np.random.default_rng(1).permutation(2048)
    entry = Chosen(leaf, Indices.of(order), Indices.of(range(0, 512, 2)))
    expected = words_.numpy()[order][:, ::2]
    counted: list[int] = []
    values = made_whole(entry, Buffers("cpu"), counted.append, TILE).values
    assert np.array_equal(values.numpy(), expected)
    assert sum(counted) == leaf.nbytes
    counted.clear()
    held = read_lines([entry, leaf], Buffers("cpu"), counted.append)
    box = Box((100, 140), (3, 200))
    found = entry.make(box, tuple(held.of(span) for span in entry.needs(box)))
    assert np.array_equal(found.numpy(), expected[100:140, 3:200])
    assert sum(counted) == leaf.nbytes
    apart = Chosen(leaf, Indices.of(range(0, 2048, 16)))
    runs = read_lines([apart, apart], Buffers("cpu"), counted.append)
    assert len(runs.runs[leaf]) == 128
    found = apart.make(box, tuple(runs.of(span) for span in apart.needs(box)))
    assert np.array_equal(found.numpy(), words_.numpy()[::16][100:140, 3:200])
    with pytest.raises(KeyError):
        runs.of(Span(leaf, 1, 2))


def test_indices_are_equal_by_content() -> None:
    """Equal numbers are one key of a table; order counts, and nobody can change them."""
    one, other = Indices.of([3, 1, 2]), Indices.of(np.array([3, 1, 2], dtype=np.int32))
    assert one == other
    assert hash(one) == hash(other)
    assert one != Indices.of([1, 2, 3])
    assert one != (3, 1, 2)
    leaf = Stored("w", (4, 2), "F32", "f")
    assert same(Chosen(leaf, one), Chosen(leaf, other))
    assert not same(Chosen(leaf, one), Chosen(replace(leaf, offset=8), other))
    assert not same(Chosen(leaf, one), Chosen(leaf, None, Indices.of([1, 0])))
    assert len({Chosen(leaf, one), Chosen(leaf, other)}) == 1
    with pytest.raises(ValueError, match="read-only"):
        one.values[0] = 7


@pytest.mark.parametrize("wrong", [[0, 4], [-1]])
def test_lines_beyond_the_matrix_are_refused(wrong: list[int]) -> None:
    """They would be bytes of the tensor after it."""
    with pytest.raises(IndexError, match="of 4"):
        Chosen(Stored("w", (4, 2), "F32", "f"), Indices.of(wrong))
