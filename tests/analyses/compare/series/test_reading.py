"""What a series reads: each file once, a tensor of every step before the next tensor."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from tests.analyses.compare.many.small import NUMBERS, ask
from weightscope.engine import device, session
from weightscope.geometry import whole

SHAPES = {
    "model.layers.0.mlp.up_proj.weight": (90, 40),
    "model.layers.1.mlp.up_proj.weight": (90, 40),
    "model.norm.weight": (40,),
}


def saved(folder, number, dtype, is_turned):
    """(a file, its bytes of tensors); `is_turned`: a torch file with column-major matrices."""
    generator = torch.Generator().manual_seed(number)
    tensors = {}
    for name, shape in SHAPES.items():
        tensor = torch.randn(shape, generator=generator).to(dtype)
        tensors[name] = tensor.mT.contiguous().mT if is_turned and len(shape) > 1 else tensor
    path = folder / f"step{number}.bin"
    if is_turned:
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    return str(path), sum(tensor.nbytes for tensor in tensors.values())


pytestmark = pytest.mark.usefixtures("measured_anew")  # bytes and tiles are counted
F32, BF16 = torch.float32, torch.bfloat16
LAYOUTS = [
    ((F32, False), (F32, False), (F32, False)),
    ((BF16, False), (BF16, False), (BF16, False), (BF16, False)),
    ((F32, False), (BF16, True), (F32, True)),
    ((BF16, True), (F32, False), (BF16, False), (F32, True)),
]


@pytest.mark.parametrize("layouts", LAYOUTS, ids=len)
@pytest.mark.parametrize("options", [{}, {"set": True}, {"set": True, "mix": True}])
def test_each_file_is_read_once(tmp_path, monkeypatch, layouts, options) -> None:
    """In tiles, in any type and orientation: a series, a set, a merge."""
    monkeypatch.setattr(device, "TILE", 512)
    files = [saved(tmp_path, i, *layout) for i, layout in enumerate(layouts)]
    columns = {} if options else {"columns": (*NUMBERS, "ks")}
    report = ask([path for path, _ in files], **options, **columns)
    assert report.timing["bytes_read"] == sum(size for _, size in files)
    assert report.coverage.startswith(f"{3 * len(files)} of {3 * len(files)} tensors measured")


def test_spectra_are_read_once_too(tmp_path) -> None:
    """The matrices of all pairs are decomposed from one reading."""
    files = [saved(tmp_path, i, F32, False) for i in range(3)]
    paths = [path for path, _ in files]
    report = ask(paths, spectrum=True, columns=("delta_rank_90", "overlap"))
    assert report.timing["bytes_read"] == sum(size for _, size in files)


@pytest.fixture
def units(monkeypatch):
    """The units that a run measures, in their order."""
    measured = []

    class Spy(session.Executor):
        def __call__(self, units, each):
            measured.extend(units)
            return super().__call__(units, each)

    monkeypatch.setattr(session, "Executor", Spy)
    return measured


def test_a_tensor_is_read_of_all_steps_before_the_next(tmp_path, units) -> None:
    """One unit a tensor, with the entry of each of five steps once."""
    files = [saved(tmp_path, i, F32, False) for i in range(5)]
    ask([path for path, _ in files], columns=NUMBERS)
    names = [unit.key.name for unit in units]
    assert names == sorted(SHAPES)
    for unit in units:
        spans = [span for e in unit.entries.values() for span in e.needs(whole(e.shape))]
        assert len({id(span.leaf) for span in spans}) == 5
