"""What a fresh process loads: importing, help and `ls` are light."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

from weightscope.analyses import ANALYSES

HEAVY = {"torch", "pandas", "scipy", "pyarrow", "matplotlib"}
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
MODULES = 70  # of the project itself, a few more than help needs today
HELP = [[analysis.name, "--help"] for analysis in ANALYSES]
RUN = """
import sys, json
sys.argv = ["weightscope", *ARGUMENTS]
from weightscope.__main__ import main
try:
    main()
except SystemExit as ended:
    code = ended.code
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def fresh(code):
    """The last line of stderr of a fresh interpreter, read as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1])


def test_importing_is_light():
    """`import weightscope` loads none of the heavy packages, numpy and rich neither.

    And few modules of its own.
    """
    loaded = fresh(
        "import weightscope, sys, json; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    assert not (HEAVY | {"numpy", "rich", "typer"}) & set(loaded)
    assert len([m for m in loaded if m.startswith("weightscope")]) <= 2


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *HELP, ["fit", "demo:gpt", "--by", "nothing"]],
    ids=" ".join,
)
def test_help_is_light(arguments):
    """Help, the version and a mistake are answered without any heavy package.

    And help without the library itself, nor any package that reads names, files or weights: the
    time of `--help` is that of these imports (`make bench` states it).
    """
    code, loaded = fresh(f"ARGUMENTS = {arguments!r}" + RUN)
    assert code == (2 if "nothing" in arguments else 0)
    assert not HEAVY & set(loaded)
    if code == 0:
        assert not {"weightscope.api", "numpy"} & set(loaded)
        assert OLD_TYPER or "rich" not in loaded
        assert not [module for module in loaded if module.startswith(MEASURING)]
        assert len([module for module in loaded if module.startswith("weightscope")]) <= MODULES


@pytest.mark.parametrize(
    "more", [[], ["--by", "dtype"], ["-f", "json"], ["-f", "table"], ["--metadata"]], ids=" ".join
)
def test_ls_reads_headers_only(more):
    """`ls` needs neither torch nor pandas nor scipy."""
    code, loaded = fresh(f"ARGUMENTS = {['ls', 'demo:gpt', *more]!r}" + RUN)
    assert code == 0
    assert not HEAVY & set(loaded)
