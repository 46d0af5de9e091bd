"""Flags follow from the declared options.

Every option of the contract is there, each command has only its own.
"""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from weightscope.analyses import ANALYSES
from weightscope.cli.app import application, run
from weightscope.cli.options import Outputs, accepted
from weightscope.cli.parameters import help_of
from weightscope.options import GROUPS, OWN, declared
from weightscope.records import options_of, records_of

SHARED = """--include -i --exclude -x --role --layers --min-params --by --format -f --output -o
--columns --sort --limit --where --provenance --fail-if --root --name-map --no-split --salvage
--follow-symlinks --fail-fast --strict --quiet -q --verbose -v --help -h"""
MEASURING = "--plot --device --memory --threads --no-progress"
CONTRACT = {
    "fit": f"{SHARED} {MEASURING} --long --balance --coding --draws --counts --seed",
    "spectrum": f"""{SHARED} {MEASURING} --svd --per-head --balance --alpha-cut --alpha-ci
--null --draws --values --seed""",
    "outliers": f"{SHARED} {MEASURING} --quant --top --top-rows --base --ignore",
    "compare": f"""{SHARED} {MEASURING} --spectrum --top --set --mix --nearest --bootstrap --seed
--lineage --rename --strip-prefix --provenance-a""",
    "depth": f"""{SHARED} {MEASURING} --stat --spectrum --per-layer --law --target --coupling --of
--layer-map""".replace(" --by", ""),
    "ls": f"{SHARED} --flat --metadata",
}
FIRST = {"depth": "--stat"}  # an option of its own; of the others --by
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
LINE = re.compile(r"^  (?:(-\w), )?(--[\w-]+)", re.M)
HEADING = re.compile(r"^(\S.*):$", re.M)
every_analysis = pytest.mark.parametrize("analysis", ANALYSES, ids=lambda analysis: analysis.name)


def words(text):
    """Without line breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize("command", CONTRACT)
def test_help(weightscope, command):
    """Every option of the contract and no other; the last words are an example."""
    done = weightscope(command, "--help")
    assert (done.code, done.err) == (0, "")
    flags = [flag for pair in LINE.findall(done.out) for flag in pair if flag]
    assert sorted(flags) == sorted(CONTRACT[command].split())
    assert done.out.strip().splitlines()[-1].strip().startswith(f"Example: weightscope {command} ")


@pytest.mark.parametrize("command", CONTRACT)
def test_help_has_headings(weightscope, command):
    """The command's own options first, then those that commands share.

    Help itself stands in the last group.
    """
    text = weightscope(command, "--help").out
    headings = ["Arguments", f"Options of {command}", "Select", "Output", "Gate", "Open", "Run"]
    assert HEADING.findall(text) == headings
    sections = re.split(HEADING, text)
    flags = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert FIRST.get(command, "--by") in flags[f"Options of {command}"]
    assert "--include" in flags["Select"]
    assert "--output" in flags["Output"]
    assert "--fail-if" in flags["Gate"]
    assert "--no-split" in flags["Open"]
    assert "--strict" in flags["Run"]
    assert "--help" in flags["Run"]


def test_main_help(weightscope):
    """Every command, and an example at the end."""
    done = weightscope("--help")
    assert done.code == 0
    assert done.out.strip().splitlines()[-1].strip() == "Example: weightscope fit demo:gpt"
    assert all(f"  {name} " in done.out for name in CONTRACT)
    assert weightscope("--version").out.startswith("weightscope 0.")


@pytest.mark.parametrize("example", [analysis.example for analysis in ANALYSES])
def test_examples_run(weightscope, example, tmp_path, monkeypatch):
    """What the help shows works as it stands."""
    monkeypatch.chdir(tmp_path)  # one draws a picture
    done = weightscope(*shlex.split(example.removeprefix("weightscope ")))
    assert done.code == 0
    assert done.out


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("ls", ["--seed", "9"]),
        ("outliers", ["--seed", "9"]),
        ("ls", ["--plot", "x.png"]),
        ("ls", ["--memory", "1GiB"]),
        ("ls", ["--device", "cpu"]),
        ("ls", ["--threads", "2"]),
        ("ls", ["--no-progress"]),
        ("fit", ["--several"]),
        ("fit", ["--panels"]),
        ("fit", ["--histogram"]),
        ("fit", ["--quant", "int8"]),
        ("depth", ["--by", "role"]),
        ("depth", ["--sparkline"]),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else x,
)
def test_an_option_that_a_command_does_not_use_is_refused(weightscope, model, command, option):
    """Exit 2 with its name, before anything is read."""
    done = weightscope(command, model, *option)
    assert (done.code, done.out) == (2, "")
    assert f"No such option: {option[0]}" in done.err


@every_analysis
def test_every_keyword_of_the_library_has_a_flag(analysis):
    """Except what a picture or a table sets; the other flags concern files and the terminal."""
    keywords = {name for name, option in options_of(analysis).items() if option.option.typed}
    flags = {option.name for option in accepted(analysis)}
    assert {name for name in options_of(analysis) if name not in keywords} <= {
        "panels",
        "histogram",
        "sparkline",
    }
    assert keywords <= flags
    others = {"format", "output", "plot", "provenance", "quiet", "verbose", "no_progress"}
    assert {field.name for field in fields(Outputs)} == others
    absent = {"plot"} - ({"plot"} if analysis.has_picture else set()) | (
        set() if analysis.measures else {"no_progress"}
    )
    assert flags - keywords == others - absent


@every_analysis
def test_every_field_is_declared(analysis):
    """A field of a record is an option, or it follows from the call."""
    for record in (*records_of(analysis), Outputs):
        names = {option.name for option in declared(record)}
        assert {field.name for field in fields(record)} - names <= {
            "several",
            "models",
            "wanted",
            "listing",
        }


@every_analysis
def test_every_option_stands_under_a_heading(analysis):
    """Own options have no group.

    No two options of a command share a name, and only its own record has own ones.
    """
    options = accepted(analysis)
    assert len({option.name for option in options}) == len(options)
    assert {option.option.group for option in options} <= set(GROUPS)
    assert all(option.option.group == OWN for option in declared(analysis.options))


@every_analysis
def test_the_declared_help_is_everywhere(weightscope, analysis):
    """On the command line and on the page; test_functions.py looks at the docstring."""
    typed = words(weightscope(analysis.name, "--help").out)
    page = words(
        PAGE.read_text("utf-8")
        .partition(f"## weightscope {analysis.name}\n")[2]
        .partition("\n## ")[0]
    )
    for option in accepted(analysis):
        assert words(help_of(option)) in typed
        assert words(help_of(option)) in page


def test_only_listed_analyses_are_commands(capsys):
    """The program is built from the analyses it is given."""
    app = application(ANALYSES[:2])
    assert app(["--help"], standalone_mode=False, prog_name="weightscope") == 0
    assert "outliers" not in capsys.readouterr().out
    assert run(["--help"]) == 0
    assert "outliers" in capsys.readouterr().out
