"""Bytes that all tiles need: read and sent once, counted by the plan, freed after their matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.device import streams
from tests.device.pretended import NAME, Pretended
from tests.device.test_engine import SMALL, measured
from tests.engine.conftest import unit
from weightscope.checkpoints import Stored
from weightscope.checkpoints.views import Product
from weightscope.engine import device, plan
from weightscope.engine.buffers import Buffers
from weightscope.engine.loading import load_fixed
from weightscope.engine.room import FIXED_COPIES, SLOTS
from weightscope.engine.spans import fixed
from weightscope.geometry import TILE, TILE_GPU, tiles, whole
from weightscope.sketches import Balanced, Count, MarginSums, Scratch, Shuffled, Tile, shuffled
from weightscope.sketches.sketch import bytes_of


@pytest.fixture
def product(tmp_path) -> Product:
    """B A of rank 64, in one file."""
    b = np.random.default_rng(0).normal(size=(600, 64)).astype(np.float32)
    a = np.random.default_rng(1).normal(size=(64, 400)).astype(np.float32)
    (tmp_path / "f").write_bytes(b.tobytes() + a.tobytes())
    stored_b = Stored("b", b.shape, "F32", str(tmp_path / "f"))
    return Product(stored_b, Stored("a", a.shape, "F32", str(tmp_path / "f"), b.nbytes))


@pytest.mark.parametrize("name", ["cpu", NAME])
def test_the_factor_that_all_tiles_need_is_in_the_plan(product, monkeypatch, name) -> None:
    """Beside what a stored matrix of its shape needs, which has no such factor."""
    monkeypatch.setattr(device, "TILE", SMALL)
    monkeypatch.setattr(device, "TILE_GPU", SMALL)
    plain = Stored("w", product.shape, "F32", product.a.file)
    needs = []
    for wants in (frozenset({MarginSums()}), frozenset({Count(), Shuffled(MarginSums())})):
        for entry in (plain, product):
            (batch,) = plan([unit(0, entry, wants)], device.Device(name, 1, 1, ""))
            needs.append(max(batch.refused.values()))
        copies = 1 if name == "cpu" else FIXED_COPIES
        assert needs[-1] - needs[-2] == copies * product.a.nbytes


@pytest.mark.parametrize("wants", [frozenset({MarginSums()}), frozenset({Balanced(())})])
def test_the_factor_is_sent_once(gpu, product, monkeypatch, wants) -> None:
    """Streamed or held as values: its slot, and two slots for the rows of a tile; then freed."""
    monkeypatch.setattr(device, "TILE_GPU", SMALL)
    small = Stored("s", (40, 64), "F32", product.a.file)
    measured([unit(0, product, wants), unit(1, small, wants)])
    factor = product.a.nbytes
    sizes = sorted(buffer.numel() for buffer in gpu.pinned)
    assert sizes[-1] == factor
    assert sum(sizes[:-1]) < SLOTS * SMALL * 4
    buffers = Buffers(NAME)
    boxes = tiles(whole(product.shape), 0, SMALL)
    streams.set_device(NAME)
    try:
        with Pretended(gpu, streams):
            load_fixed(fixed([product], boxes), buffers)
            assert [len(slot.there) for slot in buffers.sending().slots.values()] == [factor]
            load_fixed([], buffers)
            assert buffers.sending().slots == {}
    finally:
        streams.set_device("cuda:0")


def test_pinned_memory_of_permuted_elements_is_in_the_plan() -> None:
    """A matrix is permuted on the host and sent whole."""
    shape = (300, 200)
    needs = [
        bytes_of(Shuffled(Count()), shape, name) - bytes_of(Count(), shape, name)
        for name in ("cpu", NAME)
    ]
    assert needs == [8 * 60_000, 16 * 60_000]


@pytest.mark.parametrize("name", ["cpu", NAME])
def test_permuted_elements_are_cut_as_the_device_cuts_tensors(name, monkeypatch) -> None:
    """A GPU computes larger tiles than a CPU, of a null model as of the matrix."""
    monkeypatch.setattr(shuffled, "permuted", lambda x, seed: x)  # 8 million elements, unseen
    shape = (2 * TILE_GPU // 2048, 2048)
    seen = []

    class Watched(MarginSums):
        def add(self, state, tile):
            seen.append(tile.box.size)
            return state

    measure = Shuffled(Watched())
    x = torch.zeros(1, *shape, dtype=torch.uint8)
    state = measure.start(1, shape, "U8", "cpu")
    measure.add(state, Tile(x, "U8", whole(shape), shape, 0, Scratch(name)))
    assert set(seen) == {TILE if name == "cpu" else TILE_GPU}


def test_the_memory_of_a_factor_is_freed_on_a_cpu(product) -> None:
    """Before the next matrix without one."""
    buffers = Buffers("cpu")
    load_fixed(fixed([product], tiles(whole(product.shape), 0, SMALL)), buffers)
    assert [buffer.numel() for buffer in buffers.stored.held.values()] == [product.a.nbytes]
    load_fixed([], buffers)
    assert buffers.stored.held == {}
