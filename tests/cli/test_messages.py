"""Messages that cannot be written are lost; the report and the exit code stay."""

import os
import subprocess

import pytest

from weightscope.cli import messages


def closed_pipe():
    ours, theirs = os.pipe()
    os.close(ours)
    return theirs


def full():
    return os.open("/dev/full", os.O_WRONLY)


def unwritable():
    return os.open(os.devnull, os.O_RDONLY)


@pytest.mark.parametrize("stderr", [full, closed_pipe, unwritable])
def test_an_error_keeps_its_code(copied, stderr):
    """Code 1 means that a gate matched: a wrong column stays 2, whatever stderr is."""
    descriptor = stderr()
    run = copied("ls", "demo:gpt", "--columns", "nn", stdout=subprocess.PIPE, stderr=descriptor)
    os.close(descriptor)
    assert run.communicate()[0] == ""
    assert run.returncode == 2


def test_notes_that_are_lost_change_nothing(copied, odd):
    """The report is complete; flags of the file go nowhere."""
    descriptor = full()
    run = copied("ls", odd, "--columns", "tensor", stdout=subprocess.PIPE, stderr=descriptor)
    os.close(descriptor)
    out, _ = run.communicate()
    assert (run.returncode, out.count("\n")) == (0, 8)  # one name has a line break


class Full:
    """A stream of a full disk."""

    def write(self, text):
        raise OSError(28, "No space left on device")

    def flush(self):
        raise OSError(28, "No space left on device")

    def isatty(self):
        return False


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--fail-if", "params > 10**9"], 0),
        (["--fail-if", "params > 0"], 1),
        (["--columns", "nn"], 2),
        (["--columns", "nn", "--verbose"], 2),
        (["--layers", "99"], 2),
    ],
    ids=str,
)
def test_every_code_survives(weightscope, model, monkeypatch, options, code):
    """Gates, usage, tracebacks: each as with a stderr that works."""
    monkeypatch.setattr("sys.stderr", Full())
    assert weightscope("ls", model, *options).code == code


def test_flushing_a_broken_stderr_is_no_error(monkeypatch):
    """Text of other modules that is still in its buffer."""
    monkeypatch.setattr("sys.stderr", Full())
    messages.flush_messages()
