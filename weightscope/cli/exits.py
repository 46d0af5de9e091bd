"""The one place that turns what went wrong into a message and an exit code; commands contain no `try`."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from ..errors import WeightscopeError
from ..escape import escaped

REPORT = (
    "this is a fault in weightscope: please report it with the command and --verbose's traceback"
)


class Exit(Exception):
    """Ends the program with a code; everything that had to be said has been said."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Terminated(BaseException):
    """SIGTERM arrived."""


def guarded(run: Callable[[], int]) -> int:
    """Runs the program and returns its exit code; one short message on stderr for every error."""
    signal.signal(signal.SIGTERM, _terminate)
    _opened()
    try:
        return _flushed(run())
    except Exit as ended:
        return _flushed(ended.code)
    except BrokenPipeError:
        return _closed()
    except SystemExit as ended:
        return _ended(ended)
    except (KeyboardInterrupt, Terminated) as ended:
        _say("interrupted: nothing more was written, finished files are whole")
        return 130 if isinstance(ended, KeyboardInterrupt) else 143
    except WeightscopeError as fault:
        return _refused(str(fault), fault.code)
    except MemoryError as fault:
        return _refused(f"out of memory: {fault}; lower --memory or --threads", 70)
    except OSError as fault:
        return _lost(fault)
    except Exception as fault:
        return _misused(fault) if hasattr(fault, "format_message") else _broken(fault)


def _ended(ended: SystemExit) -> int:
    """The code for an exit of the parser itself: completion ends so, and so does a pipe that closes under the help.

    The parser's own failure, such as a shell for which it has no completion, is an error of usage.
    """
    if isinstance(ended.__context__, BrokenPipeError):
        return _closed()
    return _flushed(2 if ended.code else 0)


def _misused(fault: Any) -> int:
    """A usage error of the option parser, whichever click it carries; without arguments it is the help."""
    message = fault.format_message()
    if type(fault).__name__ == "NoArgsIsHelpError":
        _say(message)
        return 2
    return _refused(f"{message.rstrip('.')}; see weightscope --help", 2)


def _lost(fault: OSError) -> int:
    """The outside world failed: a full disk, a file that cannot be read any more."""
    _silenced()
    found = fault.strerror or fault
    return _refused(
        f"expected to read and write to the end; found: {found}; see whether the disk is full", 3
    )


def _broken(fault: Exception) -> int:
    return _refused(f"{type(fault).__name__}: {fault}; {REPORT}", 70)


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
    except OSError as fault:
        return _lost(fault)
    return code


def _closed() -> int:
    """The reader went away."""
    _silenced()
    return 141


def _silenced() -> None:
    """Keeps the interpreter from trying once more to flush what cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _opened() -> None:
    """Streams that the caller closed (`>&-`) are as good as the null device; print would else choose the other one."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _say(line: str) -> None:
    print(line, file=sys.stderr)
