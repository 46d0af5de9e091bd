"""What the benches share.

The best of several rounds, measures through the engine, and a command as a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

from weightscope.checkpoints import Stored
from weightscope.engine import Executor, Unit, choose
from weightscope.sketches import Measure

THREADS, MEMORY = 2, 512 << 20
Line = tuple[str, str, str, str]  # what, speed, ratio, asked for

# A process inherits the peak of the one that started it: a small one stands between.
LAUNCHER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
took = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(json.dumps([done.returncode, done.stdout, done.stderr, took, cpu, used.ru_maxrss]))
"""


@dataclass(frozen=True)
class Ran:
    """One command: what it wrote, wall and CPU seconds, peak memory in bytes."""

    stdout: str
    wall: float
    cpu: float
    peak: int


def ran(*command: str) -> Ran:
    """A command in a process of its own, its libraries on THREADS threads."""
    limits = {f"{library}_NUM_THREADS": str(THREADS) for library in ("OMP", "MKL", "OPENBLAS")}
    whole = [sys.executable, "-S", "-c", LAUNCHER, *command]
    answer = subprocess.run(
        whole, check=True, capture_output=True, text=True, env=os.environ | limits
    )
    code, stdout, stderr, wall, cpu, peak = json.loads(answer.stdout)
    if code:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {code}:\n{stderr[-2000:]}")
    return Ran(stdout, wall, cpu, peak << 10)


def least(rounds: list[Ran]) -> Ran:
    """Several rounds as one: least seconds, greatest peak."""
    return Ran(
        rounds[-1].stdout,
        min(r.wall for r in rounds),
        min(r.cpu for r in rounds),
        max(r.peak for r in rounds),
    )


def best(run: Callable[[], object], rounds: int = 4) -> float:
    """Least seconds of several rounds."""
    times = []
    for _ in range(rounds):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return min(times)


def beside(rounds: int, *runs: Callable[[], object]) -> list[float]:
    """Least seconds of each, in turns: whoever else uses the machine slows all."""
    return [
        min(times)
        for times in zip(*([best(run, 1) for run in runs] for _ in range(rounds)), strict=True)
    ]


def measure(stored: list[Stored], *measures: Measure, memory: int = MEMORY) -> None:
    """The measures of all tensors through the engine."""
    units = [Unit(s.name, {"": s}, {"": frozenset(measures)}) for s in stored]
    for _ in Executor(choose("cpu", memory, THREADS))(units, lambda measured: {}):
        pass


def table(lines: Iterable[Line]) -> None:
    """Prints lines as they come."""
    for what, speed, ratio, target in lines:
        print(f"{what:<46} {speed:>10}   {ratio:<38} {target}", flush=True)
