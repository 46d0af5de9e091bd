"""Signals at any moment: in imports, in destructors, in long calls, at the start and the end."""

import os
import signal
import subprocess
import sys
import time
from importlib import import_module

import pytest

from weightscope import unfinished
from weightscope.cli import exits, interrupts
from weightscope.cli.interrupts import INTERRUPTED
from weightscope.reports.files import write_atomically

WAIT = 60


@pytest.fixture(autouse=True)
def handlers():
    """The handlers of this process as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Left(BaseException):
    """The process would have ended at once."""


@pytest.fixture
def leaves(monkeypatch):
    """A process of our own: leaving it raises Left, with the signal."""

    def leave(number):
        raise Left(number)

    monkeypatch.setattr(interrupts, "_leave", leave)
    monkeypatch.setattr(interrupts._state, "watched", True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_swallowed_interrupt_keeps_its_code(capsys, number, code):
    """Where a library turns the exception into another error, or into none."""

    def swallowing():
        try:
            os.kill(os.getpid(), number)
            time.sleep(1)
        except BaseException as error:
            raise RecursionError from error

    def silent():
        try:
            os.kill(os.getpid(), number)
            time.sleep(1)
        except BaseException:
            return 0

    for run in (swallowing, silent):
        assert exits.guarded(run) == code
        assert capsys.readouterr().err == f"{INTERRUPTED}\n"


def test_a_second_error_while_the_first_is_handled(capsys, monkeypatch):
    """An interrupt while a message is made ends with its code, not with a traceback."""

    def interrupted(error):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    monkeypatch.setattr(exits, "_error", interrupted)
    assert exits.guarded(lambda: 1 // 0) == 130
    assert capsys.readouterr().err == f"{INTERRUPTED}\n"


@pytest.mark.usefixtures("leaves")
def test_an_import_is_left_at_once(tmp_path, monkeypatch):
    """Although the module catches every exception and imports another."""
    inner, outer = tmp_path / "slow_inner.py", tmp_path / "catching_outer.py"
    inner.write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(1)\n"
    )
    outer.write_text("try:\n    import slow_inner\nexcept Exception:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Left) as left:
        exits.guarded(lambda: bool(import_module("catching_outer")) - 1)
    assert left.value.args == (signal.SIGTERM,)


@pytest.mark.usefixtures("leaves")
def test_the_second_signal_and_one_after_the_end_leave_at_once():
    """The first signal of a command is an exception; one outside a command has none to catch it."""

    def twice():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        except interrupts.Terminated:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        return 0

    with pytest.raises(Left) as left:
        exits.guarded(twice)
    assert left.value.args == (signal.SIGTERM,)
    interrupts.begin()
    interrupts.end()
    with pytest.raises(Left):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("leaves")
def test_a_signal_while_the_watch_starts_leaves_at_once(monkeypatch):
    """Starting a thread takes time, and no command runs yet that would catch an exception."""
    monkeypatch.setattr(interrupts._state, "watched", False)
    monkeypatch.setattr(interrupts._state, "running", False)
    monkeypatch.setattr(interrupts._state, "received", 0)
    monkeypatch.setattr(interrupts.os, "pipe", lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Left) as left:
        interrupts.watch()
    assert left.value.args == (signal.SIGINT,)


@pytest.mark.usefixtures("leaves")
def test_an_interrupted_program_is_not_unloaded(capsys):
    """Unloading torch takes up to a second, in which no thread can end the process."""
    interrupts.begin()
    interrupts.leave_if_received()
    assert exits.guarded(lambda: signal.raise_signal(signal.SIGTERM) or 0) == 143
    with pytest.raises(Left) as left:
        interrupts.leave_if_received()
    assert left.value.args == (signal.SIGTERM,)
    assert capsys.readouterr().err == f"{INTERRUPTED}\n"


def test_a_process_of_the_caller_is_not_left():
    """Where the program runs inside of another one, which has not started the watch."""
    exits.guarded(lambda: signal.raise_signal(signal.SIGTERM) or 0)
    interrupts.leave_if_received()


def test_an_ignored_interrupt_stays_ignored():
    """A shell ignores SIGINT for jobs in the background; SIGTERM still ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def run():
        signal.raise_signal(signal.SIGINT)
        return 0

    assert exits.guarded(run) == 0
    assert exits.guarded(lambda: signal.raise_signal(signal.SIGTERM) or 0) == 143


STUCK = """
import sys, time
from pathlib import Path
from weightscope import unfinished
from weightscope.cli.interrupts import begin, watch
watch()
begin()
unfinished.FILES.add(Path(sys.argv[1]))
end = time.time() + 30
while time.time() < end:
    try:
        print("ready", flush=True)
        time.sleep(30)
    except BaseException:
        pass
"""


def test_a_process_that_swallows_the_interrupt_ends(tmp_path):
    """A fifth of a second later, with the message and without half-written files."""
    half = tmp_path / "half.tmp"
    half.touch()
    command = [sys.executable, "-S", "-c", STUCK, str(half)]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert run.stdout.readline() == "ready\n"
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=WAIT)
    assert (run.returncode, err) == (143, f"{INTERRUPTED}\n")
    assert not half.exists()


def test_files_are_unfinished_while_they_are_written(tmp_path):
    """And no longer once they are complete, or have failed."""
    target = tmp_path / "r.csv"
    seen = []

    def writer(stream):
        seen.extend(unfinished.FILES)
        stream.write(b"x")

    def failing(stream):
        raise KeyboardInterrupt

    write_atomically(target, writer)
    assert [path.parent for path in seen] == [tmp_path]
    assert not unfinished.FILES
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, failing)
    assert not unfinished.FILES
    assert target.read_bytes() == b"x"
