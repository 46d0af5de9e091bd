"""One core and one BLAS thread a test worker, and few searches for garbage.

Threads that wait for each other take half as much CPU again.
"""

import gc
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when numpy and torch are first imported
ALLOCATIONS = 100_000  # between two searches: torch and all the tests are a large heap to search


def pytest_configure():
    """Workers share the cores evenly; tests of several threads ask for them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
    gc.set_threshold(ALLOCATIONS)
