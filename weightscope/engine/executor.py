"""Runs a plan on threads of this process: workers read and fold, results come in unit order.

Work is handed out first in, first out, and the step that joins the runs of a batch is queued behind
them: it never waits for work that has not begun. Each worker has its own buffers and computes on
one thread: the numbers are the same for any number of workers. A GPU is fed by one worker; what
follows from the sketches is computed by as many others as there are workers (feeding.py).
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..lazy import torch
from . import stream
from .buffers import Buffers
from .device import Device
from .exact import exact_products
from .feeding import Fed, Feeding
from .plan import Batch, plan, roomy
from .results import in_order, result
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
class Pools:
    """The workers that fold tiles, with what each of them has, and those beside a GPU."""

    folding: ThreadPoolExecutor
    host: ThreadPoolExecutor  # the same on a CPU
    local: Any


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
        pool = _pool(device.feeders, device.name, local)
        host = pool
        if device.is_gpu:
            host = _pool(device.workers, "cpu", threading.local())
        pools = Pools(pool, host, local)
        try:
            with exact_products():
                yield from in_order(units, executor._batches(units, each, pools))
        finally:
            # workers in the middle of a tensor end at their next tile
            self.meter.stop = True
            pool.shutdown(cancel_futures=True)
            host.shutdown(cancel_futures=True)
            self.meter.stop = False
            torch.set_num_threads(torch_threads)
            sys.setswitchinterval(switch_interval)

    def _batches(self, units: Sequence[Unit], each: Each, pools: Pools) -> Iterator[list[Measured]]:
        """Results batch by batch, while a few batches are in flight."""
        submit = self._submit
        if self.device.is_gpu:
            submit = partial(self._feed, Feeding(self.device, self.meter.check))
        queue: deque[Future[list[Measured]]] = deque()
        for batch in plan(units, self.device):
            self.meter.plans.append(batch.why)
            queue.append(submit(batch, each, pools))
            # two batches a worker: the next one waits ready, and few results wait in memory
            while len(queue) > 2 * self.device.workers:
                yield queue.popleft().result()
        while queue:
            yield queue.popleft().result()

    def _feed(
        self, feeding: Feeding, batch: Batch, each: Each, pools: Pools
    ) -> Future[list[Measured]]:
        """Queues a batch for the worker of the GPU, and for another one what follows from it."""
        fed = pools.folding.submit(feeding.fed, batch, pools.local)
        return pools.host.submit(self._follow, feeding, batch, fed, each)

    def _follow(
        self, feeding: Feeding, batch: Batch, fed: Future[Fed], each: Each
    ) -> list[Measured]:
        """The results of a batch that the GPU has measured, or has no memory for."""
        results = feeding.followed(batch, fed.result(), each)
        self._count(results)
        return results

    def _count(self, results: Sequence[Measured]) -> None:
        with self.meter.lock:
            self.meter.tensors += len(results)

    def _submit(self, batch: Batch, each: Each, pools: Pools) -> Future[list[Measured]]:
        """Queues the runs of a batch, then the step that joins them."""
        pool, local = pools.folding, pools.local
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
        results = [result(batch, sketches, i, each) for i in range(len(batch.units))]
        self._count(results)
        return results


def _pool(workers: int, device: str, local: Any) -> ThreadPoolExecutor:
    """Workers of a device."""
    return ThreadPoolExecutor(
        workers, "weightscope", initializer=_prepare, initargs=(local, device)
    )


def _prepare(local: Any, device: str) -> None:
    """One thread and one set of buffers for each worker, and no record of gradients."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)  # a third of the time of operations on small tiles
    local.buffers = Buffers(device)
