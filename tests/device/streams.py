"""Streams and events of the pretended device: a queued copy happens when something waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager

from tests.device.pretended import NAME


class Stream:
    """A queue of copies."""

    def __init__(self, device=None) -> None:
        if str(device) != NAME and current_device() != NAME:
            raise AssertionError("a stream of another device")
        self.pending: list[Callable[[], object]] = []
        # memory of the host that is copied from, until the host itself has waited
        self.sources: set[int] = set()

    def run(self) -> None:
        """Does what was queued."""
        while self.pending:
            self.pending.pop(0)()

    def wait_event(self, event: Event) -> None:
        """What follows here comes after the event: the device of the tests computes at once."""
        if event.stream:
            event.stream.run()

    def wait_stream(self, other: Stream) -> None:
        """What follows here comes after all that the other stream has queued."""
        other.run()

    def record_event(self, event: Event | None = None) -> Event:
        """An event that stands after all that was queued."""
        event = event or Event()
        event.stream = self
        return event

    def synchronize(self) -> None:
        """The host waits for all that was queued."""
        self.run()
        self.sources.clear()


class Event:
    """A mark in a stream."""

    def __init__(self, **options: object) -> None:
        self.stream: Stream | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Sets the mark."""
        self.stream = stream or current_stream()

    def synchronize(self) -> None:
        """The host waits for the mark."""
        if self.stream:
            self.stream.synchronize()


local = threading.local()


def set_device(device: object) -> None:
    """The current device of this thread."""
    local.device = str(device)


def current_device() -> str:
    """cuda:0 unless it was set, as it is on real machines."""
    return getattr(local, "device", "cuda:0")


def current_stream(device: object = None) -> Stream:
    """The stream on which this thread computes."""
    if not hasattr(local, "default"):
        local.default = Stream(NAME)
    return getattr(local, "stream", None) or local.default


@contextmanager
def stream(chosen: Stream):
    """Queues what follows in another stream."""
    before = getattr(local, "stream", None)
    local.stream = chosen
    try:
        yield
    finally:
        local.stream = before


def queued(copy: Callable[[], object], source: int) -> None:
    """Queues a copy; the stream on which the device computes does it at once.

    The host has filled the memory at `source`, which it may not while an earlier copy reads it.
    """
    if getattr(local, "stream", None):
        if source in local.stream.sources:
            raise AssertionError("the host has overwritten what is still copied")
        local.stream.sources.add(source)
        local.stream.pending.append(copy)
    else:
        copy()
