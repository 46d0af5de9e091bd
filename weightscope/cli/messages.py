"""Messages on stderr: where it cannot be written to, they are lost and nothing else changes.

A full disk, a closed pipe or a closed terminal behind stderr must not end the command: exit code 1,
with which Python ends on an uncaught error, means that a gate matched.
"""

from __future__ import annotations

import os
import sys
import traceback

STDERR = 2


def message(text: str) -> None:
    """Prints a line to stderr."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # ValueError: a closed stream
        discard_stderr()


def print_traceback() -> None:
    """Prints the traceback of the current error to stderr."""
    message(traceback.format_exc().rstrip("\n"))


def flush_messages() -> None:
    """Writes what other modules printed to stderr, such as warnings and the help of the parser."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        discard_stderr()


def discard_stderr() -> None:
    """Redirects stderr to the null device: the interpreter flushes it again when it exits."""
    stream = sys.__stderr__
    if (
        stream is None or stream is not sys.stderr
    ):  # a stream of the caller has no descriptor of ours
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, STDERR)
    os.close(null)
