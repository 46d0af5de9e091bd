"""Base weights with the update of an adapter: LoRA and DoRA, against float64 and box by box."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import close
from weightscope.checkpoints.entry import Stored, lines_in_memory
from weightscope.checkpoints.views import (
    Adapted,
    Difference,
    Dora,
    Part,
    Product,
    Transpose,
    difference,
)
from weightscope.geometry import Box, Index, whole

TYPES = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16}
ROWS, COLUMNS, RANK = 6, 8, 2


def leaf(dtype: str, *dims: int, column_major: bool = False, seed: int = 0) -> Stored:
    """A stored matrix in memory."""
    tensor = torch.randn(dims, generator=torch.Generator().manual_seed(seed)).to(TYPES[dtype])
    if column_major:
        tensor = tensor.T.contiguous().T
    return Stored("w", dims, dtype, strides=tuple(tensor.stride()), tensor=tensor)


def made(entry, box: Box) -> torch.Tensor:
    """make on the lines that it needs."""
    return entry.make(box, tuple(lines_in_memory(span) for span in entry.needs(box)))


def all_of(entry) -> torch.Tensor:
    """The whole matrix in float64."""
    return made(entry, whole(entry.shape)).double()


def assert_close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal but for the order in which a BLAS adds."""
    near = 1e-12 if found.dtype == torch.float64 else 1e-6
    close.assert_close(found, expected, rtol=near, atol=near)


def factors(dtype: str) -> Product:
    """A product of rank two with scale 0.5."""
    return Product(leaf(dtype, ROWS, RANK, seed=1), leaf(dtype, RANK, COLUMNS, seed=2), 0.5)


@st.composite
def boxes(draw) -> Box:
    """Any box of the matrix."""
    return Box(
        *(tuple(sorted(draw(st.tuples(*[st.integers(0, side)] * 2)))) for side in (ROWS, COLUMNS))
    )


@settings(max_examples=60, deadline=None)
@given(
    types=st.tuples(*[st.sampled_from(sorted(TYPES))] * 2),
    column_major=st.booleans(),
    turned=st.booleans(),
    wide=st.booleans(),
    box=boxes(),
)
def test_an_adapted_weight_is_base_and_update(types, column_major, turned, wide, box) -> None:
    """All types and layouts: the sum in float32, in float64 where a part has it or it is wanted."""
    base = leaf(types[0], ROWS, COLUMNS, column_major=column_major)
    if turned:
        base = Transpose(leaf(types[0], COLUMNS, ROWS, column_major=column_major))
    update = factors(types[1])
    before = base.of.tensor.clone() if turned else base.tensor.clone()
    entry = Adapted(base, update, wide)
    assert (entry.name, entry.shape, entry.cut) == ("w", (ROWS, COLUMNS), base.cut)
    assert entry.dtype == ("F64" if wide or "F64" in types else "F32")
    expected = all_of(base) + all_of(update)
    found = made(entry, whole(entry.shape))
    assert found.dtype == TYPES[entry.dtype]
    assert torch.allclose(found.double(), expected, rtol=2e-7, atol=1e-7)
    if wide:
        assert torch.equal(found, expected)
    assert_close(made(entry, box), found[slice(*box.rows), slice(*box.cols)])
    assert torch.equal(base.of.tensor if turned else base.tensor, before)


def norms_of(weight: torch.Tensor, axis: int, kernel: int) -> torch.Tensor:
    """The norm of each row, or of the columns of each kernel."""
    lines = weight if axis == 0 else weight.T
    return lines.reshape(-1, kernel * lines.shape[1]).norm(dim=1)


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(sorted(TYPES)),
    column_major=st.booleans(),
    axis=st.sampled_from([0, 1]),
    kernel=st.sampled_from([1, 2]),
    change=st.booleans(),
    box=boxes(),
)
def test_dora_is_the_formula_of_its_paper(dtype, column_major, axis, kernel, change, box) -> None:
    """m (A + U) / |A + U| by rows, by columns and by kernels, and its difference to A."""
    base, update = leaf(dtype, ROWS, COLUMNS, column_major=column_major), factors(dtype)
    many = (ROWS, COLUMNS)[axis] // kernel
    magnitudes = leaf(dtype, *((many, 1) if axis == 0 else (1, many)), seed=3)
    direction = all_of(base) + all_of(update)
    norms = norms_of(direction, axis, kernel)
    entry = Dora(base, update, magnitudes, axis, norms, change)
    scales = (all_of(magnitudes).flatten() / norms).repeat_interleave(kernel)
    expected = direction * (scales[:, None] if axis == 0 else scales[None])
    if change:
        expected = expected - all_of(base)
    found = made(entry, whole(entry.shape))
    assert (entry.name, entry.shape, entry.cut) == ("w", (ROWS, COLUMNS), base.cut)
    assert entry.dtype == ("F64" if dtype == "F64" else "F32")
    assert found.dtype == TYPES[entry.dtype]
    tolerance = 1e-12 if dtype == "F64" else 2e-7
    assert torch.allclose(found.double(), expected, rtol=tolerance, atol=tolerance)
    assert_close(made(entry, box), found[slice(*box.rows), slice(*box.cols)])


def test_dora_reads_the_magnitudes_of_its_rows() -> None:
    """Two rows need two of the magnitudes."""
    base, update = Stored("w", (6, 8), "F32", "f"), factors("F32")
    entry = Dora(base, update, Stored("m", (6, 1), "F32", "f", 192), norms=torch.ones(6))
    spans = entry.needs(Box((2, 4), (0, 8)))
    assert [(s.leaf.name, s.first, s.last) for s in (spans[0], spans[-1])] == [
        ("w", 2, 4),
        ("m", 2, 4),
    ]


def test_the_difference_to_the_base_is_the_update() -> None:
    """Itself, whatever it is wrapped in; of DoRA its change; of another base a subtraction."""
    base, update = leaf("BF16", ROWS, COLUMNS), factors("BF16")
    entry = Adapted(base, update)
    assert difference(base, entry) is update
    rows = Index(1, 2)
    part = difference(Part(base, rows), Part(entry, rows))
    assert part == Part(update, rows)
    assert difference(Transpose(base), Transpose(entry)) == Transpose(update)
    other = leaf("BF16", ROWS, COLUMNS)
    for a, b in (
        (other, entry),
        (Part(base, Index(0, 2)), Part(entry, rows)),
        (Transpose(other), Transpose(entry)),
        (Part(other, rows), Part(entry, rows)),
    ):
        assert isinstance(difference(a, b), Difference)
    dora = Dora(base, update, leaf("F32", ROWS, 1), norms=torch.ones(ROWS))
    change = difference(base, dora)
    assert torch.allclose(all_of(change), all_of(dora) - all_of(base), atol=1e-6)
    assert isinstance(difference(other, dora), Difference)


def test_a_change_of_dora_keeps_its_digits() -> None:
    """A change of 1e-7 of the base: float32 values of the adapted weight would lose it."""
    base = Stored("w", (1, 2), "F32", tensor=torch.tensor([[1.0, 2.0]]))
    b, a = (Stored("x", d, "F32", tensor=torch.full(d, 1e-4)) for d in ((1, 1), (1, 2)))
    update = Product(b, a)
    norm = (torch.tensor([1.0, 2.0], dtype=torch.float64) + 1e-8).norm()[None]
    m = Stored("m", (1, 1), "F64", tensor=norm[:, None].clone())
    found = all_of(difference(base, Dora(base, update, m, norms=norm)))
    assert found.flatten().tolist() == pytest.approx([1e-8, 1e-8], rel=1e-6)
