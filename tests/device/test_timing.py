"""Seconds, rates and shares are those of constructed times; no speed of this machine is tested."""

from __future__ import annotations

import pytest
import torch

from tests.device import timing
from tests.device.timing import Line, Rates, Work, lines, rates, seconds


class Clock:
    """Time passes where a test lets it pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The clock that is read."""
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_the_best_round_counts_and_each_ends_on_the_device(clock, monkeypatch) -> None:
    """The trial does not, nor does what was queued before; what a call queues does."""
    calls = iter([0.25, 9.0, 3.0, 5.0, 4.0, 7.0])  # the trial is the shortest
    queued = [1000.0]

    def synchronize(device: str) -> None:
        assert device == "cuda:0"
        clock.now += sum(queued)
        queued.clear()

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    assert seconds(lambda: queued.append(next(calls)), "cuda:0") == 3.0


def test_rates_are_bytes_and_operations_a_second(clock, monkeypatch) -> None:
    """100 x 100 float64 numbers are read and written as 160,000 bytes; a product is 2e6 steps."""
    spent = {"copy_": 0.5, "mm": 4.0}

    def timed(call, device: str) -> float:
        return spent[next(name for name in spent if name in call.__code__.co_names)]

    monkeypatch.setattr(timing, "seconds", timed)
    assert rates("cpu", side=100) == Rates(bandwidth=320_000.0, float64=500_000.0)


def test_shares_are_those_of_the_rates(monkeypatch) -> None:
    """600 bytes in 2 seconds of 1,200 a second are a quarter, 80 operations of 50 a second 0.8."""
    monkeypatch.setattr(timing, "seconds", lambda call, device: 2.0)
    work = Work(lambda: None, bytes=600, operations=80.0)
    line = timing._line("Gram", "8x8", work, "cpu", Rates(bandwidth=1200.0, float64=50.0))
    assert line == Line("Gram", "8x8", 2.0, 600, 80.0, of_bandwidth=0.25, of_float64=0.8)


def test_every_step_has_its_bytes_and_operations(monkeypatch) -> None:
    """Of each shape: counting, lines, Gram matrices, eigenvalues; bf16 has two bytes."""
    some = {"16x16": ((16, 16),), "layer": ((24, 16), (16, 24))}
    monkeypatch.setattr(timing, "SHAPES", some)
    found = lines("cpu", Rates(1e9, 1e9))
    assert [line["step"] for line in found] == 2 * ["counting", "lines", "Gram", "eigenvalues"]
    assert [line["shape"] for line in found] == 4 * ["16x16"] + 4 * ["layer"]
    read, squares = 2 * 16 * 16, 8 * 16 * 16
    assert [line["bytes"] for line in found[:4]] == [read, read, read, squares]
    assert [line["bytes"] for line in found[4:]] == [3 * read, 3 * read, 3 * read, 2 * squares]
    products, reductions = 16**3, pytest.approx(4 / 3 * 16**3)
    assert [line["operations"] for line in found[:4]] == [0, 0, products, reductions]
    assert found[6]["operations"] == 2 * 24 * 16**2
    assert found[7]["operations"] == pytest.approx(2 * 4 / 3 * 16**3)
    assert all(line["seconds"] > 0 for line in found)


def test_the_shapes_are_those_of_the_page() -> None:
    """Three squares, and the matrices of a layer of Llama-7B."""
    squares = {f"{n}x{n}": ((n, n),) for n in (256, 1024, 4096)}
    layer = 4 * ((4096, 4096),) + 2 * ((11008, 4096),) + ((4096, 11008),)
    assert {**squares, "Llama-7B layer": layer} == timing.SHAPES


def test_an_error_of_a_step_leaves_the_others(monkeypatch) -> None:
    """A GPU may have no memory for one of them."""

    def full(shapes, device):
        raise torch.OutOfMemoryError("CUDA out of memory")

    quick = lambda shapes, device: Work(lambda: None, 8, 8.0)
    monkeypatch.setattr(timing, "STEPS", {"lines": full, "Gram": quick})
    monkeypatch.setattr(timing, "SHAPES", {"8x8": ((8, 8),)})
    failed, measured = lines("cpu", Rates(1.0, 1.0))
    error = "OutOfMemoryError: CUDA out of memory"
    assert failed == {"step": "lines", "shape": "8x8", "error": error}
    assert measured["bytes"] == 8
