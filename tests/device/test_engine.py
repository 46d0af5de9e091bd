"""A run on the pretended device: the same digits for any threads and memory, and its memory."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from tests.device.conftest import pretended
from tests.device.files import in_files
from tests.device.pretended import NAME, OnDevice
from tests.device.taking import differences
from tests.engine.conftest import AGAIN, PASSING, sketches, stored, tensors, unit
from tests.memory_errors import OF_A_GPU, OF_OTHER_CAUSES
from weightscope import dtypes
from weightscope.checkpoints import Stored
from weightscope.engine import Executor, Measured, Meter, choose, device, plan, stream
from weightscope.engine.buffers import Buffers
from weightscope.engine.room import SLOTS, WORKING
from weightscope.sketches import Count, Decompose, MarginSums, balanced, count_values

ALL = {"PASSING": PASSING, "AGAIN": AGAIN}
SMALL = 4096  # elements of a tile, so that small tensors are cut as large ones are


def nothing(measured) -> dict[str, object]:
    """No values."""
    return {}


def measured(units, threads=1, memory=None, meter=None, each=nothing):
    """What `--device cuda:1` measures."""
    return list(Executor(choose(NAME, memory, threads), meter or Meter())(units, each))


@pytest.fixture(autouse=True)
def few_sweeps(monkeypatch) -> None:
    """Of a matrix that would take two hundred."""
    monkeypatch.setattr(balanced, "SWEEPS", 3)


@pytest.mark.parametrize("wants", ALL)
def test_threads_and_memory_change_no_digit(gpu, tmp_path, monkeypatch, wants) -> None:
    """One worker feeds the device with the same stacks; nothing is refused by CUDA's rules.

    The numbers are those of the CPU: counts bit for bit, sums within their tolerance.
    """
    monkeypatch.setattr(device, "TILE_GPU", SMALL)
    units = [unit(i, entry, ALL[wants]) for i, entry in enumerate(in_files(tmp_path, tensors()))]
    found = []
    for threads, memory in ((1, None), (4, 1 << 30), (2, 64 << 20)):
        meter = Meter()
        answers = measured(units, threads, memory, meter)
        assert gpu.uploaded == 0, gpu.uploads
        assert [(one.note, one.moved) for one in answers] == [("", "")] * len(units)
        plans = [why.replace("held for its passes", "streamed in 1 run") for why in meter.plans]
        found.append((sketches(answers), plans))
    assert found == [found[0]] * len(found)
    assert gpu.refused == []
    for one, other in zip(
        Executor(choose("cpu", 1 << 28, 1))(units, nothing), answers, strict=True
    ):
        assert differences(dict(one.sketches[""]), dict(other.sketches[""])) == []


def test_a_tile_of_a_stack_is_one_copy(gpu, tmp_path) -> None:
    """From pinned memory, which the plan counts; nothing is uploaded from plain memory."""
    elements = np.random.default_rng(0).normal(size=(4, 30, 40)).astype(np.float32)
    (tmp_path / "f").write_bytes(elements.tobytes())
    entries = [
        Stored(f"{i}", (30, 40), "F32", str(tmp_path / "f"), 4800 * i) for i in range(len(elements))
    ]
    units = [unit(i, entry, frozenset({MarginSums()})) for i, entry in enumerate(entries)]
    measured(units, 2)
    assert sum(gpu.copies.values()) == 1
    assert sum(gpu.uploads.values()) == 0
    assert sum(buffer.numel() for buffer in gpu.pinned) <= SLOTS // 2 * elements.nbytes


def test_tables_are_uploaded_once(gpu, tmp_path, monkeypatch) -> None:
    """A table of values serves all tiles and tensors of a type."""
    monkeypatch.setattr(device, "TILE_GPU", SMALL)
    dtypes.table.cache_clear()
    (tmp_path / "f").write_bytes(bytes(range(250)) * 20)
    entries = [Stored(f"{i}", (50, 50), "F8_E4M3", str(tmp_path / "f")) for i in range(3)]
    measured([unit(i, entry, frozenset({MarginSums()})) for i, entry in enumerate(entries)])
    of_tables = [n for line, n in gpu.copies.items() if "dtypes.py" in line]
    assert of_tables == [1]
    dtypes.table.cache_clear()


@pytest.mark.parametrize("threads", [1, 3])
def test_too_little_memory_moves_a_tensor_to_the_cpu(monkeypatch, threads) -> None:
    """With the reason, and the CPU's numbers; what fits stays on the device."""
    large, small = stored([torch.randn(300, 200), torch.randn(8, 8)])
    units = [unit(0, large), unit(1, small)]
    here = list(Executor(choose("cpu", 1 << 30, 1))(units, nothing))
    log = pretended(monkeypatch, free=4 << 20)
    there = measured(units, threads)
    need = -(-300 * 200 * (WORKING + 4 * SLOTS) >> 20)
    assert there[0].moved.startswith("measured on the CPU: needs ")
    assert there[0].moved.endswith("MiB of the GPU's memory, has 1")
    assert need > 1
    assert there[1].moved == ""
    assert sketches(there)[0] == sketches(here)[0]
    assert [one.note for one in there] == ["", ""]
    assert log.refused == []


def failing(monkeypatch, error: Exception) -> None:
    """Counting of one shape ends with an error on the device."""
    add = count_values.add

    def full(state, tile):
        if isinstance(tile.stored, OnDevice) and tile.shape == (20, 30):
            raise error
        return add(state, tile)

    monkeypatch.setattr(count_values, "add", full)


