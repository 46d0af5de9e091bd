"""The engine gives the same bytes whatever threads, memory, stacking and source.

Errors end it cleanly.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.forked import forked
from weightscope.checkpoints import Stored
from weightscope.checkpoints.views import Transpose
from weightscope.engine import Device, Executor, Meter, Unit, choose, stream
from weightscope.errors import CheckpointError
from weightscope.sketches import Count, Decompose, MarginSums


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("wants", ["PASSING", "AGAIN"])
def test_threads_memory_and_stacking_change_no_bit(rig, wants) -> None:
    """One to four workers, 8 MiB to 1 GiB, all at once or one by one."""
    units = [rig.unit(i, e, getattr(rig, wants)) for i, e in enumerate(rig.stored(rig.tensors()))]
    expected = rig.sketches(rig.run(units))
    for threads, memory in ((1, 8 << 20), (2, 1 << 30), (3, 24 << 20), (4, 64 << 20)):
        answers = rig.run(units, threads, memory)
        assert [a.note for a in answers] == [""] * len(units)
        assert rig.sketches(answers) == expected, (threads, memory)
    alone = [rig.sketches(rig.run([u], 2))[0] for u in units]
    assert alone == expected


@pytest.mark.usefixtures("small")
def test_held_and_streamed_are_the_same(rig) -> None:
    """A tensor read once a pass says what the held one says."""
    wants = frozenset(m for m in rig.AGAIN if m.cut == "any")
    units = [rig.unit(i, e, wants) for i, e in enumerate(rig.stored(rig.tensors()))]
    held, streamed = Meter(), Meter()
    assert rig.sketches(rig.run(units, meter=held)) == rig.sketches(
        rig.run(units, memory=90_000, meter=streamed)
    )
    assert sum("held" in why for why in held.plans) > sum("held" in why for why in streamed.plans)


@pytest.mark.parametrize("stored", [(70_000, 40), (40, 70_000)])
def test_a_long_matrix_is_decomposed_alike_held_and_streamed(rig, stored) -> None:
    """Its tiles across the long side are streamed where they are lines.

    Else the matrix is held, or refused.
    """
    x = torch.randn(stored, generator=torch.Generator().manual_seed(0))
    entry = Stored("w", stored, "F32", tensor=x)
    units = [
        rig.unit(0, entry, frozenset({Decompose()})),
        rig.unit(1, Transpose(entry), frozenset({Decompose()})),
    ]
    meters = [Meter(), Meter()]
    held, tight = (
        rig.run(units, 1, memory, meter=m)
        for memory, m in zip((1 << 30, 52 << 20), meters, strict=True)
    )
    assert ["held" in why for why in meters[0].plans] == [stored[0] < stored[1]] * 2
    if stored[0] > stored[1]:
        assert rig.sketches(held) == rig.sketches(tight)
    else:
        assert all("MiB of memory, has 52: use --memory" in answer.note for answer in tight)
        assert not any(answer.sketches[""] for answer in tight)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("wants", ["PASSING", "AGAIN"])
def test_a_file_is_measured_as_the_tensors_in_memory_are(rig, tmp_path: Path, wants) -> None:
    """The same bits from positioned reads, transposed and offset tensors included."""
    xs, parts, entries, at = rig.tensors(), [b"\xff" * 64], [], 64
    for e in rig.stored(xs):
        raw = e.tensor.mT if e.tensor.ndim == 2 and e.strides[0] < e.strides[1] else e.tensor
        raw = raw.contiguous().view(torch.uint8).numpy().tobytes() if raw.numel() else b""
        entries.append(Stored(e.name, e.dims, e.dtype, str(tmp_path / "f"), at, e.strides))
        parts.append(raw)
        at += len(raw)
    (tmp_path / "f").write_bytes(b"".join(parts))
    wanted = getattr(rig, wants)
    from_file = rig.run([rig.unit(i, e, wanted) for i, e in enumerate(entries)], 2)
    in_memory = rig.run([rig.unit(i, e, wanted) for i, e in enumerate(rig.stored(xs))], 2)
    assert rig.sketches(from_file) == rig.sketches(in_memory)


@pytest.mark.usefixtures("small")
def test_answers_come_in_the_order_of_the_units(rig) -> None:
    """Also where equal ones were measured as a stack, and `each` sees every answer."""
    units = [rig.unit(i, e) for i, e in enumerate(rig.stored(rig.tensors()))]
    answers = rig.run(units, 3, each=lambda m: {"n": m.sketches[""][Count()].n})
    assert [a.unit.key for a in answers] == list(range(len(units)))
    assert [a.values["n"] for a in answers] == [x.numel() for x in rig.tensors()]


def test_many_equal_units_share_few_stacks(rig) -> None:
    """Three hundred small tensors make a dozen batches, not three hundred."""
    meter = Meter()
    units = [
        rig.unit(i, Stored(f"{i}", (4, 4), "F32", tensor=torch.full((4, 4), float(i))))
        for i in range(300)
    ]
    answers = rig.run(units, 2, meter=meter)
    assert [a.sketches[""][Count()].maximum for a in answers] == list(range(300))
    assert len(meter.plans) < 20
    assert meter.tensors == 300


def test_entries_of_a_unit_read_a_shared_leaf_once(rig, tmp_path: Path) -> None:
    """Two entries over one stored tensor cost its bytes once."""
    (tmp_path / "f").write_bytes(np.zeros(10_000, np.float32).tobytes())
    leaf, meter = Stored("w", (100, 100), "F32", str(tmp_path / "f")), Meter()
    both = Unit(
        0, {"a": leaf, "b": leaf}, {"a": frozenset({Count()}), "b": frozenset({MarginSums()})}
    )
    answer = rig.run([both], meter=meter)[0]
    assert meter.bytes_read == 40_000
    assert answer.sketches["a"][Count()].zeros == 10_000
    assert set(answer.sketches["b"]) == {MarginSums()}


def test_what_does_not_fit_is_refused(rig) -> None:
    """The note names the memory that would do, the other measures are taken."""
    entry = Stored("w", (600, 600), "F32", tensor=torch.randn(600, 600))
    answer = rig.run([rig.unit(0, entry, rig.AGAIN)], memory=22 << 20)[0]
    assert "MiB of memory, has 22: use --memory" in answer.note
    assert Count() in answer.sketches[""]
    assert not any(type(m).__name__ == "Shuffled" for m in answer.sketches[""])


def test_a_reading_error_ends_the_run(rig, tmp_path: Path) -> None:
    """A file that ends too early is told, not skipped."""
    (tmp_path / "f").write_bytes(bytes(100))
    units = [rig.unit(i, Stored(f"{i}", (64, 64), "F32", str(tmp_path / "f"))) for i in range(9)]
    with pytest.raises(CheckpointError, match=r"expected 16384 bytes at byte 0 .*found 100"):
        rig.run(units, 2)


def test_an_error_of_each_ends_the_run(rig) -> None:
    """What an analysis raises comes out where it is asked."""

    def each(measured):
        raise ZeroDivisionError("told")

    with pytest.raises(ZeroDivisionError, match="told"):
        rig.run([rig.unit(0, Stored("w", (4, 4), "F32", tensor=torch.ones(4, 4)))], each=each)


def _workers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("weightscope")]


@pytest.mark.parametrize("how", ["close", "interrupt"])
def test_stopping_early_leaves_no_worker(rig, how) -> None:
    """A closed generator and an interruption end all workers, and the thread count is restored."""
    from_ = rig.stored(rig.tensors())
    before, meter = torch.get_num_threads(), Meter()
    units = [rig.unit(i, from_[i % len(from_)]) for i in range(100)]
    answers = Executor(Device("cpu", 1 << 28, 2, "test"), meter)(units, lambda m: {})
    next(answers)
    assert _workers()
    if how == "close":
        answers.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            answers.throw(KeyboardInterrupt())
    assert _workers() == []
    assert torch.get_num_threads() == before
    assert meter.tensors < 100


def test_a_meter_told_to_stop_interrupts(rig) -> None:
    """Whoever watches may end the work at the next tile."""
    meter = Meter(stop=True)
    with pytest.raises(KeyboardInterrupt):
        rig.run([rig.unit(0, Stored("w", (4, 4), "F32", tensor=torch.ones(4, 4)))], meter=meter)


def peak() -> int:
    """The most MiB that this process has had in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    _, kibibytes, _ = next(line for line in lines if line.startswith("VmHWM")).split()
    return int(kibibytes) // 1024


