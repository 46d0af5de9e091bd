"""What the host has comes to a GPU from pinned memory: copies from other memory are waited for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.device.cases import planted
from tests.device.pretended import Log
from tests.device.taking import differences
from tests.device.test_engine import ALL, SMALL, measured, nothing
from tests.engine.conftest import stored, unit
from weightscope.checkpoints import Stored
from weightscope.checkpoints.views import Chosen, Dora, RandomMatrix, WeightNorm
from weightscope.checkpoints.views.indices import Indices
from weightscope.engine import Executor, Unit, choose, device, loading
from weightscope.engine.in_memory import Run
from weightscope.geometry import whole
from weightscope.sketches import (
    Balanced,
    Count,
    Cross,
    Decompose,
    Duplicates,
    MarginSums,
    Overlap,
    Untrained,
    balanced,
    row_sets_together,
)


@pytest.fixture(autouse=True)
def few_sweeps(monkeypatch) -> None:
    """Of a matrix that would take two hundred."""
    monkeypatch.setattr(balanced, "SWEEPS", 3)


def check(units, gpu: Log):
    """The same as on the CPU, nothing refused and nothing waited for; the results of the CPU."""
    there = measured(units)
    assert gpu.refused == []
    assert gpu.uploaded == 0, gpu.uploads
    here = list(Executor(choose("cpu", 1 << 28, 1))(units, nothing))
    for one, other in zip(here, there, strict=True):
        assert (other.note, other.moved) == ("", "")
        for label in one.sketches:
            assert differences(dict(one.sketches[label]), dict(other.sketches[label])) == []
    return here


def test_a_random_matrix_is_sampled_for_the_device(gpu) -> None:
    """Its elements are those of the host; they are sent there before anything sees them."""
    entry = RandomMatrix((40, 20), "gaussian", 0.0, 1.0, 7)
    wants = frozenset({Decompose(), Count(), MarginSums()})
    check([unit(0, entry, wants)], gpu)
    several = [RandomMatrix((40, 20), "gaussian", 0.0, 1.0, seed) for seed in range(3)]
    before = sum(gpu.copies.values())
    check([unit(i, entry, frozenset({MarginSums()})) for i, entry in enumerate(several)], gpu)
    assert sum(gpu.copies.values()) == before + 1, "a stack is one copy"


def test_a_held_random_matrix_is_sent_once(gpu) -> None:
    """It is held on the device, not sent in every pass."""
    copies = []
    for sweeps in (2, 5):
        balanced.SWEEPS = sweeps  # the fixture restores it
        before = sum(gpu.copies.values())
        entry = RandomMatrix((40, 20), "gaussian", 0.0, 1.0, 7)
        check([unit(0, entry, frozenset({Balanced((MarginSums(),))}))], gpu)
        copies.append(sum(gpu.copies.values()) - before)
    assert copies == [1, 1]


def laid_out() -> list[torch.Tensor]:
    """Tensors in memory of every layout: turned, with gaps, repeated, of three dimensions."""
    x = torch.randn(120, 80, generator=torch.Generator().manual_seed(1))
    some = [x, x.mT, x[:, ::2], x[::3], x[:1].expand(90, 80), x.view(120, 20, 4).permute(0, 2, 1)]
    wide = x.reshape(80, 120)
    return [*some, wide, wide.mT, wide.bfloat16(), x.mT.to(torch.float64), x[:0]]


TYPES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float64: "F64"}


@pytest.mark.parametrize("wants", ["PASSING", "AGAIN", "pair"])
def test_tensors_in_memory_are_sent_from_pinned_memory(gpu, monkeypatch, wants) -> None:
    """As those of files: one copy a tile, no upload that the host waits for."""
    monkeypatch.setattr(device, "TILE_GPU", SMALL)
    monkeypatch.setattr(loading, "CHUNK", 5000)  # a held tensor is sent in parts
    units = []
    for i, x in enumerate(laid_out()):
        entry = in_memory(x)
        if wants == "pair":
            other = torch.randn(x.shape, generator=torch.Generator().manual_seed(i)).to(x.dtype)
            together = {"a": in_memory(other), "b": entry}
            seen = frozenset({Overlap(), Cross()})
            units.append(Unit(i, together, {"b": seen}, {"b": ("a",)}))
        else:
            units.append(unit(i, entry, ALL[wants]))
    check(units, gpu)


def in_memory(x: torch.Tensor) -> Stored:
    """A tensor as an entry."""
    return Stored("", tuple(x.shape), TYPES[x.dtype], strides=x.stride(), tensor=x)


def test_bytes_in_memory_have_the_layout_of_their_tensor() -> None:
    """A run of memory is sent as it is; of others the gaps are left out, and no axis is turned."""
    for x in laid_out():
        entry = in_memory(x)
        (span,) = entry.needs(whole(entry.shape))
        run = Run.of(span)
        made = entry.make(whole(entry.shape), (run.typed(run.data),))
        assert torch.equal(made, x.reshape(entry.shape))
        assert len(run.data) == x.numel() * x.element_size()
        dense = x.is_contiguous() or x.mT.is_contiguous()
        assert (run.data.data_ptr() == x.data_ptr()) == dense
        if x.dim() == 2 and dense:
            assert made.stride() == x.stride()


def test_views_send_what_they_choose_from_pinned_memory(gpu, tmp_path) -> None:
    """Indices of a permutation, norms of rows and columns."""
    x = torch.randn(60, 40, generator=torch.Generator().manual_seed(2))
    file = str(tmp_path / "f")
    (tmp_path / "f").write_bytes(x.numpy().tobytes())
    v = Stored("v", (60, 40), "F32", file)
    order = Indices.of(np.random.default_rng(0).permutation(60))
    norms = torch.linalg.vector_norm(x.double(), dim=1)
    entries = [
        Chosen(v, order, Indices.of(np.random.default_rng(1).permutation(40))),
        WeightNorm(Stored("g", (1, 40), "F32", file), v, dim=1),
        Dora(v, v, Stored("m", (60, 1), "F32", file), norms=norms),
    ]
    units = [unit(i, entry, frozenset({Count(), MarginSums()})) for i, entry in enumerate(entries)]
    check(units, gpu)


def test_sets_of_rows_come_from_all_tiles(gpu, monkeypatch) -> None:
    """Rows of a set are in several tiles of rows, or of columns: as on the CPU."""
    monkeypatch.setattr(device, "TILE_GPU", SMALL)
    monkeypatch.setattr(row_sets_together, "CHUNK", 1000)
    wants = frozenset({Untrained(), Duplicates(), Count()})
    x = [torch.from_numpy(planted((140, 48), seed)).float() for seed in range(3)]
    x += [x[0].mT.contiguous().mT, (4 * x[0]).round()]
    units = [unit(i, entry, wants) for i, entry in enumerate(stored(x))]
    for one in check(units, gpu):
        assert len(one.sketches[""][Untrained()].sets) > 1
