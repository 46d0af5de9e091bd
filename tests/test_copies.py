"""A copy of a process begins and ends as a process of its own does."""

import os
import signal
import subprocess
import sys

import pytest

from tests.copies import LOST, Copies, copies, few_variables

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are copied on POSIX")
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def ended(copy):
    """Code and text of both streams."""
    out, err = copy.communicate()
    return copy.returncode, out, err


def test_a_copy_ends_as_a_process_does():
    """A pipe without a reader, of which Python itself would say a word at the end."""
    command = ["ls", "demo:gpt", "-q"]
    codes = []
    for begin in (copies(), own_process):
        read, write = os.pipe()
        os.close(read)
        run = begin(*command, stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        codes.append(ended(run))
    assert codes == [(141, None, ""), (141, None, "")]


def own_process(*arguments, **streams):
    """Without a copy."""
    command = [sys.executable, "-m", "weightscope", *arguments]
    return subprocess.Popen(command, env=few_variables(), text=True, **streams)


def test_streams_folder_and_variables_are_its_own(tmp_path, monkeypatch):
    """One command after the other, and nothing of the one before."""
    monkeypatch.chdir(tmp_path)
    home = {"HOME": str(tmp_path)}
    code, out, err = ended(copies()("--install-completion", "bash", env=home, **PIPES))
    assert (code, err) == (0, "")
    assert str(tmp_path) in out
    code, out, err = ended(copies()("ls", "none.pt", **PIPES))
    assert (code, out) == (3, "")
    assert "none.pt does not exist" in err
    assert ended(copies()("ls", "demo:gpt", "-o", "r.csv", "-q", **PIPES)) == (0, "", "")
    assert (tmp_path / "r.csv").exists()
    silent = copies()("ls", "demo:gpt", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert ended(silent) == (0, None, None)


def test_a_copy_that_is_ended_has_the_number_of_the_signal():
    """It waits for the reader of a pipe that is full."""
    run = copies()("ls", *["demo:gpt"] * 5, "-f", "json", **PIPES)
    run.send_signal(signal.SIGKILL)
    assert ended(run)[0] == -signal.SIGKILL
    assert ended(copies()("--version", **PIPES))[0] == 0


def test_nothing_is_copied_of_a_process_that_has_ended():
    """Told at once, not after a minute."""
    made = Copies()
    made.process.kill()
    made.process.wait()
    with pytest.raises((AssertionError, OSError), match=f"{LOST}|Broken pipe|reset"):
        made("--version", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made.close()
