"""A checkpoint against a stored report: the stored command again, rows matched, changes counted."""

import csv
import json
import math
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

import weightscope as ws
from tests import fits
from tests.threadless import without_threads
from weightscope import api
from weightscope.analyses import ANALYSES
from weightscope.analyses.analysis import Analysis, Listing
from weightscope.analyses.uses import MEASURING
from weightscope.cli.app import application
from weightscope.cli.exits import guarded
from weightscope.options import derived, option
from weightscope.reports.screen import Screen
from weightscope.reports.writers.table import text

SUFFIXES = ("parquet", "csv", "json")
every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
FIT_SMALL = {"columns": ["tensor", "std", "max"]}
SMALL = {"columns": ["stack", "layer", "kind", "tensors", "std", "max_median"]}


@pytest.fixture(scope="module", autouse=True)
def laws_are_fitted_once():
    """Most tests measure the same few tensors, and none is of how the engine does it."""
    with fits.fitted_once(), without_threads():
        yield


@dataclass(frozen=True)
class Options:
    """As those of the comparison of two checkpoints, as far as a stored report meets them."""

    spectrum: bool = option(False, "Also the spectrum of the delta.")
    by: str = option("tensor", "One row per tensor, or role.", metavar="WHAT")
    rename: tuple[str, ...] = option((), "Names of B.", metavar="OLD=NEW", repeatable=True)
    panels: bool = option(True, "Keep the laws.", typed=False, follows="plot")
    provenance_a: str | None = option(None, "Provenance of A.", metavar="FILE", reads="file")
    several: bool = derived(False)
    wanted: frozenset[str] | None = derived(None)


COMPARE = Analysis(
    "compare",
    Options,
    SimpleNamespace(),  # nothing of it is called for a stored report
    summary="What changed?",
    example="weightscope compare old.parquet demo:gpt",
    call=("", ""),
    runs={},
    uses=MEASURING,
    listed=lambda options: Listing(where="relative > 0", sort="-relative"),
    least=2,
    takes_reports=True,
    baseline=False,
)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """A command `compare` that takes stored reports."""
    monkeypatch.setitem(api.BY_NAME, "compare", COMPARE)


@pytest.fixture
def compare():
    """`compare(old, new, **options)`: the report."""
    return lambda *sources, **options: api.ask("compare", sources, options)


@pytest.fixture
def program(capsys, monkeypatch):
    """`program("compare", ...)`: exit code, stdout and stderr of a command line."""
    app = application((*ANALYSES, COMPARE))

    def call(*arguments):
        def run():
            app(list(map(str, arguments)), prog_name="weightscope", standalone_mode=False)()
            return 0

        monkeypatch.setattr(sys, "argv", ["weightscope", *map(str, arguments)])
        capsys.readouterr()
        return guarded(run), *capsys.readouterr()

    return call


