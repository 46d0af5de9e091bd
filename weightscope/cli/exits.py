"""Turns every exception into a message and an exit code; commands contain no `try`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import WeightscopeError
from ..escape import escaped
from ..out_of_memory import is_out_of_memory, report
from .interrupts import CODES, Terminated, announce, begin, end, received
from .messages import flush_messages, message, print_traceback

REPORT = (
    "this is a fault in weightscope: please report it with the command and --verbose's traceback"
)


class Exit(Exception):
    """Ends the program with a code, after all messages are printed."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


def guarded(run: Callable[[], int]) -> int:
    """Runs the program and returns its exit code; prints one short message for every error."""
    begin()
    _open_streams()
    code = 70
    with suppress(KeyboardInterrupt, Terminated):  # while another error was handled
        code = _code_of(run)
    if received():  # also where a library turned the exception into another one, or into none
        code = CODES[signal.Signals(received())]
        message(announce())
    elif code in CODES.values():
        message(announce())
    flush_messages()
    end()
    return code


def _code_of(run: Callable[[], int]) -> int:
    """The exit code of a run; of an interrupt too, whose message follows."""
    try:
        return _flushed(run())
    except Exit as ending:
        return _flushed(ending.code)
    except BrokenPipeError:
        return _closed_pipe()
    except SystemExit as ending:
        return _parser_exit(ending)
    except KeyboardInterrupt:
        return 130
    except Terminated:
        return 143
    except Exception as error:
        if received():
            return 70
        return _error(error)


def _error(error: Exception) -> int:
    """Prints what an error says, and returns its code."""
    if isinstance(error, WeightscopeError):
        # the notes are messages about further MODELs
        return _failed(str(error), error.code, getattr(error, "__notes__", ()))
    if is_out_of_memory(error):
        return _failed(report(error), 70)
    if isinstance(error, OSError):
        return _system_error(error)
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


def _usage_error(error: Any) -> int:
    """A usage error of the option parser; without any argument its text is the help."""
    text = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        message(text)
        return 2
    return _failed(f"{text.rstrip('.')}; see weightscope --help", 2)


def _system_error(error: OSError) -> int:
    """An error of the system: a full disk, a file that is no longer readable."""
    _discard_stdout()
    reason = error.strerror or error
    return _failed(
        f"expected to read and write to the end; found: {reason}; check whether the disk is full",
        3,
    )


def _failed(text: str, code: int, further: Sequence[str] = ()) -> int:
    if "--verbose" in sys.argv or "-v" in sys.argv:
        print_traceback()
    for one in (text, *further):
        message(f"weightscope: {escaped(one)}")
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
