"""The library as a notebook sees it: keywords, dicts of tensors, tables, pictures, files."""

import json
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from tests import fits
from weightscope import api
from weightscope.engine import session


@pytest.fixture(scope="module", autouse=True)
def laws_are_fitted_once():
    """Most tests measure the same two tensors."""
    with fits.fitted_once():
        yield


@pytest.fixture(scope="module")
def state():
    """The parameters of a module with a tied weight."""
    torch.manual_seed(0)
    module = torch.nn.ModuleDict(
        {"embed": torch.nn.Embedding(30, 8), "head": torch.nn.Linear(8, 30)}
    )
    module["head"].weight = module["embed"].weight
    return module.state_dict()


def test_public_names():
    """What is promised is there, listed, and nothing else is invented."""
    assert set(ws.__all__) <= set(dir(ws))
    assert all(getattr(ws, name) for name in ws.__all__)
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        ws.fitt  # noqa: B018 - the access is the test


def test_a_dict_of_tensors(state):
    """`model.state_dict()` is measured as it stands; a tied weight once."""
    report = ws.fit(state)
    assert [row["tensor"] for row in report.rows] == ["embed.weight", "head.bias"]
    assert report.rows[0]["std"] == pytest.approx(
        state["embed.weight"].double().numpy().std(), rel=1e-12
    )
    listed = {row["tensor"]: row for row in ws.ls(state).rows}
    assert listed["head.weight"]["alias_of"] == "embed.weight"
    assert (listed["head.weight"]["bytes"], listed["embed.weight"]["bytes"]) == (0, 960)


def test_memory_and_file_agree(state, tmp_path):
    """The same numbers from a dict, a path, an open checkpoint and a path object."""
    path = tmp_path / "model.safetensors"
    save_file({k: v.clone() for k, v in state.items() if k != "head.weight"}, path)
    sources = (state, str(path), path, ws.open_checkpoint(path))
    first, *rest = [ws.fit(s, balance=True, coding=True).table for s in sources]
    for table in rest:
        pd.testing.assert_frame_equal(first, table)


def test_table_is_what_was_asked_for(state):
    """Keywords of the view choose rows and columns; the measured rows stay."""
    report = ws.fit(state, columns=["tensor", "std"], sort="-std", limit=1)
    assert list(report.table.columns) == ["tensor", "std"]
    assert len(report.table) == 1
    assert len(report.rows) == 2
    assert list(ws.fit(state, where="params > 100").table["tensor"]) == ["embed.weight"]


def test_lists_and_strings_are_taken(state):
    """`include=["*.bias"]`, `include="*.bias"` and a tuple mean the same."""
    for given in (["*.bias"], ("*.bias",), "*.bias"):
        assert [r["tensor"] for r in ws.fit(state, include=given).rows] == ["head.bias"]
    for given in (["std"], "std"):
        assert list(ws.fit(state, columns=given).table.columns) == ["std"]


@pytest.mark.parametrize("threads", [1, 2])
def test_memory_as_text_or_number(state, threads):
    """A size in bytes, or as it is typed."""
    with fits.fitted_anew():
        rows = ws.fit(state, memory=2**28, threads=threads).rows
    assert rows == ws.fit(state, memory="256MiB").rows


def test_save_and_html_and_text(state, tmp_path):
    """Files by suffix, a table for a notebook, text for a terminal."""
    report = ws.fit(state)
    report.save(tmp_path / "r.parquet")
    assert len(pd.read_parquet(tmp_path / "r.parquet")) == 2
    report.save(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text())[0]["tensor"] == "embed.weight"
    assert "<table>" in report._repr_html_()
    assert "embed.weight" in report._repr_html_()
    assert "embed.weight" in str(report)


def test_plot(state, tmp_path):
    """A figure, and a file where a path is given."""
    report = ws.fit(state, panels=True)
    figure = report.plot(tmp_path / "p.png")
    assert isinstance(figure, matplotlib.figure.Figure)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert len(report.panels) == 2


def test_plot_without_asking(state):
    """A notebook plots what it has measured without knowing beforehand."""
    assert isinstance(ws.fit(state).plot(), matplotlib.figure.Figure)


def test_plot_shows_what_the_table_shows(state):
    """Rows and their order are those of the view."""
    titles = lambda report: [ax.get_title(loc="left") for ax in report.plot().axes if ax.axison]
    assert titles(ws.fit(state, sort="-tensor")) == ["head.bias", "embed.weight"]
    assert titles(ws.fit(state, where="params < 100")) == ["head.bias"]
    assert titles(ws.fit(state, limit=1, columns="std")) == ["embed.weight"]


def test_bytes_are_added_up_for_a_watcher_alone(state, monkeypatch):
    """The sum goes over every span of every tensor; nobody pays for it where nobody looks."""
    seen = []

    @contextmanager
    def watch(meter, tensors, size):
        seen.append((tensors, size))
        yield

    api.ask("fit", [state], {}, watch)
    monkeypatch.setattr(session, "_size", None)
    ws.fit(state)
    assert seen == [(2, 270 * 4)]


def test_counts(state):
    """The cells as a table beside the rows."""
    columns, cells = ws.fit(state, counts=True).tables["counts"]
    assert [c.name for c in columns] == ["tensor", "low", "high", "count"]
    assert sum(row["count"] for row in cells) == 270
    assert len(cells) == len(list(cells))
    assert cells[0]["tensor"] == "embed.weight"


