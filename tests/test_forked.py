"""A copy of this process says how it ended."""

import os
import signal
import sys
from functools import partial

import pytest

from tests.forked import forked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are copied on POSIX")


def test_a_call_gives_its_text_and_leaves_this_process_alone():
    """The copy has its own variables."""
    numbers = [1]

    def changed():
        numbers.append(2)
        return f"{numbers} é"

    assert forked(changed) == (0, "[1, 2] é")
    assert numbers == [1]


def test_an_error_is_1_with_its_traceback():
    """Of any type."""
    code, text = forked(partial(int, "x"))
    assert code == 1
    assert "ValueError: invalid literal" in text


def test_a_copy_that_is_ended_has_the_number_of_the_signal():
    """As the limits of a process end it."""
    end = lambda: os.kill(os.getpid(), signal.SIGXCPU)
    assert forked(end) == (-signal.SIGXCPU, "")
