"""One core and one BLAS thread a test worker.

Threads that wait for each other take half as much CPU again.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when numpy and torch are first imported


def pytest_configure():
    """Workers share the cores evenly; tests of several threads ask for them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
