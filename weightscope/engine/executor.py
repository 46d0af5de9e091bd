"""Runs a plan on threads of this process: workers read and fold, results come in unit order.

Work is handed out first in, first out, and the step that joins the runs of a batch is queued behind
them: it never waits for work that has not begun. Each worker has its own buffers and computes on
one thread: the numbers are the same for any number of workers.
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
from .plan import Batch, Wanted, plan, roomy
from .unit import Each, Measured, Unit

SWITCH = 1e-4  # seconds: calls last 50 microseconds, and Python's 5 milliseconds would block one


@dataclass
class Meter:
    """The progress so far; `stop` ends the work at the next tile."""

    bytes_read: int = 0
    tensors: int = 0
    stop: bool = False
    plans: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, read: int) -> None:
        """Counts the bytes of one tile; raises KeyboardInterrupt after `stop`."""
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
        """Measures units on `device.workers` threads and yields the results in their order."""
        torch_threads = torch.get_num_threads()
        switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        local = threading.local()
        device = roomy(units, self.device)
        executor = replace(self, device=device)
        pool = ThreadPoolExecutor(
            device.workers, "weightscope", initializer=_prepare, initargs=(local, device.name)
        )
        try:
            yield from _in_order(units, executor._batches(units, each, pool, local))
        finally:
            # workers in the middle of a tensor end at their next tile
            self.meter.stop = True
            pool.shutdown(cancel_futures=True)
            self.meter.stop = False
            torch.set_num_threads(torch_threads)
            sys.setswitchinterval(switch_interval)

    def _batches(
        self, units: Sequence[Unit], each: Each, pool: ThreadPoolExecutor, local: Any
    ) -> Iterator[list[Measured]]:
        """Results batch by batch, while a few batches are in flight."""
        queue: deque[Future[list[Measured]]] = deque()
        for batch in plan(units, self.device):
            self.meter.plans.append(batch.why)
            queue.append(self._submit(batch, each, pool, local))
            # two batches a worker: the next one waits ready, and few results wait in memory
            while len(queue) > 2 * self.device.workers:
                yield queue.popleft().result()
        while queue:
            yield queue.popleft().result()

    def _submit(
        self, batch: Batch, each: Each, pool: ThreadPoolExecutor, local: Any
    ) -> Future[list[Measured]]:
        """Queues the runs of a batch, then the step that joins them."""
        runs: list[Future[stream.States]] = []
        # what is held is read by one worker: its passes share the held tensors
        if len(batch.runs) > 1 and not batch.hold:
            runs = [pool.submit(self._fold, batch, i, local) for i in range(len(batch.runs))]
        return pool.submit(self._finish, batch, runs, each, local)

    def _fold(self, batch: Batch, i: int, local: Any) -> stream.States:
        """One run of a batch, in one worker."""
        states = stream.start(batch, self.device)
        return stream.fold(
            batch, batch.runs[i], states, self.device, local.buffers, self.meter.check
        )

    def _finish(
        self, batch: Batch, runs: list[Future[stream.States]], each: Each, local: Any
    ) -> list[Measured]:
        """The results of a batch: from its folded runs, or from passes in this worker."""
        if runs:
            states = stream.merged(run.result() for run in runs)
            sketches = {
                (label, measure): measure.finish(state)
                for (label, measure), state in states.items()
            }
        else:
            sketches = stream.passes(batch, self.device, local.buffers, self.meter.check)
        results = [_result(batch, sketches, i, each) for i in range(len(batch.units))]
        with self.meter.lock:
            self.meter.tensors += len(results)
        return results


def _prepare(local: Any, device: str) -> None:
    """One thread and one set of buffers for each worker."""
    torch.set_num_threads(1)
    local.buffers = Buffers(device)


def _result(batch: Batch, finished: dict[Wanted, Any], i: int, each: Each) -> Measured:
    """The sketches of unit `i` by label and measure, without the refused ones, and its values."""
    unit = batch.units[i]
    sketches: dict[str, dict[Any, Any]] = {}
    for label, measures in unit.wants.items():
        sketches[label] = {
            measure: finished[label, measure][i]
            for measure in measures
            if (label, measure) in finished
        }
    measured = Measured(unit, sketches, batch.lack)
    return replace(measured, values=each(measured))


def _in_order(units: Sequence[Unit], batches: Iterator[list[Measured]]) -> Iterator[Measured]:
    """Results in the order of the units: a stack finishes units out of order, which wait here."""
    position = {id(unit): i for i, unit in enumerate(units)}
    waiting: dict[int, Measured] = {}
    turn = 0
    for batch in batches:
        for measured in batch:
            waiting[position[id(measured.unit)]] = measured
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1
