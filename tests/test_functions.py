"""The Python functions.

Their signatures follow from the declared options, and a type checker knows them.
"""

import inspect
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

import weightscope as ws
from weightscope import api
from weightscope.analyses import ANALYSES, Analysis
from weightscope.analyses.analysis import Answering
from weightscope.analyses.gathering import gathered
from weightscope.analyses.pieces import listed
from weightscope.analyses.uses import LISTING
from weightscope.cli.app import application
from weightscope.columns import Column, Message, Row
from weightscope.options import derived, option
from weightscope.records import options_of

ROOT = Path(__file__).parents[1]
SETTINGS = """
[mypy]
strict = True
follow_imports = silent
no_site_packages = True
ignore_missing_imports = True
"""
WRONG = {
    'ws.fit("a", bby="role")': 'Unexpected keyword argument "bby"',
    'ws.fit("a", by=3)': 'Argument "by" to "fit" has incompatible type "int"',
    'ws.ls("a", seed=9)': 'Unexpected keyword argument "seed"',
    'ws.ls("a", device="cpu")': 'Unexpected keyword argument "device"',
    'ws.outliers("a", seed=9)': 'Unexpected keyword argument "seed"',
    'ws.fit("a", several=True)': 'Unexpected keyword argument "several"',
    "ws.fit(3)": 'Argument 1 to "fit" has incompatible type "int"',
    'ws.fitt("a")': 'Module has no attribute "fitt"',
}
RIGHT = """
from pathlib import Path
import weightscope as ws
from weightscope.reports.report import Report

report: Report = ws.fit("a", Path("b"), by="role", balance=True, include="*.w")
report = ws.fit("a", fail_if=["std > 1", "nan > 0"])
report = ws.spectrum("a", null="shuffle", draws=3, alpha_cut=1e-5, seed=1)
report = ws.spectrum("a", memory=2**30, name_map=Path("m.toml"))
report = ws.outliers("a", base={"w": 1.0}, quant=("int8", "nvfp4"), ignore="WS101", memory="1GiB")
report = ws.ls(ws.open_checkpoint("a"), by="dtype", columns=["tensor"], split=False)
failed: type[Exception] = ws.GateFailed
"""
every_analysis = pytest.mark.parametrize("analysis", ANALYSES, ids=lambda analysis: analysis.name)


def test_a_type_checker_finds_wrong_calls(tmp_path):
    """One message for each wrong call, none for the right ones."""
    (tmp_path / "mypy.ini").write_text(SETTINGS)
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text("\n".join(["import weightscope as ws", *WRONG]))
    # a cache of 460 modules takes a third of the time to write
    command = [sys.executable, "-m", "mypy", f"--cache-dir={os.devnull}", "right.py", "wrong.py"]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    messages = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert (done.stderr, len(messages)) == ("", len(WRONG))
    for line, (message, said) in enumerate(zip(messages, WRONG.values(), strict=True), 2):
        assert message.startswith(f"wrong.py:{line}: error: {said}")


@every_analysis
def test_the_signature_is_the_declared_options(analysis):
    """Names and defaults, all of them keywords."""
    models, *keywords = inspect.signature(getattr(ws, analysis.name)).parameters.values()
    assert models.kind is inspect.Parameter.VAR_POSITIONAL
    assert all(keyword.kind is inspect.Parameter.KEYWORD_ONLY for keyword in keywords)
    declared = {name: each.default for name, each in options_of(analysis).items()}
    assert {keyword.name: keyword.default for keyword in keywords} == declared


@every_analysis
def test_the_docstring_explains_every_keyword(analysis):
    """`help(weightscope.fit)` is complete, in the words of the declarations."""
    text = " ".join(getattr(ws, analysis.name).__doc__.split())
    assert text.startswith(analysis.summary)
    for name, declared in options_of(analysis).items():
        argument = f"{name}=False" if declared.negated else name
        assert f"{argument}: {declared.option.help}" in text


@pytest.mark.parametrize(
    ("function", "keyword", "near"),
    [("ls", "seed", "leave it out"), ("ls", "device", "leave it out"),
     ("outliers", "seed", "leave it out"),
     ("fit", "bby", "did you mean 'by'?"), ("spectrum", "alphacut", "did you mean 'alpha_cut'?")],
)  # fmt: skip
def test_a_keyword_that_a_function_does_not_use_is_refused(function, keyword, near):
    """At run time too, with the options that there are and the nearest one."""
    with pytest.raises(
        ws.UsageError, match=f"{function} has no option '{keyword}'; options: .*; "
    ) as caught:
        getattr(ws, function)("demo:gpt", **{keyword: 9})
    assert str(caught.value).endswith(near)


def test_a_call_of_ask_refuses_unknown_keywords():
    """Also where no function stands before it."""
    with pytest.raises(ws.UsageError, match="ls has no option 'seed'"):
        api.ask("ls", ["demo:gpt"], {"seed": 9})


