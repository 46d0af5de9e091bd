"""Runs a plan on threads of this process: workers read and fold, answers come out in the order of the units.

Work is handed out first in, first out, and the step that joins a batch's runs is queued behind them: it never waits
for work that has not begun. Each worker keeps its own buffers and computes on one thread: the same numbers for any
number of workers.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from ..lazy import torch
from . import stream
from .buffers import Buffers
from .device import Device
from .plan import Batch, plan, roomy
from .unit import Each, Measured, Unit

SWITCH = 1e-4  # seconds: calls last 50 microseconds, and 5 milliseconds is a long wait for one


@dataclass
class Meter:
    """What has been done so far, for whoever watches; `stop` ends the work at the next tile."""

    bytes_read: int = 0
    tensors: int = 0
    stop: bool = False
    plans: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, read: int) -> None:
        """Counts the bytes of one tile; raises where the work is to end."""
        with self.lock:
            self.bytes_read += read
        if self.stop:
            raise KeyboardInterrupt


@dataclass(frozen=True)
class Executor:
    """The engine, bound to a device: call it with units."""

    device: Device
    meter: Meter = field(default_factory=Meter)

    def __call__(self, units: Sequence[Unit], each: Each) -> Iterator[Measured]:
        """Measures units on `device.workers` threads and yields their answers in order."""
        before, own = (torch.get_num_threads(), sys.getswitchinterval()), threading.local()
        sys.setswitchinterval(SWITCH)
        device = roomy(units, self.device)
        pool = ThreadPoolExecutor(
            device.workers, "weightscope", initializer=_prepare, initargs=(own, device.name)
        )
        try:
            yield from _in_order(
                units, replace(self, device=device)._answers(units, each, pool, own)
            )
        finally:
            self.meter.stop = True
            pool.shutdown(cancel_futures=True)
            self.meter.stop = False
            torch.set_num_threads(before[0])
            sys.setswitchinterval(before[1])

    def _answers(
        self, units: Sequence[Unit], each: Each, pool: ThreadPoolExecutor, own: Any
    ) -> Iterator[list[Measured]]:
        """Batches finished, a few in flight."""
        queue: deque[Future[list[Measured]]] = deque()
        for batch in plan(units, self.device):
            self.meter.plans.append(batch.why)
            queue.append(self._submit(batch, each, pool, own))
            while len(queue) > 2 * self.device.workers:
                yield queue.popleft().result()
        while queue:
            yield queue.popleft().result()

    def _submit(
        self, batch: Batch, each: Each, pool: ThreadPoolExecutor, own: Any
    ) -> Future[list[Measured]]:
        runs: list[Future[stream.States]] = []
        if len(batch.runs) > 1 and not batch.hold:
            runs = [pool.submit(self._fold, batch, i, own) for i in range(len(batch.runs))]
        return pool.submit(self._finish, batch, runs, each, own)

    def _fold(self, batch: Batch, i: int, own: Any) -> stream.States:
        states = stream.start(batch, self.device)
        return stream.fold(batch, batch.runs[i], states, self.device, own.buffers, self.meter.check)

    def _finish(
        self, batch: Batch, runs: list[Future[stream.States]], each: Each, own: Any
    ) -> list[Measured]:
        if runs:
            joined = stream.merged(run.result() for run in runs)
            done = {w: w[1].finish(s) for w, s in joined.items()}
        else:
            done = stream.passes(batch, self.device, own.buffers, self.meter.check)
        answers = [_answer(batch, done, i, each) for i in range(len(batch.units))]
        with self.meter.lock:
            self.meter.tensors += len(answers)
        return answers


def _prepare(own: Any, device: str) -> None:
    """One thread and one set of buffers for each worker."""
    torch.set_num_threads(1)
    own.buffers = Buffers(device)


def _answer(batch: Batch, done: dict[stream.Wanted, Any], i: int, each: Each) -> Measured:
    unit = batch.units[i]
    sketches = {
        label: {m: done[label, m][i] for m in ms if (label, m) in done}
        for label, ms in unit.wants.items()
    }
    measured = Measured(unit, sketches, batch.lack)
    return replace(measured, values=each(measured))


def _in_order(units: Sequence[Unit], answers: Iterator[list[Measured]]) -> Iterator[Measured]:
    """Stacks answer out of turn: hold what comes early."""
    waiting: dict[int, Measured] = {}
    place, turn = {id(u): i for i, u in enumerate(units)}, 0
    for batch in answers:
        waiting |= {place[id(m.unit)]: m for m in batch}
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1
