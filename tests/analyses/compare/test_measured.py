"""What a comparison measures and reads."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from tests.analyses.compare.planted import A, compare
from weightscope.engine import device, session
from weightscope.sketches import changes
from weightscope.statistics.pairs import labels

pytestmark = pytest.mark.usefixtures("measured_anew")  # bytes and tiles are counted
VERDICT = {labels.CHANGES, labels.MOMENTS, labels.SAMPLE}  # what relation and change depend on


@pytest.fixture
def units(monkeypatch):
    """The units that a comparison measures."""
    measured = []

    class Spy(session.Executor):
        def __call__(self, units, each):
            measured.extend(units)
            return super().__call__(units, each)

    monkeypatch.setattr(session, "Executor", Spy)
    return measured


@pytest.mark.parametrize(
    ("keywords", "wanted"),
    [
        ({"columns": ("tensor", "status")}, {labels.EQUALITY}),
        ({"columns": ("kind", "same", "changed"), "by": "model"}, {labels.EQUALITY}),
        ({"columns": ("tensor", "relation")}, VERDICT),
        ({"columns": ("tensor", "changed_rows")}, VERDICT),
        ({"columns": ("tensor", "cosine")}, VERDICT),
        ({"columns": ("tensor", "change")}, VERDICT),
    ],
)
def test_columns_decide_what_is_measured(units, keywords, wanted) -> None:
    """A check of statuses takes no moments, counts and sample; all else has the verdict too."""
    a = {"w.weight": A["lm_head.weight"]}
    compare(a, a, **keywords)
    (unit,) = units
    expected = {}
    for at in wanted:
        expected.setdefault(at.label, set()).add(at.measure)
    assert unit.wants == expected
    assert set(unit.entries) == {labels.A, labels.B}


def test_all_columns_take_each_measure_once(units) -> None:
    """A, B and their difference are one unit; of a vector no rows and no sample."""
    a = {name: A[name] for name in ("lm_head.weight", "model.norm.weight")}
    compare(a, a)
    assert len(units) == 2
    for unit in units:
        assert set(unit.entries) == {labels.A, labels.B, labels.DELTA}
        measures = {str(measure) for wants in unit.wants.values() for measure in wants}
        is_vector = "norm" in unit.key.name
        assert ("RowSample(other='a')" in measures) == (not is_vector)
        assert any("MarginSums" in text for text in measures) == (not is_vector)


@pytest.fixture
def comparisons(monkeypatch):
    """The number of tiles whose words were compared, in tiles of 64 elements."""
    counted = []
    real = changes._are_equal

    def spy(a, b):
        counted.append(a.numel())
        return real(a, b)

    monkeypatch.setattr(changes, "_are_equal", spy)
    monkeypatch.setattr(device, "TILE", 64)
    return counted


@pytest.mark.parametrize(("row", "tiles"), [(None, 8), (0, 1), (20, 3), (63, 8)])
def test_a_check_of_statuses_stops_at_the_first_difference(comparisons, row, tiles) -> None:
    """8 tiles of 8 rows: those up to the first difference are compared."""
    a = torch.zeros(64, 8)
    b = a.clone()
    if row is not None:
        b[row:] = 1
    (found,) = compare({"w": a}, {"w": b}, columns=("tensor", "status")).rows
    assert found["status"] == ("same" if row is None else "changed")
    assert len(comparisons) == tiles
    comparisons.clear()
    compare({"w": a}, {"w": b}, columns=("tensor", "changed_share"))
    assert len(comparisons) == 8


SHAPES = {"model.layers.0.mlp.up_proj.weight": (1100, 600), "model.norm.weight": (600,)}


def saved(path, dtype, is_turned, add=0.0):
    """A file with a matrix above a tile; `is_turned`: a torch file, the matrix column-major."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, shape in SHAPES.items():
        tensor = (torch.randn(shape, generator=generator) + add).to(dtype)
        tensors[name] = tensor.mT.contiguous().mT if is_turned and len(shape) > 1 else tensor
    if is_turned:
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    return str(path), sum(tensor.nbytes for tensor in tensors.values())


@pytest.mark.parametrize("turned", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize(
    "columns",
    [("tensor", "status"), ("tensor", "status", "relative", "ks", "change", "delta_kurtosis")],
    ids=["status", "numbers"],
)
def test_each_file_is_read_once(tmp_path, turned, columns) -> None:
    """The bytes of A and of B, in any orientation, for words and for A, B and D together."""
    a, size_a = saved(tmp_path / "a.bin", torch.bfloat16, turned[0])
    b, size_b = saved(tmp_path / "b.bin", torch.bfloat16, turned[1])
    report = compare(a, b, columns=columns)
    assert {row["status"] for row in report.rows} == {"same"}
    assert report.timing["bytes_read"] == size_a + size_b


def test_each_file_is_read_once_where_types_differ(tmp_path) -> None:
    """F32 beside BF16, row-major beside column-major."""
    a, size_a = saved(tmp_path / "a.bin", torch.float32, False)
    b, size_b = saved(tmp_path / "b.bin", torch.bfloat16, True)
    for columns in (("tensor", "status"), ("tensor", "status", "relative")):
        report = compare(a, b, columns=columns)
        assert {row["status"] for row in report.rows} == {"retyped"}
        assert report.timing["bytes_read"] == size_a + size_b


def test_complex_words_are_compared_from_files_and_from_memory(tmp_path) -> None:
    """A type without values has a status and nothing more, wherever it is stored."""
    x = torch.arange(6).to(torch.complex64) * (1 + 2j)
    for dtype in (torch.complex64, torch.complex128):
        a, b = ({"rotary.weight": x.clone().to(dtype)} for _ in "ab")
        torch.save(a, tmp_path / "a.pth")
        b["rotary.weight"][3] += 1j
        for one in (a, str(tmp_path / "a.pth")):
            assert compare(one, a, columns=("tensor", "status")).rows[0]["status"] == "same"
            assert compare(one, b, columns=("tensor", "status")).rows[0]["status"] == "changed"
    real = {"rotary.weight": torch.zeros(6)}
    imaginary = {"rotary.weight": torch.zeros(6, dtype=torch.complex128)}
    assert compare(real, imaginary).rows[0]["status"] == "changed"
    lazy = {"rotary.weight": x.conj()}  # a conjugation that is pending: there are no words
    assert compare(lazy, lazy).rows[0]["status"] is None