def test_provenance(state):
    """The same for the same call; what differs stays apart."""
    one, two = ws.fit(state), ws.fit(state)
    assert one.provenance == two.provenance
    assert one.provenance["version"] == ws.__version__
    assert one.provenance["sources"] == [{"source": "memory", "files": []}]
    assert set(one.timing) == {"seconds", "bytes_read", "created"}
    assert ws.ls(state).provenance["device"] is None


def test_column_versions(state):
    """Of every column of the report and of its further tables, in their order.

    Once under each name.
    """
    report = ws.fit(state, counts=True, columns=("tensor",))
    versions = report.provenance["column_versions"]
    assert list(versions) == [*(c.name for c in report.columns), "low", "high", "count"]
    assert {name: versions[name] for name in ("tensor", "beta", "count")} == {
        "tensor": 1,
        "beta": 2,
        "count": 1,
    }
    assert ws.ls(state).provenance["column_versions"]["bytes"] == 1


def test_column_versions_are_those_declared(state, monkeypatch):
    """Not the 1 that a column starts with."""
    question = api.BY_NAME["ls"]
    changed = lambda o: tuple(
        replace(c, version=2) if c.name == "role" else c for c in question.columns(o)
    )
    work = SimpleNamespace(ANSWERING=replace(question.answering, columns=changed))
    monkeypatch.setitem(api.BY_NAME, "ls", replace(question, work=work))
    versions = ws.ls(state).provenance["column_versions"]
    assert (versions["role"], versions["tensor"]) == (2, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bye": "role"}, r"fit has no option 'bye'.*did you mean 'by'"),
        ({"by": "colour"}, "tensor, role, layer, model"),
        ({"columns": ["stdd"]}, "did you mean 'std'"),
        ({"columns": ["balanced_beta"]}, "needs --balance"),
        ({"include": ["nothing"]}, "no tensor has a name that matches 'nothing'"),
        ({"fail_if": ["std >"]}, r"std >"),
        ({"fail_if": ""}, "expected an expression over columns"),
        ({"where": ""}, "expected an expression over columns"),
        ({"several": True}, "no option 'several'"),
        ({"wanted": ()}, "no option 'wanted'"),
    ],
    ids=str,
)
def test_mistakes(state, options, said):
    """Refused with what was expected and the nearest name."""
    with pytest.raises(ws.UsageError, match=said):
        ws.fit(state, **options)


def test_no_model():
    """At least one is needed."""
    with pytest.raises(ws.UsageError, match="at least one MODEL"):
        ws.fit()


def test_a_file_that_changes_meanwhile(tmp_path, monkeypatch):
    """What was measured of a file that changed is worth nothing."""
    path = tmp_path / "m.safetensors"
    save_file({"w": torch.ones(4, 4)}, path)
    monkeypatch.setattr(api, "changed", lambda checkpoint: "m.safetensors was written to")
    with pytest.raises(
        ws.CheckpointError,
        match=r"expected files that do not change during the run; m\.safetensors was written to",
    ):
        ws.fit(path)


def test_the_global_state_is_left_alone(state):
    """Neither torch's threads nor any random state changes."""
    threads, drawn, numpys = (
        torch.get_num_threads(),
        torch.random.get_rng_state(),
        np.random.get_state()[1],
    )
    ws.fit(state, balance=True, threads=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert (np.random.get_state()[1] == numpys).all()


def test_a_gate_that_matches_raises_with_the_complete_report(state):
    """Every row is measured and kept; the rows that match are counted, whatever the view shows."""
    text = r"gate 'params > 100': 1 of 2 rows match\n  embed.weight  params=240"
    with pytest.raises(ws.GateFailed, match=text) as caught:
        ws.fit(state, fail_if=["std < 0", "params > 100"], limit=0)
    report = caught.value.report
    assert [row["tensor"] for row in report.rows] == ["embed.weight", "head.bias"]
    assert [(g.expression, g.count) for g in report.gates] == [("std < 0", 0), ("params > 100", 1)]
    assert report.gates[1].rows == (report.rows[0],)


@pytest.mark.parametrize("function", [ws.fit, ws.ls, ws.outliers, ws.spectrum])
def test_every_function_has_gates(state, function):
    """A gate that matches raises; one that does not is in the report."""
    with pytest.raises(ws.GateFailed, match="gate 'params > 100': 1 of"):
        function(state, fail_if="params > 100")
    report = function(state, fail_if="params > 1000")
    assert [(g.expression, g.rows, g.count) for g in report.gates] == [("params > 1000", (), 0)]
    assert function(state).gates == ()


@pytest.mark.parametrize("strict", [False, True])
def test_a_gate_without_an_answer_warns(state, strict):
    """null on every row decides nothing; the command line exits 4 under --strict."""
    text = "gate 'row_spread > 1': null on every one of 1 rows, so it decided nothing"
    with pytest.warns(UserWarning, match=text):
        report = ws.fit(state, include="head.bias", fail_if="row_spread > 1", strict=strict)
    assert report.gates[0].undecided
    (failure,) = report.failures
    assert (failure.code, failure.text) == (4 if strict else 0, f"warning: {text}")


def test_the_failures_of_a_report_name_what_was_not_measured():
    """Under strict alone; a hostile name is escaped."""
    state = {"h.0.w": torch.ones(4, 4), "h.1.\x1bw": torch.ones(4, 4, dtype=torch.complex64)}
    assert ws.fit(state, fail_if="std > 1").failures == ()
    report = ws.fit(state, strict=True)
    assert report.unmeasured == ("h.1.\x1bw",)
    (failure,) = report.failures
    assert (failure.code, failure.text) == (
        4,
        r"--strict: 1 tensor could not be measured: h.1.\x1bw",
    )