def counted(path: Path, rows: int) -> int:
    """The zeros of a file, counted in a budget of 64 MiB."""
    entry = Stored("w", (rows, 4096), "BF16", str(path))
    unit = Unit(0, {"": entry}, {"": frozenset({Count(), MarginSums()})})
    answer = next(Executor(Device("cpu", 64 << 20, 2, ""))([unit], lambda m: {}))
    return answer.sketches[""][Count()].zeros


def test_workers_record_no_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of tensors that ask for them neither; the caller goes on recording its own."""
    recording, passes = [], stream.passes

    def noted(*arguments: Any) -> Any:
        recording.append(torch.is_grad_enabled())
        return passes(*arguments)

    monkeypatch.setattr(stream, "passes", noted)
    w = torch.ones(8, 8, requires_grad=True)
    assert ws.fit({"h.0.mlp.up_proj.weight": w}).rows[0]["std"] == 0
    assert recording == [False]
    assert (w * 2).requires_grad


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_a_large_file_is_never_in_memory(tmp_path: Path) -> None:
    """125 MiB are measured in less than 100: a budget of 64 MiB, and what allocators keep."""
    rows = 16_000
    with open(tmp_path / "f", "wb") as file:
        file.truncate(rows * 4096 * 2)

    def measured() -> str:
        counted(tmp_path / "f", 16)
        before = peak()
        assert counted(tmp_path / "f", rows) == rows * 4096
        return str(peak() - before)

    code, text = forked(measured)
    assert code == 0, text
    assert int(text) < 100


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_counts_as_the_cpu_does(rig) -> None:
    """Counts are equal; sums agree to float32 rounding."""
    units = [rig.unit(i, e) for i, e in enumerate(rig.stored(rig.tensors()))]
    there = list(Executor(choose("cuda"))(units, lambda m: {}))
    for a, b in zip(rig.run(units), there, strict=True):
        x, y = a.sketches[""], b.sketches[""]
        assert np.array_equal(x[Count()].counts, y[Count()].counts)
        assert np.allclose(
            x[MarginSums()].rows["squares"], y[MarginSums()].rows["squares"], rtol=1e-5
        )


@pytest.mark.parametrize("dims", [(1 << 40, 0), (0, 1 << 40, 1 << 40), (0, 1 << 63)])
def test_an_impossible_size_behind_a_zero_is_an_empty_tensor(rig, dims) -> None:
    """Nothing is read, cut or strided for a shape that holds no element; its counts are zero."""
    empty = Stored("empty", dims, "F32", file="never opened")
    (answer,) = rig.run([rig.unit(0, empty, frozenset({Count()}))], memory=1 << 24)
    assert answer.sketches[""][Count()].n == 0
