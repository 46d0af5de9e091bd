"""What a fresh process loads: importing, help and `ls` are light."""

import json
import os
import resource
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

    And help without the library itself.
    """
    code, loaded = fresh(f"ARGUMENTS = {arguments!r}" + RUN)
    assert code == (2 if "nothing" in arguments else 0)
    assert not HEAVY & set(loaded)
    if code == 0:
        assert not {"weightscope.api", "numpy"} & set(loaded)
        assert OLD_TYPER or "rich" not in loaded


@pytest.mark.parametrize("arguments", [["--help"], *HELP], ids=" ".join)
def test_help_is_fast(arguments, compiled):
    """Under 0.3 s of CPU in one of five runs.

    Others use the cores too, and the first may compile what it loads.
    """
    command = [sys.executable, "-m", "weightscope", *arguments]
    assert any(seconds(command, compiled) < 0.3 for _ in range(5))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The environment of an installed program, which is compiled once."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled"))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def seconds(command, environment):
    """CPU seconds of a process that ends with 0."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=60, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    "more", [[], ["--by", "dtype"], ["-f", "json"], ["-f", "table"], ["--metadata"]], ids=" ".join
)
def test_ls_reads_headers_only(more):
    """`ls` needs neither torch nor pandas nor scipy."""
    code, loaded = fresh(f"ARGUMENTS = {['ls', 'demo:gpt', *more]!r}" + RUN)
    assert code == 0
    assert not HEAVY & set(loaded)
