"""The one place that turns what went wrong into a message and an exit code; commands contain no `try`."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType

from ..errors import WeightscopeError
from ..escape import escaped

REPORT = "this is a fault in weightscope: please report it with the command and --verbose's traceback"


class Exit(Exception):
    """Ends the program with a code; everything that had to be said has been said."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Terminated(BaseException):
    """SIGTERM arrived."""


def guarded(run: Callable[[], object]) -> int:
    """Runs the program and returns its exit code; one short message on stderr for every error."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        run()
        sys.stdout.flush()
    except Exit as ended:
        return _flushed(ended.code)
    except BrokenPipeError:
        return _closed()
    except (KeyboardInterrupt, Terminated) as ended:
        _say("interrupted: nothing more was written, finished files are whole")
        return 130 if isinstance(ended, KeyboardInterrupt) else 143
    except WeightscopeError as fault:
        return _refused(str(fault), fault.code)
    except MemoryError as fault:
        return _refused(f"out of memory: {fault}; lower --memory or --threads", 70)
    except Exception as fault:
        if hasattr(fault, "format_message"):  # a usage error of the option parser, whichever click it carries
            return _refused(f"{fault.format_message()}; see weightscope --help", 2)
        return _refused(f"{type(fault).__name__}: {fault}; {REPORT}", 70)
    return 0


def _refused(message: str, code: int) -> int:
    if "--verbose" in sys.argv or "-v" in sys.argv:
        traceback.print_exc()
    _say(f"weightscope: {escaped(message)}")
    return code


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed()
    return code


def _closed() -> int:
    """The reader went away: keep the interpreter from trying to flush once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _say(line: str) -> None:
    print(line, file=sys.stderr)
