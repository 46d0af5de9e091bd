"""The order of reading, copying and computing in the slots of a sender, whatever takes how long.

Each stream, and the host, knows the work that it comes after: its own, and what it has waited for.
Memory may be written again only by who comes after all that use it.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch
from torch.overrides import TorchFunctionMode

from weightscope.engine.buffers import Buffers
from weightscope.engine.sender import FIXED, Sender

NAME = "cuda:1"


class Stream:
    """A queue, and the work that its next entry comes after."""

    def __init__(self, device: object = None) -> None:
        self.before: set[str] = set()

    def wait_event(self, event: Event) -> None:
        self.before |= event.before

    def wait_stream(self, other: Stream) -> None:
        self.before |= other.before


class Machine(TorchFunctionMode):
    """A device and its host; work has the names `copy 0`, `compute 0` and so on."""

    def __init__(self) -> None:
        super().__init__()
        self.host: set[str] = set()
        self.computing = self.current = Stream()
        self.copies: dict[int, list[str]] = {}  # by the memory that is copied to
        self.users: dict[int, list[str]] = {}  # what was computed of it
        self.number = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        kwargs.pop("pin_memory", None)
        kwargs.pop("device", None)
        if func.__name__ == "copy_" and kwargs.get("non_blocking"):
            self._copied(args[0])
        return func(*args, **kwargs)

    def _copied(self, there: torch.Tensor) -> None:
        memory = there.untyped_storage().data_ptr()
        # new memory may have been that of anything computed so far
        users = self.users.get(memory, self.computing.before)
        assert self.current.before >= set(users), "written while something computes with it"
        self.current.before.add(f"copy {self.number}")
        self.copies.setdefault(memory, []).append(f"copy {self.number}")
        self.users.setdefault(memory, [])

    def compute(self, *parts: torch.Tensor) -> None:
        """Queues work on copied bytes."""
        name = f"compute {self.number}"
        for part in parts:
            memory = part.untyped_storage().data_ptr()
            assert self.copies[memory][-1] in self.computing.before, "computed before its copy"
            self.users[memory].append(name)
        self.computing.before.add(name)
        self.number += 1


class Event:
    """A mark; `machine` is that of the test."""

    machine: Machine

    def __init__(self) -> None:
        self.before: set[str] = set()

    def record(self, stream: Stream) -> None:
        self.before = set(stream.before)

    def synchronize(self) -> None:
        self.machine.host |= self.before


@pytest.fixture
def machine(monkeypatch) -> Machine:
    """Under the names by which a sender asks for it."""
    found = Machine()

    @contextmanager
    def stream(chosen: Stream):
        found.current = chosen
        yield
        found.current = found.computing

    monkeypatch.setattr(Event, "machine", found, raising=False)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: found.computing)
    return found


def send(machine: Machine, sender: Sender, slot: int, size: int, last: dict[int, str]):
    """One copy; the host fills a slot after the last copy of that slot, and waits for no other."""

    def read(i: int, target: memoryview) -> None:
        assert slot not in last or last[slot] in machine.host, "filled while it is copied"
        others = {name for other, name in last.items() if other != slot}
        assert newest not in others or newest not in machine.host, "waited for another slot"

    newest = f"copy {machine.number - 1}"
    (part,) = sender.sent([size], read, slot)
    last[slot] = f"copy {machine.number}"
    assert last[slot] not in machine.host, "waited for its own copy"
    return part


def test_slots_are_written_again_after_their_use(machine) -> None:
    """Of tiles in turn, of which some are larger, beside what all tiles of a matrix need."""
    buffers, last = Buffers(NAME), {}
    with machine:
        sender = buffers.sending()
        for size in (100, 700, 300):  # of a matrix
            fixed = send(machine, sender, FIXED, 4 * size, last)
            machine.compute(fixed)
            for number in range(5):
                part = send(machine, sender, buffers.slot(number), size + number, last)
                machine.compute(part, fixed)
    copied = [len(names) for names in machine.copies.values()]
    assert max(copied) > 1, "no memory is used again"


def test_tiles_take_two_slots_in_turn(machine) -> None:
    """So the host reads a tile while the one before it is copied."""
    buffers, last = Buffers(NAME), {}
    with machine:
        for number in range(6):
            slot = buffers.slot(number)
            part = send(machine, buffers.sending(), slot, 100, last)
            machine.compute(part)
            assert f"copy {number}" not in machine.host
            assert number == 0 or f"copy {number - 1}" not in machine.host
    assert set(last) == {0, 1}


@pytest.mark.parametrize("larger", [False, True])
def test_memory_is_freed_after_its_copy(machine, larger) -> None:
    """At the end, and where a slot has to grow."""
    with machine:
        sender = Sender(NAME)
        machine.compute(*sender.sent([100], lambda i, target: None, 0))
        assert machine.host == set()
        if larger:
            sender.sent([200], lambda i, target: None, 0)
        else:
            sender.free(0)
            assert sender.slots == {}
    assert machine.host == {"copy 0"}
