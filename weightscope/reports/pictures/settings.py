"""Settings of matplotlib: its own defaults, whatever a folder or the environment states.

matplotlib reads `matplotlibrc` in the current folder when it is imported, and the variable
MPLBACKEND. The folder of a downloaded model is of unknown origin: its file changed pictures, and a
broken one ended the run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ...lazy import matplotlib

_BACKEND = "MPLBACKEND"
# of a program with windows; figures are written to files without any of them
_INTERACTIVE = frozenset(("backend", "backend_fallback", "interactive", "toolbar", "timezone"))


def load() -> None:
    """Import matplotlib without the file of the current folder and without MPLBACKEND.

    Only the command line calls it, before other threads exist: they share the current folder.
    """
    if "matplotlib" in sys.modules:
        return
    backend = os.environ.pop(_BACKEND, None)
    try:
        with _away():
            _ = matplotlib.rcParams
    finally:
        if backend is not None:
            os.environ[_BACKEND] = backend


@contextmanager
def _away() -> Iterator[None]:
    """A current folder that holds no settings: that of this package."""
    try:
        here = os.getcwd()
    except OSError:  # it was removed: it holds nothing
        yield
        return
    os.chdir(os.path.dirname(__file__))
    try:
        yield
    finally:
        os.chdir(here)


@contextmanager
def defaults() -> Iterator[None]:
    """Draw and save with the defaults of matplotlib; afterwards the settings are as before."""
    every = dict.items(matplotlib.rcParamsDefault)
    own = {name: value for name, value in every if name not in _INTERACTIVE}
    own["svg.hashsalt"] = "weightscope"  # ids of an SVG are the same in each run
    with matplotlib.rc_context(own):
        yield
