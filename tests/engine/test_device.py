"""Which device is chosen, and why."""

from __future__ import annotations

import pytest
import torch

from weightscope.engine import choose, device
from weightscope.errors import UsageError
from weightscope.geometry import SEGMENT, TILE, TILE_GPU


def test_what_is_told_is_taken() -> None:
    """Memory and threads as the options say, with the reason."""
    found = choose("cpu", 64 << 20, 3)
    assert (found.name, found.budget, found.workers) == ("cpu", 64 << 20, 3)
    assert found.why == "cpu: as requested; memory 64 MiB, as requested; 3 workers"


def test_a_quarter_of_what_is_free_unless_told(monkeypatch) -> None:
    """The rest of the machine stays for others."""
    monkeypatch.setattr(device, "free_memory", lambda name: 4 << 30)
    found = choose("cpu")
    assert found.budget == 1 << 30
    assert found.workers >= 1
    assert "a quarter of the free memory" in found.why


def test_free_memory_is_known() -> None:
    """Something between 16 MiB and 64 TiB."""
    assert 1 << 24 < device.free_memory("cpu") < 1 << 46


def test_macos_has_neither_affinity_nor_proc(monkeypatch) -> None:
    """All cores and half of the installed memory then.

    8 GiB where the system does not know that either.
    """

    def unknown(name):
        raise ValueError(name)

    monkeypatch.delattr(device.os, "sched_getaffinity")
    monkeypatch.setattr(device.os, "cpu_count", lambda: 10)
    monkeypatch.setattr(device, "MEMINFO", "/nowhere/meminfo")
    monkeypatch.setattr(
        device.os, "sysconf", {"SC_PHYS_PAGES": 1 << 20, "SC_PAGE_SIZE": 1 << 12}.__getitem__
    )
    assert (choose("cpu", 1).workers, device.free_memory("cpu")) == (10, 2 << 30)
    monkeypatch.setattr(device.os, "sysconf", unknown)
    assert device.free_memory("cpu") == 8 << 30


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:", "cpu0", "cpu:0", "auto:1", ""])
def test_an_unknown_device_is_refused(name) -> None:
    """With the names that there are."""
    with pytest.raises(
        UsageError, match=r"--device takes auto, cpu, cuda or cuda:N; found '.*'; name one of them"
    ):
        choose(name)


@pytest.mark.parametrize(
    ("built", "found"),
    [
        (True, "finds 0 on this machine; use --device cpu"),
        (False, "is built without CUDA; install a build with CUDA, or use --device cpu"),
    ],
)
def test_a_missing_gpu_is_refused(monkeypatch, built, found) -> None:
    """With how many torch finds; a build for CPUs says nothing of the machine."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: built)
    with pytest.raises(UsageError) as error:
        choose("cuda:1")
    expected = f"--device cuda:1 needs a CUDA device; torch {torch.__version__} {found}"
    assert str(error.value) == expected


def test_a_gpu_has_one_feeder_and_a_host_beside_it(monkeypatch) -> None:
    """The worker that feeds it has the whole budget, whatever --threads."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(device, "free_memory", lambda name: 4 << 30)
    for threads in (1, 4):
        found = choose("cuda", None, threads)
        assert (found.feeders, found.share, found.workers) == (1, 1 << 30, threads)
        assert found.host == choose("cpu", None, threads)


def test_tiles_follow_from_the_kind_of_device() -> None:
    """Never from its memory."""
    assert choose("cpu", 1).tile == choose("cpu", 1 << 40).tile == TILE
    assert choose("cpu", 1).segment == choose("cpu", 1 << 40).segment == SEGMENT
    small, large = (device.Device("cuda:0", budget, 1, "") for budget in (1, 1 << 40))
    assert small.tile == large.tile == TILE_GPU
    assert small.stack == large.stack
    assert small.segment == large.segment