def tensors(seed=0):
    """Two layers of a small network with a norm."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: (0.02 * rng.standard_normal(shape)).astype(np.float32)
    values = {f"model.layers.{i}.mlp.down_proj.weight": draw(12, 8) for i in (10, 2)}
    values |= {f"model.layers.{i}.self_attn.q_proj.weight": draw(8, 8) for i in (10, 2)}
    return values | {"model.norm.weight": draw(8)}


OLD = tensors()
NEW = OLD | {
    "model.layers.2.mlp.down_proj.weight": 2 * OLD["model.layers.2.mlp.down_proj.weight"],
    "model.layers.3.mlp.down_proj.weight": OLD["model.layers.2.mlp.down_proj.weight"],
}
del NEW["model.layers.10.self_attn.q_proj.weight"]
DOWN, ADDED = "model.layers.2.mlp.down_proj.weight", "model.layers.3.mlp.down_proj.weight"
REMOVED = "model.layers.10.self_attn.q_proj.weight"


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.safetensors"
    save_file(OLD, path, {"format": "pt"})
    return str(path)


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new.safetensors"
    save_file(NEW, path)
    return str(path)


@pytest.fixture
def stored(tmp_path, old):
    """`stored("fit", "csv", by="role")`: a report of the old model, with its provenance beside."""

    def write(command, suffix="csv", beside=True, model=old, **options):
        path = tmp_path / f"base.{suffix}"
        write.report = api.ask(command, [model], options)
        write.report.save(path)
        if beside:
            write.report.save_provenance(tmp_path / "base.provenance.json")
        return str(path)

    return write


@pytest.fixture
def header(tmp_path):
    """`header("fit", by="role")`: a report of one row of nulls or none; `about`: its provenance."""

    def write(command, suffix="csv", columns=(), about=None, **options):
        analysis = api.BY_NAME[command]
        path = tmp_path / f"base.{suffix}"
        declared = analysis.columns(analysis.options(**options))
        names = columns or [column.name for column in declared if not column.machine]
        if suffix == "json":
            path.write_text(json.dumps([dict.fromkeys(names)]))
        else:
            path.write_text(",".join(names) + "\n")
        if about is not None:
            described = {"version": ws.__version__, "command": command, "options": options}
            (tmp_path / "base.provenance.json").write_text(json.dumps(described | about))
        return str(path)

    return write


@pytest.fixture
def base(header):
    """A report of three columns with provenance, for what needs no rows."""
    return header("fit", **FIT_SMALL, about={})


def by_tensor(report):
    return {row["tensor"]: row for row in report.rows}


@pytest.mark.parametrize(
    ("command", "suffix", "options"),
    [
        ("fit", "parquet", {}),
        ("fit", "csv", {"by": "role", "coding": True}),
        ("fit", "json", {"by": "layer"} | SMALL),
        ("fit", "json", {"long": True}),
        ("fit", "parquet", {"long": True, "by": "role"}),
        ("spectrum", "csv", {"balance": True}),
        ("spectrum", "json", {"by": "role", "null": "shuffle", "seed": 3}),
        ("outliers", "parquet", {"quant": ("int8",)}),
        ("outliers", "csv", {"by": "layer"}),
        ("ls", "csv", {}),
        ("ls", "json", {"by": "dtype"}),
        ("ls", "csv", {"by": "model"}),
        ("ls", "json", {"metadata": True}),
    ],
    ids=str,
)
def test_a_model_against_its_own_report(stored, compare, old, command, suffix, options):
    """Every row is the same and no number changes, whatever command and format stored it."""
    options = {"include": ("*.10.mlp.*",)} | options
    report = compare(stored(command, suffix, **options), old)
    assert report.name == "compare"
    assert {row["status"] for row in report.rows} == {"same"}
    assert len(report.rows) == len(stored.report.rows)
    changes = [c.name for c in report.columns if c.name.endswith("_change")]
    assert changes
    for row in report.rows:
        assert {row[name] for name in changes} <= {0, None}
        assert row["note"] is None


@every_suffix
def test_changes_are_differences_of_two_runs(stored, compare, new, suffix):
    """b - a of each number, both values beside it; text has both values alone."""
    columns = ("tensor", "std", "nan", "pattern", "best")
    report = compare(stored("fit", suffix, columns=columns, include="*down*"), new)
    a, b = by_tensor(stored.report), by_tensor(ws.fit(new, columns=columns, include="*down*"))
    assert {name: row["status"] for name, row in by_tensor(report).items()} == {
        name: "changed" if name == DOWN else "same" for name in a.keys() & b.keys()
    } | {ADDED: "added"}
    row = by_tensor(report)[DOWN]
    assert row["std_change"] == b[DOWN]["std"] - a[DOWN]["std"] > 0.01
    assert (row["std_a"], row["std_b"]) == (a[DOWN]["std"], b[DOWN]["std"])
    assert (row["best_a"], row["best_b"]) == (a[DOWN]["best"], b[DOWN]["best"])
    assert "best_change" not in row
    assert (row["nan_change"], type(row["nan_change"])) == (0, int)


def test_rows_without_a_partner(stored, compare, new):
    """Identity of the side that has it, null on the other; natural order throughout."""
    report = compare(stored("fit", **FIT_SMALL | {"sort": "-std"}), new)
    rows = by_tensor(report)
    assert (rows[ADDED]["std_a"], rows[ADDED]["std_change"]) == (None, None)
    assert rows[ADDED]["std_b"] > 0
    assert (rows[REMOVED]["std_b"], rows[REMOVED]["max_b"]) == (None, None)
    assert rows[REMOVED]["max_a"] > 0
    assert list(rows) == [
        "model.layers.2.mlp.down_proj.weight",
        "model.layers.2.self_attn.q_proj.weight",
        "model.layers.3.mlp.down_proj.weight",
        "model.layers.10.mlp.down_proj.weight",
        "model.layers.10.self_attn.q_proj.weight",
        "model.norm.weight",
    ]


def test_removed_rows_are_in_natural_order(stored, compare):
    """Before, between and after the rows of the new model, however the report was sorted."""
    base = stored("ls", sort="-tensor", columns=("tensor", "role"))
    middle = {"model.layers.3.mlp.up_proj.weight": np.ones((4, 4), np.float32)}
    assert [row["tensor"] for row in compare(base, _torch(middle)).rows] == [
        "model.layers.2.mlp.down_proj.weight",
        "model.layers.2.self_attn.q_proj.weight",
        "model.layers.3.mlp.up_proj.weight",
        "model.layers.10.mlp.down_proj.weight",
        "model.layers.10.self_attn.q_proj.weight",
        "model.norm.weight",
    ]


def test_groups_are_matched_by_their_keys(stored, compare, new):
    """Counts have changes too; a group that is gone stands at the end."""
    report = compare(stored("fit", by="role", columns=("role", "kind", "tensors", "std")), new)
    rows = {row["role"]: row for row in report.rows}
    assert (rows["mlp.down"]["tensors_a"], rows["mlp.down"]["tensors_change"]) == (2, 1)
    groups = {row["role"]: row["std"] for row in stored.report.rows}
    assert rows["mlp.down"]["std_a"] == groups["mlp.down"]
    report = compare(stored("ls", by="layer"), _torch({ADDED: NEW[ADDED]}))
    assert [(row["layer"], row["status"]) for row in report.rows] == [
        (3, "added"),
        (2, "removed"),
        (10, "removed"),
        (None, "removed"),
    ]


def test_a_demo_against_its_start(stored, compare, tmp_path):
    """Trained weights are wider than those at the start of training."""
    base = stored("fit", "parquet", model="demo:gpt-start", role="mlp.up", **FIT_SMALL)
    report = compare(base, "demo:gpt", fail_if="abs(std_change) > 0.01 * std_a")
    assert (report.gates[0].count, report.gates[0].seen) == (4, 4)
    assert all(row["std_b"] > 1.5 * row["std_a"] for row in report.rows)


def test_columns_follow_the_stored_ones(stored, compare, new):
    """Identity once in its stored order, then status, then both sides, then the notes."""
    base = stored("fit", columns=("layer", "std", "tensor", "shape", "note"))
    report = compare(base, new)
    assert [c.name for c in report.columns] == [
        *("layer", "tensor", "status", "std_a", "std_b", "std_change"),
        *("shape_a", "shape_b", "note_a", "note_b", "note", "note_codes"),
    ]
    by_name = {column.name: column for column in report.columns}
    assert by_name["std_change"].meaning == "std_b - std_a; null where either is null"
    assert by_name["std_a"].unit == by_name["std_change"].unit == "weight"
    assert list(report.table.columns) == [name for name in by_name if name != "note_codes"]


def test_only_the_stored_columns_are_measured(new, header):
    """The new run gets them as its columns; all columns are no restriction."""
    asked = lambda path: api.against.question(COMPARE, [path, new], {}, api.BY_NAME).options
    assert asked(header("fit", columns=("tensor", "std", "best")))["columns"] == (
        *("tensor", "std", "best"),
    )
    assert asked(header("fit")) == {"panels": False}


def test_indices_pictures_and_errors(header, new):
    """The index of a row has no change; drawn text is left out; errors stay beside their values."""
    columns = lambda path: {
        c.name: c for c in api.against.question(COMPARE, [path, new], {}, api.BY_NAME).columns
    }
    outliers = columns(header("outliers"))
    assert {"top_row_a", "top_row_b", "top_col_a", "max_z_change"} <= outliers.keys()
    assert not {"top_row_change", "top_col_change"} & outliers.keys()
    drawn = {"options": {"histogram": True, "counts": True, "panels": False}}
    fit = columns(header("fit", columns=("tensor", "histogram", "beta", "beta_se"), about=drawn))
    assert not [name for name in fit if name.startswith("histogram")]
    assert [fit[f"beta_{end}"].error for end in ("a", "b", "change")] == [
        "beta_se_a",
        "beta_se_b",
        "",
    ]


def test_what_belongs_to_the_old_report_alone(stored, compare, tmp_path, old):
    """Another file name is no change; tables and the closing line are not those of a comparison."""
    (tmp_path / "copy.safetensors").write_bytes((tmp_path / "old.safetensors").read_bytes())
    report = compare(stored("ls"), str(tmp_path / "copy.safetensors"), threads=1)
    assert report.rows[0]["file_a"] != report.rows[0]["file_b"]
    assert {row["status"] for row in report.rows} == {"same"}
    report = compare(stored("fit", counts=True, columns=("tensor", "std")), old, root="x")
    assert (report.tables, report.panels) == ({}, ())
    assert "--root x has no effect" in report.notes[0]
    report = compare(stored("outliers", columns=("tensor", "severity")), old)
    assert report.closing == ""


def test_a_terminal_shows_names_status_and_changes(stored, compare, new):
    """Of the columns that the command itself shows."""
    some = ("tensor", "mean", "std", "max", "beta")
    report = compare(stored("fit", columns=some, include="*norm*"), new)
    head = text(report.arranged(), Screen(True, 120)).splitlines()[0].split()
    assert head == ["tensor", "status", "std_change", "beta_change"]
    few = compare(stored("fit", columns=("tensor", "max")), new)
    assert text(few.arranged(), Screen(True, 120)).split()[:3] == ["tensor", "status", "max_change"]
    laws = compare(stored("fit", long=True, include="*norm*"), new)
    assert text(laws.arranged(), Screen(True, 120)).split()[:3] == ["tensor", "law", "status"]


def test_shape_and_type_have_two_columns(stored, compare):
    """A tensor of another shape, place or type is changed, with a note where it has one column."""
    base = stored("fit", columns=("tensor", "kind", "shape", "dtype", "params", "max"))
    model = {name: value for name, value in OLD.items() if "norm" in name}
    ones = np.ones((4, 4), np.float16)
    model["model.norm.weight"] = ones
    row = by_tensor(compare(base, {**_torch(model)}))["model.norm.weight"]
    assert (row["shape_a"], row["shape_b"]) == ("8", "4x4")
    assert (row["dtype_a"], row["dtype_b"]) == ("F32", "F16")
    assert (row["status"], row["params"], row["note_codes"]) == ("changed", 8, "other-identity")
    assert "params is 8 in the report and 16 in the model" in row["note"]


def _torch(arrays):
    torch = pytest.importorskip("torch")
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@every_suffix
def test_nan_and_inf_of_a_report(stored, compare, tmp_path, suffix):
    """A NaN is equal to a NaN and has no change; JSON has neither, so null is equal to it."""
    values = {"a.weight": np.ones((4, 4), np.float32), "b.weight": np.eye(4, dtype=np.float32)}
    path = tmp_path / "nan.safetensors"
    save_file(values, path)
    base = stored("fit", suffix, model=str(path))
    file = tmp_path / f"base.{suffix}"
    if suffix == "csv":
        rows = list(csv.DictReader(file.read_text().splitlines()))
        rows[0]["std"] = "nan"
        rows[1]["max"] = "inf"
        with file.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        first, second = compare(base, str(path)).rows
        assert math.isnan(first["std_a"])
        assert math.isnan(first["std_change"])
        assert (second["max_change"], second["status"]) == (-math.inf, "changed")
    else:
        assert [row["status"] for row in compare(base, str(path)).rows] == ["same", "same"]


@pytest.mark.parametrize(
    ("a", "b", "finite", "equal"),
    [
        (math.nan, math.nan, False, True),
        (math.nan, 1.0, False, False),
        (None, math.nan, True, True),
        (None, math.inf, True, True),
        (None, math.nan, False, False),
        (1, 1.0, False, True),
        (None, None, True, True),
        ("a", "b", False, False),
    ],
)
def test_equal_values(a, b, finite, equal):
    """NaN equals NaN; in JSON null equals what is not finite."""
    assert api.against.rows._is_equal(a, b, finite) is equal


@every_suffix
def test_hostile_names_are_matched(stored, compare, suffix):
    """Commas, quotes, line feeds, escapes, an empty name and lone surrogates."""
    torch = pytest.importorskip("torch")
    names = ('a,"b"\n\x1b[31m', "\ud800w", "", "é漢", " w ", "x\r")
    model = {name: torch.full((2, 2), float(i)) for i, name in enumerate(names)}
    base = stored("ls", suffix, model=model)
    report = compare(base, model)
    assert len(report.rows) == len(names)
    assert {row["status"] for row in report.rows} == {"same"}


def test_the_gate_is_checked_before_a_checkpoint_opens(base, compare, new, monkeypatch):
    """So are --where, --sort and --columns, against the columns of the comparison."""
    monkeypatch.setattr("weightscope.analyses.gathering.open_checkpoint", None)
    wrong = r"expected a column.*found 'stdd_change'.*; did you mean 'std_change'\?"
    for options in (
        {"fail_if": "stdd_change > 0"},
        {"where": "stdd_change > 0"},
        {"sort": "-stdd_change"},
        {"columns": ("stdd_change",)},
    ):
        with pytest.raises(ws.UsageError, match=wrong):
            compare(base, new, **options)
    with pytest.raises(TypeError):  # the column exists: the checkpoint would be opened now
        compare(base, new, fail_if="std_change > 0")


def test_gates_see_every_row(stored, program, new):
    """Exit 1 with the rows that match, whatever is shown; `--where` and `--sort` apply to rows."""
    base = stored("fit", **FIT_SMALL)
    gate = "abs(std_change) > 0.01 * std_a"
    code, out, err = program("compare", base, new, "--fail-if", gate, "--where", "status=='added'")
    assert code == 1
    assert err.splitlines()[0] == f"gate '{gate}': 1 of 6 rows match"
    assert [line.split(",")[:2] for line in out.splitlines()[1:]] == [[ADDED, "added"]]


def test_output_options_of_the_report_are_ignored(stored, compare, new):
    """A stored gate, sort, limit or condition; a message names what left rows out."""
    options = {"limit": 1, "sort": "-std", "where": "std > 0", "fail_if": ("std > 0",)}
    report = compare(stored("fit", threads=1, strict=True, **FIT_SMALL, **options), new)
    assert (report.gates, report.strict, len(report.rows)) == ((), False, 6)
    assert report.notes == (
        "base.csv was stored with --limit and --where: rows that it lacks are added",
    )
    assert [row["status"] for row in report.rows].count("added") == 5


def test_options_that_determine_numbers_are_kept(stored, compare, new):
    """Selection, grouping, seed, rules for names; those of the engine are given anew."""
    base = stored("spectrum", include=("*down*",), seed=5, svd=True, device="cpu", layers="2-9")
    report = compare(base, new, threads=1)
    assert {row["tensor"] for row in report.rows} == {DOWN, ADDED}
    assert report.provenance["repeated"] == {
        "command": "spectrum",
        "options": {"include": ["*down*"], "layers": "2-9", "seed": 5, "svd": True},
        "from": "provenance",
        "version": ws.__version__,
    }


def test_a_selection_given_now_applies_to_both(stored, compare, new, tmp_path):
    """Rows of the report outside it are no longer there, instead of removed."""
    base = stored("fit", columns=("tensor", "role", "layer", "params", "std"))
    statuses = lambda **options: {
        name: row["status"] for name, row in by_tensor(compare(base, new, **options)).items()
    }
    assert statuses(include="*q_proj*") == {
        "model.layers.2.self_attn.q_proj.weight": "same",
        REMOVED: "removed",
    }
    whole = ({"w": np.ones((4, 4), np.float32)}, {"include": "w"})
    (tmp_path / "base.csv").write_text("tensor,role,layer,params,std\nw[q],,,9,1\nv[q],,,9,1\n")
    report = compare(base, _torch(whole[0]), **whole[1])
    assert {row["tensor"]: row["status"] for row in report.rows} == {
        "w": "added",
        "w[q]": "removed",
    }
    stored("fit", columns=("tensor", "role", "layer", "params", "std"))
    assert statuses(exclude=["*down*", "*q_proj*"]) == {"model.norm.weight": "same"}
    assert statuses(layers="2-3", min_params=65) == {DOWN: "changed", ADDED: "added"}
    assert statuses(role=["norm*"]) == {"model.norm.weight": "same"}


def test_a_selection_that_contradicts_the_report(header, compare, new):
    """The stored one applies; groups and missing columns cannot be selected."""
    base = header("fit", **FIT_SMALL, about={"options": {"role": ["mlp.*"]}})
    with pytest.raises(ws.UsageError, match="expected --role as stored with the report; found ano"):
        compare(base, new, role="attn.*")
    assert len(compare(base, new, role="mlp.*").rows) == 3
    with pytest.raises(ws.UsageError, match="--layers needs the column layer of the report; found"):
        compare(base, new, layers="2")
    base = header("fit", by="role", about={})
    with pytest.raises(ws.UsageError, match="--include selects tensors; found a report of groups"):
        compare(base, new, include="*")


def test_options_of_opening_apply_to_the_new_model(stored, compare, tmp_path, new):
    """Another root or a file of rules may be given now; --strict and --salvage are not stored."""
    torch = pytest.importorskip("torch")
    path = tmp_path / "run.pt"
    torch.save({"model": _torch(OLD), "ema": _torch(NEW)}, path)
    base = stored("fit", model=str(path), root="model", salvage=True, **FIT_SMALL)
    assert {row["status"] for row in compare(base, str(path)).rows} == {"same"}
    statuses = {row["status"] for row in compare(base, str(path), root="ema").rows}
    assert statuses == {"same", "changed", "added", "removed"}


def test_a_column_of_another_version(stored, compare, new, tmp_path):
    """Its change is null with a note, and it does not decide the status."""
    base = stored("fit", **FIT_SMALL)
    beside = tmp_path / "base.provenance.json"
    about = json.loads(beside.read_text())
    about["column_versions"]["std"] = 7
    beside.write_text(json.dumps(about))
    report = compare(base, new)
    row = by_tensor(report)[DOWN]
    assert (row["std_change"], row["max_change"] > 0, row["std_a"] > 0) == (None, True, True)
    assert row["note"] == "no change of std: defined otherwise when the report was stored"
    assert row["note_codes"] == "other-definition"
    assert report.caveats[0].startswith("4 rows: no change of std")
    assert by_tensor(report)[ADDED]["note"] is None
    versions = report.provenance["column_versions"]
    assert (versions["std_a"], versions["std_b"], versions["max_a"]) == (7, 1, 1)
    lines = (tmp_path / "base.csv").read_text().splitlines()
    names = [line.split(",")[0] for line in lines[1:]]
    (tmp_path / "base.csv").write_text(
        "\n".join(["tensor,std", *(f"{name},9" for name in names), ""])
    )
    assert by_tensor(compare(base, new))[DOWN]["status"] == "same"


@pytest.mark.parametrize(
    ("command", "options", "text"),
    [
        ("fit", {}, "fit"),
        ("fit", {"balance": True}, "fit --balance"),
        ("fit", {"coding": True, "by": "role"}, "fit --coding --by role"),
        ("fit", {"by": "layer"}, "fit --by layer"),
        ("fit", {"by": "model"}, "fit --by model"),
        ("fit", {"long": True}, "fit --long"),
        ("fit", {"columns": ("tensor", "beta")}, "fit"),
        ("spectrum", {}, "spectrum"),
        ("spectrum", {"balance": True, "alpha_ci": True}, "spectrum --balance --alpha-ci"),
        ("outliers", {}, "outliers"),
        ("outliers", {"quant": ("int8",)}, "outliers --quant all"),
        ("outliers", {"by": "layer"}, "outliers --by layer"),
        ("ls", {}, "ls"),
        ("ls", {"by": "dtype"}, "ls --by dtype"),
        ("ls", {"metadata": True}, "ls --metadata"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_the_command_is_inferred_from_the_columns(header, new, suffix, command, options, text):
    """Without provenance; the message names the command with its options."""
    path = header(command, suffix, **options)
    asked = api.against.question(COMPARE, [path, new], {}, api.BY_NAME)
    assert asked.command.text == text
    assert asked.notes == (
        f"base.{suffix} has no provenance: its columns are those of `{text}`; "
        "other options have their defaults",
    )
    assert asked.command.origin == "columns"


def test_an_inferred_command_runs(stored, compare, old, program):
    """With the stored columns alone: of --quant all, one scheme is measured."""
    base = stored("outliers", beside=False, quant=("int8",), columns=("tensor", "rmse_int8"))
    report = compare(base, old)
    assert {row["status"] for row in report.rows} == {"same"}
    assert report.provenance["repeated"]["from"] == "columns"
    code, _, err = program("compare", base, old)
    assert (code, err.startswith("base.csv has no provenance: its columns are those of")) == (
        0,
        True,
    )


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"columns": ("tensor", "zeros")}, "found columns that fit and outliers have"),
        ({"columns": ("tensor", "params")}, "found columns that ls and fit and spectrum and outl"),
        (
            {"columns": ("role", "kind", "tensors")},
            "columns that fit --by role and spectrum --by role and outliers --by role have",
        ),
        ({"columns": ("tensor", "tensors_")}, "found columns that no command has: tensors_"),
        ({"columns": ("std", "best")}, "of a list: std, best"),
        ({"columns": ("tensor", "severity", "alpha")}, "of a list: tensor, severity, alpha"),
    ],
)
def test_columns_that_tell_no_command(header, compare, new, options, found):
    """Exit 2: the commands that fit, or the columns that none has."""
    with pytest.raises(ws.UsageError, match=found) as caught:
        compare(header("fit", **options), new)
    assert caught.value.advice.startswith("write --provenance beside a report, or name that file")


@pytest.mark.parametrize(
    ("command", "options", "flags"),
    [
        ("spectrum", {"null": "gaussian"}, "--null"),
        ("outliers", {"base": "demo:gpt-start"}, "--base"),
    ],
)
def test_a_value_that_columns_do_not_contain(header, compare, new, command, options, flags):
    """Which law, or which base: no guess is made."""
    with pytest.raises(ws.UsageError, match=f"the columns do not contain the value of {flags}; wr"):
        compare(header(command, **options), new)


@pytest.mark.parametrize(
    ("about", "found"),
    [
        (
            {"command": "compare"},
            "expected a report of ls, fit, spectrum, outliers; found one of c",
        ),
        ({"command": "depth"}, "expected a report of ls, fit, spectrum, outliers; found one of d"),
        (
            {"options": {"spin": 1, "balance": True, "spread": 2}, "version": "9.0"},
            "found spin, spread, stored by weightscope 9.0; update weightscope",
        ),
        ({"options": {"by": "colour"}}, "base.csv: fit groups by tensor, .*; found 'colour'"),
        ({"options": {"seed": "x"}}, "expected a value of --seed; found x; store the report again"),
        ({"options": {"seed": True}}, "expected a value of --seed; found True"),
        ({"options": {"balance": 1}}, "expected a value of --balance; found 1"),
        ({"options": {"include": [1]}}, "expected a value of --include; found a list of 1"),
        ({"options": {"by": None}}, "expected a value of --by; found None"),
        ({"options": {"name_map": 0.5}}, "expected a value of --name-map; found 0.5"),
        ({"command": "outliers", "options": {"base": {}}}, "value of --base; found a dict of 0"),
        (
            {"command": "outliers"},
            r"expected a column .*`outliers`; found 'std'; store the report again",
        ),
        ({"command": "outliers", "options": {"top": 3}}, "found a list of `outliers --top 3`, who"),
        ({"options": {"by": "role"}}, "which needs --by tensor; store the report again"),
    ],
    ids=str,
)
def test_a_run_that_cannot_be_repeated(header, compare, new, about, found):
    """Exit 2: another command, options of another version, values of another type."""
    with pytest.raises(ws.UsageError, match=found):
        compare(header("fit", **FIT_SMALL, about=about), new)


def test_a_column_that_an_option_adds(header, compare, new):
    """The provenance lacks the option that the columns need."""
    base = header("fit", columns=("tensor", "balanced_beta"), about={})
    with pytest.raises(ws.UsageError, match="found 'balanced_beta', which needs --balance"):
        compare(base, new)


def test_a_list_has_no_keys(header, compare, new):
    """The largest weights of each tensor cannot be matched."""
    with pytest.raises(ws.UsageError, match="or of a list: tensor, row, col, value, z"):
        compare(header("outliers", top=2), new)
    base = header("outliers", top=2, about={})
    with pytest.raises(ws.UsageError, match=r"found a list of `outliers --top 2`, whose rows have"):
        compare(base, new)


def test_rows_that_cannot_be_matched(header, compare, new, tmp_path):
    """A report without keys, of several models, or with two rows of one key."""
    with pytest.raises(ws.UsageError, match="found std; store it with --columns tensor too"):
        compare(header("fit", columns=("std",), about={}), new)
    with pytest.raises(ws.UsageError, match="store it with --columns role,kind too"):
        compare(header("fit", by="role", columns=("std",), about={}), new)
    with pytest.raises(ws.UsageError, match="expected a report of one MODEL; found the column sou"):
        compare(header("fit", columns=("source", "tensor"), about={}), new)
    base = header("fit", columns=("tensor", "std"), about={})
    (tmp_path / "base.csv").write_text("tensor,std\na,1\nb,2\na,3\n")
    with pytest.raises(ws.UsageError, match="expected one row for each tensor; found two of a;"):
        compare(base, new)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"spectrum": True}, "--spectrum applies to two checkpoints; found a stored report as the"),
        ({"by": "role"}, "--by applies to two checkpoints"),
        ({"rename": ("a=b",)}, "--rename applies to two checkpoints"),
        ({"panels": True}, "expected --plot with two checkpoints; found a stored report, which"),
        ({"spin": 1}, "compare has no option 'spin'"),
    ],
)
def test_options_of_two_checkpoints(base, compare, new, options, found):
    """Exit 2: the report fixes what is measured."""
    with pytest.raises(ws.UsageError, match=found):
        compare(base, new, **options)


def test_where_reports_may_stand(base, compare, new):
    """First, before one checkpoint."""
    for sources in ((new, base), (base, base), (base, new, base)):
        with pytest.raises(ws.UsageError, match=r"found '.*base\.csv' after it; name the older re"):
            compare(*sources)
    with pytest.raises(ws.UsageError, match="expected one MODEL beside the stored report; found 2"):
        compare(base, new, new)
    with pytest.raises(ws.UsageError, match="at least 2 MODELs"):
        compare(base)
    with pytest.raises(ws.UsageError, match="--provenance-a describes a stored report; found no"):
        compare(new, new, provenance_a="x.json")
    with pytest.raises(ws.CheckpointError, match=r"base\.csv: expected a checkpoint"):
        ws.fit(base)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("{new}", "{base}"), 2, "expected a stored report as the first source only"),
        (("{base}", "nowhere.pt"), 3, "nowhere.pt: expected an existing file"),
        (("nowhere.parquet", "{new}"), 3, "nowhere.parquet: expected a readable file"),
        (("{cut}", "{new}"), 3, "expected a whole report; found no readable Parquet"),
        (("{base}", "{new}", "--spectrum"), 2, "--spectrum applies to two checkpoints"),
        (("{base}", "{new}", "--plot", "a.png"), 2, "expected --plot with two checkpoints"),
        (("{base}", "{new}", "-o", "{base}"), 2, "expected an output that replaces no input"),
        (("{base}", "{new}", "-o", "{beside}"), 2, "expected an output that replaces no input"),
        (("{base}", "{new}", "--fail-if", "max > 1"), 2, "did you mean 'max_"),
        (("{base}", "{base}.txt"), 3, "expected an existing file"),
        (("{base}",), 2, "expected one MODEL beside the stored report; found 0"),
    ],
    ids=str,
)
def test_exit_codes(base, program, new, tmp_path, arguments, code, said):
    """One message of three parts; stdout stays empty."""
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 the rest is missing")
    places = {
        "base": base,
        "new": new,
        "cut": tmp_path / "cut.parquet",
        "beside": tmp_path / "base.provenance.json",
    }
    ended = program("compare", *(argument.format(**places) for argument in arguments))
    assert ended[:2] == (code, "")
    assert said in ended[2]
    assert ended[2].count("; ") >= 2


def test_provenance_of_a_comparison(stored, compare, new, tmp_path):
    """The command is compare; both sources, the repeated command, the options given now."""
    base = stored("fit", **FIT_SMALL)
    report = compare(base, new, fail_if=("std_change > 1",), sort="tensor")
    about = report.provenance
    beside = tmp_path / "base.provenance.json"
    first, second = about["sources"]
    assert (about["command"], first["source"], second["source"]) == ("compare", base, new)
    assert [file["path"] for file in first["files"]] == [base, str(beside)]
    assert first["files"][0]["size"] == (tmp_path / "base.csv").stat().st_size
    assert about["options"] == {"fail_if": ("std_change > 1",), "sort": "tensor"}
    report.save(tmp_path / "again.parquet")
    with pytest.raises(ws.UsageError, match="found one of compare; name a report of one checkp"):
        compare(tmp_path / "again.parquet", new)


def test_named_provenance(stored, compare, new, tmp_path):
    """--provenance-a is read instead of the file beside, and is protected as an input."""
    base = stored("fit", **FIT_SMALL)
    named = tmp_path / "about.json"
    (tmp_path / "base.provenance.json").rename(named)
    report = compare(base, new, provenance_a=str(named))
    assert report.provenance["repeated"]["from"] == "provenance"
    with pytest.raises(ws.UsageError, match="expected an output that replaces no input"):
        report.save(named)


def test_files_that_a_comparison_reads(base, compare, new, tmp_path):
    """No output replaces rules or the model; an earlier comparison in its folder it may replace."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nregex = "own"\nrole = "head"\n')
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes((tmp_path / "new.safetensors").read_bytes())
    report = compare(base, str(folder), name_map=str(rules))
    with pytest.raises(ws.UsageError, match="expected an output that replaces no input"):
        report.save(rules, "csv")
    for _ in range(2):
        report.save(folder / "diff.csv")
    assert (folder / "diff.csv").read_text().startswith("tensor,status,std_a")


