"""A call in a copy of this process, for tests that need one of their own: imports are done."""

import os
import traceback
import warnings


def forked(call):
    """Exit code of the copy, and the text that `call` returns there, or its traceback."""
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads of this process wait
        child = os.fork()
    if child == 0:
        _answer(call, theirs)
    os.close(theirs)
    with open(ours, encoding="utf-8") as file:
        text = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def _answer(call, pipe):
    """The end of the copy: it leaves no file, no report and no cleaning up of the tests."""
    code = 1
    try:
        text = call()
        code = 0
    except BaseException:
        text = traceback.format_exc()
    with open(pipe, "w", encoding="utf-8") as file:
        file.write(text)
    os._exit(code)
