"""Too little memory is told from faults, in every form in which libraries report it."""

import pytest

from tests.memory_errors import OF_A_GPU, OF_OTHER_CAUSES, OF_THE_HOST
from weightscope.out_of_memory import is_out_of_memory

LACKING = OF_A_GPU | OF_THE_HOST


@pytest.mark.parametrize("error", LACKING.values(), ids=LACKING)
def test_every_form_is_recognised(error):
    """By its class or text, and as the cause of another error."""
    assert is_out_of_memory(error)
    outer = ImportError("Importing the numpy C-extensions failed")
    outer.__cause__ = error
    assert is_out_of_memory(outer)


@pytest.mark.parametrize("error", OF_OTHER_CAUSES.values(), ids=OF_OTHER_CAUSES)
def test_other_causes_are_faults(error):
    """Texts that also stand for other causes, words of this project, and names of files."""
    assert not is_out_of_memory(error)
    outer = RuntimeError("ouch")
    outer.__context__ = error
    assert not is_out_of_memory(outer)


def test_causes_may_refer_to_each_other():
    """A chain that comes back to itself ends."""
    one, other = RuntimeError("ouch"), RuntimeError("again")
    one.__context__, other.__context__ = other, one
    assert not is_out_of_memory(one)
