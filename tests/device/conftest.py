"""The pretended device under the names by which the engine asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from tests.device import streams
from tests.device.pretended import NAME, Log, Pretended
from weightscope.engine import device, executor

CUDA = {
    "is_available": lambda: True,
    "device_count": lambda: 2,
    "set_device": streams.set_device,
    "current_stream": streams.current_stream,
    "stream": streams.stream,
    "Stream": streams.Stream,
    "Event": streams.Event,
    "empty_cache": lambda: None,
}


def seen_by(log: Log, mode: type[Pretended] = Pretended) -> type[ThreadPoolExecutor]:
    """A pool whose threads have the device: modes belong to a thread."""

    class Pool(ThreadPoolExecutor):
        def submit(self, call, *args):
            def seen():
                with mode(log, streams):
                    return call(*args)

            return super().submit(seen)

    return Pool


def pretended(monkeypatch, free: int) -> Log:
    """A device with so many free bytes, `cuda:1`, to the end of the test.

    The patches are those of the test: what it patches after them is undone before them.
    """
    log = Log()
    for name, stand_in in CUDA.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    before = device.free_memory
    monkeypatch.setattr(device, "free_memory", lambda name: free if name == NAME else before(name))
    monkeypatch.setattr(executor, "ThreadPoolExecutor", seen_by(log))
    return log


@pytest.fixture
def gpu(monkeypatch) -> Log:
    """A device with 20 GiB."""
    return pretended(monkeypatch, 20 << 30)


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    """Tests leave torch and the current device as they were: none may need another before it."""
    before = [getattr(torch.cuda, name) for name in CUDA]
    assert streams.current_device() == "cuda:0"
    yield
    assert [getattr(torch.cuda, name) for name in CUDA] == before
    assert streams.current_device() == "cuda:0"