def test_provenance_has_the_options_that_differ_from_the_defaults():
    """A default that is written out changes nothing."""
    report = ws.ls("demo:gpt", by="dtype", flat=True, include=["*"], min_params=0)
    assert report.provenance["options"] == {"by": "dtype", "include": ["*"]}


def test_every_name_is_public():
    """The errors, the opening, and one function for each analysis; `import *` brings them."""
    errors = ["GateFailed", "Unmeasured", "CheckpointError", "UsageError", "WeightscopeError"]
    assert sorted(ws.__all__) == sorted(
        [*errors, "open_checkpoint", *(analysis.name for analysis in ANALYSES)]
    )
    names = {}
    exec("from weightscope import *", names)
    assert set(ws.__all__) <= set(names)


@dataclass(frozen=True)
class TallyOptions:
    """What the analysis of these tests is asked."""

    times: int = option(1, "How often each tensor counts.", metavar="N", minimum=1)
    several: bool = derived(False)
    wanted: frozenset[str] | None = derived(None)


def tally():
    """An analysis that no module of the program knows."""
    columns = (Column("tensors", "int", "how many there are", shown=True),)

    def rows(models, options, measure):
        for model in models:
            yield Row({"tensors": options.times * len(model.pieces)})

    answering = Answering(
        lambda options: columns, lambda options: {}, rows, partial(gathered, listed)
    )
    return Analysis(
        "tally",
        TallyOptions,
        SimpleNamespace(ANSWERING=answering),
        summary="How many tensors are there?",
        example="weightscope tally demo:gpt",
        call=('tally("demo:gpt").rows[0]["tensors"]', "39"),
        runs={"One row a model": {}},
        uses=LISTING,
    )


@pytest.fixture
def registered(monkeypatch):
    """The analysis in the list of all analyses."""
    analysis = tally()
    monkeypatch.setitem(api.BY_NAME, analysis.name, analysis)
    return analysis


def test_a_new_analysis_is_a_command(registered, capsys):
    """Flags, help and report, from its declaration alone."""
    app = application((*ANALYSES, registered))
    app(["tally", "--help"], standalone_mode=False, prog_name="weightscope")
    text = capsys.readouterr().out
    own = text.partition("Options of tally:\n")[2].partition("\n\nSelect:")[0]
    assert own.startswith("  --times N  How often each tensor counts.  ")
    assert "How many tensors are there?" in text
    assert "--device" not in text
    work = app(["tally", "demo:gpt", "--times", "2", "-f", "json"], standalone_mode=False)
    work()
    assert json.loads(capsys.readouterr().out) == [{"tensors": 78}]


def test_a_new_analysis_is_a_function(registered, monkeypatch):
    """The generated text has its signature and its docstring; the call reports."""
    monkeypatch.syspath_prepend(str(ROOT))
    module = __import__("docs.functions", fromlist=["module"]).module
    names = {"__name__": "weightscope.generated", "__package__": "weightscope"}
    exec(module([registered]), names)
    function = names["tally"]
    assert inspect.signature(function).parameters["times"].default == 1
    assert inspect.signature(function).parameters["times"].annotation == "int"
    assert "times: How often each tensor counts." in function.__doc__
    assert function("demo:gpt", times=3).rows == ({"tensors": 117},)
    with pytest.raises(ws.UsageError, match=r"tally has no option 'time'.*did you mean 'times'"):
        function("demo:gpt", time=3)


def test_rows_may_yield_sentences(registered, monkeypatch, capsys):
    """Before the table they are notes, after it the closing lines; stdout has neither."""

    def rows(models, options, measure):
        yield Message("counted by hand")
        yield Row({"tensors": 1})
        yield Message("one in all", after=True)

    spoken = replace(registered.answering, rows=rows)
    monkeypatch.setitem(
        api.BY_NAME, "tally", replace(registered, work=SimpleNamespace(ANSWERING=spoken))
    )
    report = api.ask("tally", ["demo:gpt"], {})
    assert (report.notes, report.closing, report.rows) == (
        ("counted by hand",),
        "one in all",
        ({"tensors": 1},),
    )


def test_an_analysis_says_how_many_models_it_needs(registered, monkeypatch):
    """And opens them itself: nothing is opened where they are too few."""
    opened = []

    def models(sources, options, setting):
        opened.extend(sources)
        return gathered(listed, sources, options, setting)

    pair = replace(registered.answering, models=models)
    monkeypatch.setitem(
        api.BY_NAME, "tally", replace(registered, work=SimpleNamespace(ANSWERING=pair), least=2)
    )
    with pytest.raises(
        ws.UsageError, match="expected at least 2 MODELs; found 1; name a checkpoint"
    ):
        api.ask("tally", ["demo:gpt"], {})
    with pytest.raises(ws.UsageError, match="expected at least 2 MODELs; found none"):
        api.ask("tally", [], {})
    assert opened == []
    assert len(api.ask("tally", ["demo:gpt", "demo:gpt-start"], {}).rows) == 2
    assert opened == ["demo:gpt", "demo:gpt-start"]
