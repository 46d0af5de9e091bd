"""SIGINT and SIGTERM end the program within a second, at any moment.

The usual way is an exception, so that files close and workers stop. It fails in three situations:
inside an import, where packages catch every exception and are left half loaded; inside a
destructor, which swallows it; and in a long call of a library, which returns to Python only at its
end. In an import the program therefore ends at once, and after every signal a thread ends it when
GRACE is over. Python's C handler wakes this thread through a pipe.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

from ..unfinished import remove_unfinished

INTERRUPTED = "interrupted: nothing more was written, finished files are complete"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
GRACE = 0.2  # seconds for the usual way
STDERR = 2
_SHOW_CURSOR = "\x1b[?25h"  # the progress bar hides it
_IMPORTS = "<frozen importlib"  # the file of the frames of an import


class Terminated(BaseException):
    """SIGTERM arrived."""


class State:
    """The state of the process: the handler of a signal has no other arguments."""

    # no dataclass: its module would double the time before the handlers are set

    def __init__(self) -> None:
        self.watched = False  # the process is ours: it may end at once
        self.running = False  # a command runs, and catches exceptions
        self.received = 0  # the signal that arrived first, 0 for none
        self.announced = False  # the message is printed


_state = State()


def watch() -> None:
    """Starts the thread that ends this process after a signal; once, as early as possible."""
    if _state.watched or os.name == "nt":
        return
    _state.watched = True  # first: until a command runs, an exception would be a traceback
    _listen()
    awake, wakes = os.pipe()
    os.set_blocking(wakes, False)
    with suppress(RuntimeError):  # too little memory for a thread
        threading.Thread(target=_end_after, args=(awake,), daemon=True).start()
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)


def begin() -> None:
    """A command begins: from now on a signal is an exception outside imports."""
    _listen()
    _state.received = 0
    _state.announced = False
    _state.running = True


def end() -> None:
    """The command has ended: from now on a signal ends the process at once."""
    _state.running = False


def leave_if_received() -> None:
    """Ends the process after a signal: the interpreter takes up to a second to unload packages."""
    if _state.watched and _state.received:
        _leave(_state.received)


def received() -> int:
    """The signal that arrived since the begin, 0 for none."""
    return _state.received


def announce() -> str:
    """The message, which is then printed once."""
    _state.announced = True
    return INTERRUPTED


def _listen() -> None:
    """Handles both signals, except an ignored SIGINT: a shell ignores it for background jobs."""
    signal.signal(signal.SIGTERM, _handle)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _handle)


def _handle(number: int, frame: FrameType | None) -> None:
    """Raises the exception of a signal, or ends the process where that fails."""
    is_second = _state.received != 0
    _state.received = _state.received or number
    if _state.watched and (is_second or not _state.running or _imports(frame)):
        _leave(_state.received)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated


def _imports(frame: FrameType | None) -> bool:
    """Whether an import is among the callers."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTS):
            return True
        frame = frame.f_back
    return False


def _end_after(awake: int) -> None:
    """Waits for a signal, then ends the process unless it ends by itself."""
    while True:
        (number,) = os.read(awake, 1)
        if number in CODES:
            time.sleep(GRACE)
            _leave(number)


def _leave(number: int) -> None:
    """Ends the process: no destructor, no wait for workers, no half-written file."""
    remove_unfinished()
    text = "" if _state.announced else f"{INTERRUPTED}\n"
    with suppress(OSError, ValueError):
        if sys.stderr.isatty():
            text = _SHOW_CURSOR + text
        os.write(STDERR, text.encode())
    os._exit(CODES[signal.Signals(number)])
