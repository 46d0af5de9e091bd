"""What a fresh process loads: importing, help and `ls` are light."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from weightscope.analyses import ANALYSES

HEAVY = {"torch", "pandas", "scipy", "pyarrow", "matplotlib", "PIL"}
OLD_TYPER = tuple(map(int, version("typer").split(".")[:2])) < (
    0,
    20,
)  # which loads rich for plain help too
MEASURING = (
    "weightscope.checkpoints.readers",
    "weightscope.engine",
    "weightscope.naming",
    "weightscope.sketches",
    "weightscope.statistics",
)
MODULES = 75  # of the project itself, a few more than help needs today
MISTAKE = ("fit", "demo:gpt", "--by", "nothing")  # last: it loads the library
HELP = [("--help",), ("--version",), *((a.name, "--help") for a in ANALYSES), MISTAKE]
LISTS = [
    ("ls", "demo:gpt", *more)
    for more in ((), ("--by", "dtype"), ("-f", "json"), ("-f", "table"), ("--metadata",))
]
IMPORTS = """
import sys
loaded = [sorted(sys.modules)]
import weightscope
loaded.append(sorted(sys.modules))
import weightscope.__main__
loaded.append(sorted(sys.modules))
import json
print(json.dumps(loaded), file=sys.stderr)
"""
RUN = """
import sys, json
from weightscope.__main__ import main
answers = []
for arguments in LINES:
    sys.argv = ["weightscope", *arguments]
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    answers.append([code, sorted(sys.modules)])
print(json.dumps(answers), file=sys.stderr)
"""


def fresh(code):
    """The last line of stderr of a fresh interpreter, read as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1])


def answered(lines):
    """The exit code of each command line, and what one process has loaded by its end.

    They run in turn: what a line loads is still there at the next one.
    """
    return dict(zip(lines, fresh(f"LINES = {lines!r}" + RUN), strict=True))


@pytest.fixture(scope="module")
def helped():
    return answered(HELP)


@pytest.fixture(scope="module")
def listed():
    return answered(LISTS)


@pytest.fixture(scope="module")
def imported():
    """What a process has loaded: without weightscope, with it, at the begin of its program."""
    return fresh(IMPORTS)


def test_importing_is_light(imported):
    """`import weightscope` loads none of the heavy packages, numpy and rich neither.

    And few modules of its own.
    """
    _, loaded, _ = imported
    assert not (HEAVY | {"numpy", "rich", "typer"}) & set(loaded)
    assert len([m for m in loaded if m.startswith("weightscope")]) <= 2


def test_signals_are_handled_early(imported):
    """None of the larger modules of Python is loaded before: an interrupt would be a traceback."""
    bare, _, loaded = imported
    assert "weightscope.cli.interrupts" in loaded
    assert not {"typing", "dataclasses", "inspect", "pathlib"} & (set(loaded) - set(bare))


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_is_light(helped, arguments):
    """Help, the version and a mistake are answered without any heavy package.

    And help without the library itself, nor any package that reads names, files or weights: the
    time of `--help` is that of these imports (`make bench` states it).
    """
    code, loaded = helped[arguments]
    assert code == (2 if "nothing" in arguments else 0)
    assert not HEAVY & set(loaded)
    if code == 0:
        assert not {"weightscope.api", "numpy"} & set(loaded)
        assert OLD_TYPER or "rich" not in loaded
        assert not [module for module in loaded if module.startswith(MEASURING)]
        assert len([module for module in loaded if module.startswith("weightscope")]) <= MODULES


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_ls_reads_headers_only(listed, arguments):
    """`ls` needs neither torch nor pandas nor scipy."""
    code, loaded = listed[arguments]
    assert code == 0
    assert not HEAVY & set(loaded)
