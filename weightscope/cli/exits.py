"""Turns every exception into a message and an exit code; commands contain no `try`."""

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
    """Ends the program with a code, after all messages are printed."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Terminated(BaseException):
    """SIGTERM arrived."""


def guarded(run: Callable[[], int]) -> int:
    """Runs the program and returns its exit code; prints one short message for every error."""
    signal.signal(signal.SIGTERM, _terminate)
    _open_streams()
    try:
        return _flushed(run())
    except Exit as end:
        return _flushed(end.code)
    except BrokenPipeError:
        return _closed_pipe()
    except SystemExit as end:
        return _parser_exit(end)
    except KeyboardInterrupt:
        return _interrupted(130)
    except Terminated:
        return _interrupted(143)
    except WeightscopeError as error:
        return _failed(str(error), error.code)
    except MemoryError as error:
        return _failed(f"out of memory: {error}; lower --memory or --threads", 70)
    except OSError as error:
        return _system_error(error)
    except Exception as error:
        # typer may come with its own copy of click, so its errors are recognised by a method
        if hasattr(error, "format_message"):
            return _usage_error(error)
        return _failed(f"{type(error).__name__}: {error}; {REPORT}", 70)


def _parser_exit(end: SystemExit) -> int:
    """The code for an exit of the parser itself, as after shell completion.

    A pipe may close during the help. A failure of the parser, such as a shell without completion,
    is an error of usage.
    """
    if isinstance(end.__context__, BrokenPipeError):
        return _closed_pipe()
    return _flushed(2 if end.code else 0)


def _interrupted(code: int) -> int:
    _print("interrupted: nothing more was written, finished files are complete")
    return code


def _usage_error(error: Any) -> int:
    """A usage error of the option parser; without any argument its text is the help."""
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        _print(message)
        return 2
    return _failed(f"{message.rstrip('.')}; see weightscope --help", 2)


def _system_error(error: OSError) -> int:
    """An error of the system: a full disk, a file that is no longer readable."""
    _discard_stdout()
    reason = error.strerror or error
    return _failed(
        f"expected to read and write to the end; found: {reason}; check whether the disk is full",
        3,
    )


def _failed(message: str, code: int) -> int:
    if "--verbose" in sys.argv or "-v" in sys.argv:
        traceback.print_exc()
    _print(f"weightscope: {escaped(message)}")
    return code


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:
        return _system_error(error)
    return code


def _closed_pipe() -> int:
    """The reader of stdout closed the pipe: the code that a shell gives for SIGPIPE."""
    _discard_stdout()
    return 141


def _discard_stdout() -> None:
    """Redirects stdout to the null device: the interpreter flushes it again when it exits."""
    stdout = 1
    if sys.__stdout__:
        stdout = sys.__stdout__.fileno()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stdout)


def _open_streams() -> None:
    """Opens the null device for streams that the caller closed (`>&-`).

    Otherwise `print` to a missing stderr would write to stdout.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _print(text: str) -> None:
    print(text, file=sys.stderr)
