"""The view g * v / |v| against torch's own weight norm, box by box, in a file and in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.checkpoints.entry import Stored, lines_in_memory
from weightscope.checkpoints.views import Part, Transpose, WeightNorm
from weightscope.geometry import Box, Index, whole

NAMES = {torch.float32: "F32", torch.float64: "F64", torch.bfloat16: "BF16", torch.float16: "F16"}
SHAPES = [(6, 5), (6, 4, 3), (4, 3, 2, 3), (1, 7), (5, 1, 3)]


def stored(tensor: torch.Tensor, path=None, column_major: bool = False) -> Stored:
    """A leaf in memory, or in a file at `path`."""
    strides = tensor.T.contiguous().T.stride() if column_major else None
    name = NAMES[tensor.dtype]
    if path is None:
        held = tensor.T.contiguous().T if column_major else tensor
        return Stored("v", tuple(tensor.shape), name, strides=strides, tensor=held)
    path.write_bytes(b"???" + tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return Stored("v", tuple(tensor.shape), name, str(path), 3, strides)


def made(entry, box: Box) -> torch.Tensor:
    """make on the spans that it needs."""
    read = []
    for span in entry.needs(box):
        if span.leaf.tensor is not None:
            read.append(lines_in_memory(span))
            continue
        offset, length = span.bytes
        raw = Path(span.leaf.file).read_bytes()[offset : offset + length]
        read.append(
            span.typed(torch.frombuffer(bytearray(raw) or bytearray(1), dtype=torch.uint8)[:length])
        )
    return entry.make(box, tuple(read))


def pair(shape, dim, dtype):
    """(g, v, the weight as torch computes it in float64)."""
    torch.manual_seed(1)
    v = torch.randn(shape).to(dtype)
    norms = v.double().norm() if dim is None else torch.norm_except_dim(v.double(), 2, dim)
    g = (norms * torch.rand(norms.shape, dtype=torch.float64)).to(dtype)
    weight = torch._weight_norm(v.double(), g.double(), -1 if dim is None else dim)
    return g, v, weight.reshape(shape[0], -1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize(("shape", "dim"), [(s, d) for s in SHAPES for d in (None, *range(len(s)))])
def test_it_is_what_torch_computes(tmp_path, shape, dim, in_file, dtype) -> None:
    """Linear, 1d and 2d convolutions, norms over every dimension but one, and over all."""
    g, v, expected = pair(shape, dim, dtype)
    leaves = [stored(x, tmp_path / str(i) if in_file else None) for i, x in enumerate((g, v))]
    longer = [d for d, size in enumerate(g.shape) if size != 1]
    entry = WeightNorm(*leaves, longer[0] if longer else None)
    assert (entry.shape, entry.dtype) == (tuple(expected.shape), "F32")
    found = made(entry, whole(entry.shape))
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), expected, rtol=1e-6, atol=0)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from([(6, 5), (5, 4, 3)]),
    dim=st.sampled_from([None, 0, 1]),
    column_major=st.booleans(),
    data=st.data(),
)
def test_a_box_is_the_box_of_the_whole(shape, dim, column_major, data) -> None:
    """Also of parts and transposes of it, and of what is stored column-major."""
    g, v, expected = pair(shape, dim, torch.float64)
    entry = WeightNorm(stored(g), stored(v, column_major=column_major and len(shape) == 2), dim)
    rows, cols = (
        tuple(sorted(data.draw(st.tuples(*[st.integers(0, side)] * 2)))) for side in entry.shape
    )
    box = Box(rows, cols)
    assert torch.allclose(
        made(entry, box), expected[slice(*rows), slice(*cols)], rtol=1e-12, atol=0
    )
    assert torch.allclose(
        made(Transpose(entry), box.T), expected[slice(*rows), slice(*cols)].T, rtol=1e-12, atol=0
    )
    part = Part(entry, Index(1, 2, 2, 2))
    assert torch.allclose(made(part, whole(part.shape)), expected[1:5], rtol=1e-12, atol=0)


def test_a_row_of_zeros_is_nan_as_in_torch() -> None:
    """0 / 0, and no other row is touched."""
    v = torch.randn(4, 6)
    v[2] = 0
    g = torch.ones(4, 1)
    found = made(WeightNorm(stored(g), stored(v), 0), whole((4, 6)))
    expected = torch._weight_norm(v, g, 0)
    assert torch.equal(found.isnan(), expected.isnan())
    assert found.isnan().sum() == 6


def test_rows_read_no_other_rows() -> None:
    """Norms of rows are local: a box needs its rows of v and its elements of g."""
    entry = WeightNorm(
        Stored("g", (100, 1), "F32", "f"), Stored("v", (100, 10), "F32", "f", 400), 0
    )
    spans = entry.needs(Box((20, 30), (0, 3)))
    assert [span.bytes for span in spans] == [(400 + 800, 400), (80, 40)]


@pytest.mark.parametrize("dim", [None, 0, 1])
def test_tensors_in_memory_stay_as_they_are(dim) -> None:
    """Nothing is computed in place."""
    g, v, _ = pair((6, 5), dim, torch.float64)
    before = g.clone(), v.clone()
    made(WeightNorm(stored(g), stored(v), dim), whole((6, 5)))
    assert torch.equal(g, before[0])
    assert torch.equal(v, before[1])
