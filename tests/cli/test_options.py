"""Flags, keywords and docs agree: every option of the contract is there, and every help ends with an example."""

import shlex
from dataclasses import fields

import pytest

from weightscope import api
from weightscope.analyses import ANALYSES, Reading, Selection
from weightscope.checkpoints import Opening
from weightscope.cli.commands import COMMANDS
from weightscope.cli.options import Shared
from weightscope.reports.view import View

SHARED = """--include -i --exclude -x --role --layers --min-params --by --format -f --output -o --columns --sort --limit
--where --plot --provenance --fail-if --root --name-map --no-split --salvage --follow-symlinks --device --memory
--threads --seed --strict --quiet -q --verbose -v --no-progress --help"""
OWN = {
    "fit": ["--long", "--balance", "--coding", "--counts"],
    "spectrum": ["--svd", "--per-head", "--balance", "--alpha-cut", "--alpha-ci", "--null", "--draws", "--values"],
    "ls": ["--flat", "--metadata"],
}
RECORDS = (Opening, Reading, Selection, api.Running, View, api.Gates)


@pytest.mark.parametrize("command", OWN)
def test_help(weightscope, command):
    """Every option of the contract; the last words are an example."""
    done = weightscope(command, "--help")
    assert (done.code, done.err) == (0, "")
    words = done.out.replace(",", " ").split()
    assert [o for o in (*SHARED.split(), *OWN[command]) if o not in words] == []
    assert done.out.strip().splitlines()[-1].strip().startswith(f"Example: weightscope {command} ")


def test_main_help(weightscope):
    """Every command, and an example at the end."""
    done = weightscope("--help")
    assert done.code == 0
    assert done.out.strip().splitlines()[-1].strip() == "Example: weightscope fit demo:gpt"
    assert all(f"  {name} " in done.out for name in OWN)
    assert weightscope("--version").out.startswith("weightscope 0.")


@pytest.mark.parametrize("command", [c.EPILOG for c in COMMANDS])
def test_examples_run(weightscope, command):
    """What the help shows works as it stands."""
    done = weightscope(*shlex.split(command.removeprefix("Example: weightscope ")))
    assert done.code == 0
    assert done.out


def test_every_keyword_of_the_library_has_a_flag():
    """What a record knows is an option, under the same name; the rest concern files and the terminal."""
    keywords = {f.name for kind in RECORDS for f in fields(kind)}
    flags = {f.name for f in fields(Shared)}
    assert keywords - flags == {"split"}
    files = {"format", "output", "plot", "provenance", "quiet", "verbose", "no_progress", "no_split"}
    assert flags - keywords == files | {"by", "seed"}


@pytest.mark.parametrize("question", ANALYSES, ids=lambda q: q.name)
def test_every_option_of_an_analysis_has_a_flag(question):
    """Its own, or a shared one; what follows from the terminal or from other options has none."""
    command = next(c for c in COMMANDS if c.__name__.endswith(question.name))
    flags = set(getattr(command, question.name).__annotations__)
    implied = {"several", "wanted", "panels", "histogram"}
    assert {f.name for f in fields(question.options)} - flags <= implied


@pytest.mark.parametrize("question", ANALYSES, ids=lambda q: q.name)
def test_the_docstring_names_every_keyword(question):
    """`help(weightscope.fit)` is complete."""
    doc = getattr(api, question.name).__doc__
    own = [f.name for f in fields(question.options) if f.name not in ("several", "wanted")]
    assert [name for name in own if name not in doc] == []
    assert [f.name for kind in RECORDS for f in fields(kind) if f.name not in api.fit.__doc__] == []