def counted(threads: int) -> list[Measured]:
    """Two matrices, the first of the shape that fails, with values of their sketches."""
    entries = stored([torch.randn(20, 30), torch.randn(8, 9)])
    units = [unit(i, entry, frozenset({Count()})) for i, entry in enumerate(entries)]
    values = lambda one: {"n": one.sketches[""][Count()].n, "note": one.moved}
    return measured(units, threads, each=values)


@pytest.mark.parametrize("error", OF_A_GPU.values(), ids=OF_A_GPU)
def test_a_tensor_that_the_gpu_has_no_memory_for_is_retried_on_the_cpu(
    gpu, monkeypatch, error
) -> None:
    """The rest of the run stays on the device, and the values follow from the CPU's sketches."""
    failing(monkeypatch, error)
    there = counted(2)
    assert [one.values["n"] for one in there] == [600, 72]
    assert [one.values["note"] for one in there] == [one.moved for one in there]
    assert there[0].moved == (
        "measured on the CPU: cuda:1 ran out of memory: lower --memory, or use --device cpu"
    )
    assert there[1].moved == ""


def test_what_a_failed_tensor_took_is_free_before_the_next(gpu, monkeypatch) -> None:
    """Buffers and slots are let go, then torch's cache, so that other programs have the memory."""
    freed = []
    clear = Buffers.clear
    failing(monkeypatch, OF_A_GPU["torch"])

    def cleared(buffers: Buffers) -> None:
        clear(buffers)
        freed.append("buffers")

    monkeypatch.setattr(Buffers, "clear", cleared)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append("cache"))
    counted(1)
    assert freed == ["buffers", "cache"]


def test_the_cpu_measures_one_batch_of_a_gpu_at_a_time(gpu, monkeypatch) -> None:
    """Each has all of the memory of the host, so several at once would take more than there is."""
    running, most = [], []
    passes = stream.passes

    def watched(batch, where, buffers, check):
        if where.is_gpu:
            raise OF_A_GPU["torch"]
        running.append(batch)
        most.append(len(running))
        time.sleep(0.02)  # long enough for another worker to begin
        found = passes(batch, where, buffers, check)
        running.remove(batch)
        return found

    monkeypatch.setattr(stream, "passes", watched)
    shapes = [(20 + i, 30) for i in range(6)]
    entries = stored([torch.randn(shape) for shape in shapes])
    measured([unit(i, entry, frozenset({Count()})) for i, entry in enumerate(entries)], threads=4)
    assert most == [1] * len(shapes)


@pytest.mark.parametrize("error", OF_OTHER_CAUSES.values(), ids=OF_OTHER_CAUSES)
def test_other_errors_of_the_gpu_end_the_run(gpu, monkeypatch, error) -> None:
    """The CPU would hide them."""
    failing(monkeypatch, error)
    with pytest.raises(type(error)) as found:
        counted(1)
    assert found.value is error


def test_a_gpu_without_memory_for_anything_leaves_all_to_the_cpu(gpu, monkeypatch) -> None:
    """Opening it takes memory too, and is the first that fails while other programs use it."""

    def full(device: object) -> None:
        raise OF_A_GPU["runtime"]

    monkeypatch.setattr(torch.cuda, "set_device", full)
    there = counted(2)
    assert [one.values["n"] for one in there] == [600, 72]
    assert all("cuda:1 ran out of memory" in one.moved for one in there)


def test_gram_matrices_are_counted_as_the_device_decomposes_them() -> None:
    """A GPU copies larger matrices whole, and tiles and pinned memory are in the budget."""
    entry = Stored("w", (8192, 8192), "BF16", "f")
    wants = [unit(0, entry, frozenset({Decompose()}))]
    needs = {}
    for name in ("cpu", NAME):
        (batch,) = plan(wants, device.Device(name, 1, 1, ""))
        needs[name] = max(batch.refused.values()) >> 20
    tile = (1 << 22) * (WORKING + 2 * SLOTS + 24) >> 20
    assert needs[NAME] >= 1286 + tile
    assert needs[NAME] < 1286 + tile + 1024
    assert needs["cpu"] < 1024


def test_stacks_follow_from_the_shape_alone() -> None:
    """Neither memory nor workers decide how many equal tensors the device computes as one."""
    units = [unit(i, Stored(f"{i}", (64, 64), "F32", "f"), PASSING) for i in range(80)]
    sizes = []
    for budget, workers in ((1 << 20, 1), (1 << 26, 1), (1 << 34, 1), (1 << 34, 8)):
        batches = plan(units, device.Device(NAME, budget, workers, ""))
        sizes.append([len(batch.units) for batch in batches])
    assert sizes == [[32, 32, 16]] * 4


def test_a_device_with_little_memory_takes_ordinary_matrices() -> None:
    """A quarter of 3.5 GiB is enough for 4096 x 4096, as it is on the CPU."""
    entry = Stored("w", (4096, 4096), "BF16", "f")
    for wants in (frozenset({Count(), MarginSums()}), frozenset({Count(), Decompose()})):
        little = device.Device(NAME, (7 << 29) // 4, 1, "")
        batches = list(plan([unit(0, entry, wants)], little))
        assert [batch.refused for batch in batches] == [{}]
