"""One core and one BLAS thread a test worker, and few searches for garbage.

Threads that wait for each other take half as much CPU again.
"""

import gc
import linecache
import os

import pytest
from xdist.scheduler import LoadFileScheduling

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when numpy and torch are first imported
# without it workers rewrite the assertions of all tests, and processes compile the package
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
ALLOCATIONS = 100_000  # between two searches: torch and all the tests are a large heap to search


def pytest_configure():
    """Processes share the cores evenly; tests of several threads ask for them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    core = os.environ.get("TEST_CORE") or worker.removeprefix("gw")
    if core and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(core) % len(cores)]})
    gc.set_threshold(ALLOCATIONS)


def pytest_collection_finish():
    """What is loaded by now stays until the end, so no search for garbage goes through it.

    Each docstring that runs looks whether the files of cached lines have changed: they are left
    out, those of the whole package, which the search for docstrings has read.
    """
    gc.collect()
    gc.freeze()
    linecache.clearcache()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """All tests of a file in one worker, so that no two make what the file makes once."""
    return LoadFileScheduling(config, log)