def test_a_terminal_lists_every_row(stored, program, new, monkeypatch):
    """The listing of two checkpoints names columns that a stored report has not."""
    monkeypatch.setattr("weightscope.cli.ending.prints_table", lambda outputs: True)
    code, out, err = program("compare", stored("fit", **FIT_SMALL), new)
    assert (code, err.count("relative")) == (0, 0)
    assert len(out.splitlines()) == 7


def test_strict_and_unmeasured_are_those_of_the_new_run(stored, compare, tmp_path):
    """A tensor that cannot be measured now is a failure under --strict."""
    torch = pytest.importorskip("torch")
    base = stored("fit", **FIT_SMALL)
    model = _torch(OLD) | {"h.w": torch.ones(4, 4, dtype=torch.complex64)}
    assert compare(base, model).failures == ()
    (failure,) = compare(base, model, strict=True).failures
    assert (failure.code, "h.w" in failure.text) == (4, True)


def test_an_analysis_that_takes_no_reports(base, program):
    """Only one with `takes_reports` reads them; no analysis but compare does."""
    assert [analysis.name for analysis in ANALYSES if analysis.takes_reports] in ([], ["compare"])
    code, _, err = program("fit", base)
    assert (code, "expected a checkpoint" in err) == (3, True)


def test_a_report_without_rows(stored, compare, new):
    """Every tensor is added."""
    base = stored("fit", "parquet", where="std < 0", **FIT_SMALL)
    assert {row["status"] for row in compare(base, new).rows} == {"added"}


def test_other_analyses_may_refuse_to_be_repeated(base, compare, new, monkeypatch):
    """`baseline=False`, as of compare itself."""
    monkeypatch.setitem(api.BY_NAME, "fit", replace(api.BY_NAME["fit"], baseline=False))
    with pytest.raises(ws.UsageError, match="expected a report of ls, spectrum, outliers; found"):
        compare(base, new)
