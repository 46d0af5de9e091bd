"""The pretended device under the names by which the engine asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

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


@contextmanager
def pretended(monkeypatch, free: int) -> Iterator[Log]:
    """A device with so many free bytes, `cuda:1`."""
    log = Log()
    with monkeypatch.context() as patch:
        for name, stand_in in CUDA.items():
            patch.setattr(torch.cuda, name, stand_in)
        before = device.free_memory
        patch.setattr(device, "free_memory", lambda name: free if name == NAME else before(name))
        patch.setattr(executor, "ThreadPoolExecutor", seen_by(log))
        yield log


@pytest.fixture
def gpu(monkeypatch) -> Iterator[Log]:
    """A device with 20 GiB."""
    with pretended(monkeypatch, 20 << 30) as log:
        yield log
