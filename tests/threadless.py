"""The engine without threads of its own, where tests are of what it measures.

Threads that hand over the interpreter for each tensor take a tenth of the time of small models.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch

from weightscope.engine import executor


class Calling:
    """In the place of a pool of threads: what is handed in is done at once, in the same order."""

    def __init__(self, *_, initializer, initargs):
        self.initializer = initializer
        self.initargs = initargs

    def submit(self, function, *arguments):
        """What a worker would do, which an error does not leave before its result is asked for."""
        future = Future()
        try:
            with torch.no_grad():  # a worker's thread records none, the caller's may
                self._begin()
                future.set_result(function(*arguments))
        except BaseException as error:  # also KeyboardInterrupt, as in a pool
            future.set_exception(error)
        return future

    def shutdown(self, cancel_futures):
        """Nothing waits."""

    def _begin(self):
        if self.initializer:
            self.initializer(*self.initargs)
            self.initializer = None


def without_threads():
    """Calls measure in the thread of the test until the `with` ends."""
    return _pooled_by(Calling)


def on_threads():
    """Calls measure on threads until the `with` ends."""
    return _pooled_by(ThreadPoolExecutor)


@contextmanager
def _pooled_by(pool):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(executor, "ThreadPoolExecutor", pool)
        yield
