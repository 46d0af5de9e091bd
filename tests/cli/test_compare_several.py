"""`compare` with more than two MODELs on the command line: exits, messages, files, pictures."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow.parquet
import pytest
import torch
from PIL import Image

import weightscope as ws
from tests.cli.conftest import tensors
from weightscope.reports.pictures import frames

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 9\n"
SHOWN = ("--columns", "source,step,against,tensor,relative,status")


@pytest.fixture
def steps(store):
    """`steps(3)`: files of a training, named by 0, 100, 200."""

    def write(count):
        paths = []
        for i in range(count):
            values = {k: (1 + 0.1 * i) * v + 0.001 * i for k, v in tensors().items()}
            paths.append(store(values, f"step{100 * i}.safetensors"))
        return paths

    return write


@pytest.fixture
def broken(tmp_path):
    """`broken("x")`: the path of a git-LFS pointer of this name."""

    def write(name):
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(LFS)
        return str(path)

    return write


def rows(done):
    """The rows of a CSV report."""
    return list(csv.DictReader(io.StringIO(done.out)))


WRONG = [
    (2, ("--set",), "--set takes a base and two tunings of it at least; found 2 MODELs"),
    (3, ("--mix",), "--mix takes a set of tunings; found no --set"),
    (2, ("--set", "--mix"), "a base, a tuning at least, and the merged model; found 2 MODELs"),
    (3, ("--bootstrap", "9"), "A and 3 seeds at least; found 3 MODELs; name at least 4"),
    (3, ("--bootstrap", "0"), "--bootstrap"),
    (3, ("--nearest", "--set"), "found --set and --nearest"),
    (4, ("--nearest", "--bootstrap", "9"), "found --nearest and --bootstrap"),
    (1, ("--nearest",), "a model and a candidate at least; found 1 MODEL; name at least 2"),
    (3, ("--nearest", "--by", "role"), "--nearest has one row a MODEL; found --by role"),
    (3, ("--set", "--spectrum"), "found --set, which does not need it"),
    (3, ("--nearest", "--spectrum"), "found --nearest, which does not need it"),
    (3, ("--set", "--plot", "p.png"), "found --set, which has no picture"),
    (3, ("--set", "--plot", "p.gif"), "expected --plot of two MODELs or of a series"),
    (4, ("--bootstrap", "9", "--plot", "p.png"), "found --bootstrap, which has no picture"),
    (2, ("--plot", "p.gif"), "a series of at least three checkpoints"),
    (3, ("--top", "5"), "--top lists elements of two MODELs; found a series of MODELs"),
    (3, ("--set", "--top", "5"), "--top lists elements of two MODELs; found --set"),
    (3, ("--set", "--columns", "relative"), "a run without --set"),
    (3, ("--columns", "mix"), "mix"),
]


@pytest.mark.parametrize(("count", "flags", "said"), WRONG, ids=lambda x: str(x)[:40])
def test_wrong_usage_is_2(weightscope, store, count, flags, said, tmp_path, monkeypatch):
    """One line, before any file is written."""
    monkeypatch.chdir(tmp_path)
    models = [store(tensors(), f"{i}.safetensors") for i in range(count)]
    done = weightscope("compare", *models, *flags)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert len(list(tmp_path.iterdir())) == count


def test_a_stored_report_is_no_step(weightscope, steps, tmp_path):
    """A report as A is compared with one checkpoint."""
    (tmp_path / "r.csv").write_text("tensor,std\nw,1\n")
    done = weightscope("compare", tmp_path / "r.csv", *steps(2))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("at", [1, 2])
def test_a_broken_step_leaves_the_others(weightscope, steps, broken, at):
    """Exit 3 with its name; the other steps keep their numbers."""
    models = steps(4)
    models[at] = broken("step50")
    done = weightscope("compare", *models, *SHOWN)
    assert done.code == 3
    assert f"not measured: {models[at]}: expected a checkpoint; found a git-LFS" in done.err
    left = [path for i, path in enumerate(models) if i and i != at]
    assert list(dict.fromkeys(row["source"] for row in rows(done))) == left
    numbers = [str(100 * i) for i in range(4) if i and i != at]
    assert list(dict.fromkeys(row["step"] for row in rows(done))) == numbers


def test_positions_skip_a_broken_step(weightscope, store, broken):
    """Without numbers in the names the steps keep the places that the user gave them."""
    models = [store(tensors(i), f"{name}.safetensors") for i, name in enumerate("abcd")]
    models[1] = broken("b")
    done = weightscope("compare", *models, *SHOWN)
    assert list(dict.fromkeys(row["step"] for row in rows(done))) == ["2", "3"]


def test_all_other_steps_broken(weightscope, steps, broken):
    """No report; each is named."""
    models = [steps(1)[0], broken("x"), broken("y"), broken("z")]
    done = weightscope("compare", *models)
    assert (done.code, done.out) == (3, "")
    assert all(path in done.err for path in models[1:])


@pytest.mark.parametrize("flags", [(), ("--set",), ("--nearest",), ("--bootstrap", "5")])
def test_a_broken_first_ends_at_once(weightscope, steps, broken, flags):
    """Exit 3, and no other is opened."""
    models = [broken("first"), *steps(3), broken("other")]
    done = weightscope("compare", *models, *flags)
    assert (done.code, done.out) == (3, "")
    assert models[0] in done.err
    assert models[-1] not in done.err


def test_a_broken_merge_ends_at_once(weightscope, steps, broken):
    """--mix needs the last MODEL too."""
    models = [*steps(3), broken("merged")]
    done = weightscope("compare", *models, "--set", "--mix")
    assert (done.code, done.out) == (3, "")
    assert models[-1] in done.err


def test_fail_fast(weightscope, steps, broken):
    """The first broken step ends the run."""
    done = weightscope("compare", *steps(3), broken("x"), broken("y"), "--fail-fast")
    assert (done.code, done.out) == (3, "")
    assert "x.safetensors" in done.err
    assert "y.safetensors" not in done.err


@pytest.mark.parametrize("flags", [("--set",), ("--bootstrap", "5"), ("--set", "--mix")])
def test_too_few_are_left(weightscope, steps, broken, flags):
    """Exit 3 without a report: the broken files left too few for what was wanted."""
    one, two = steps(2)
    done = weightscope("compare", one, broken("x"), broken("y"), two, *flags)
    assert (done.code, done.out) == (3, "")
    assert "x.safetensors" in done.err
    assert "y.safetensors" in done.err


def test_different_models_in_a_series(weightscope, steps, store):
    """Exit 0; the relation says so."""
    alien = {"conv1.weight": np.ones((8, 3, 3, 3), np.float32)}
    models = [*steps(2), store(alien, "step300.safetensors")]
    done = weightscope("compare", *models, *SHOWN)
    assert done.code == 0
    assert "step 300: another architecture: no tensor in common with the first" in done.err


def test_gates_see_all_rows(weightscope, steps):
    """Also those that --where and --limit hide."""
    models = steps(3)
    gate = ("--fail-if", "against == 'previous' and step == 200")
    done = weightscope("compare", *models, *SHOWN, "--limit", "1", *gate)
    assert done.code == 1
    assert len(rows(done)) == 1


@pytest.mark.parametrize("ending", ["json", "parquet", "csv"])
def test_formats(steps, tmp_path, ending):
    """Steps are whole numbers, every row is there."""
    path = tmp_path / f"r.{ending}"
    ws.compare(*steps(3), columns=("step", "against", "tensor", "relative")).save(path)
    if ending == "json":
        found = json.loads(path.read_text())
    elif ending == "parquet":
        found = pyarrow.parquet.read_table(path).to_pylist()
    else:
        found = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(found) == 12
    assert {int(row["step"]) for row in found} == {100, 200}


def test_provenance(weightscope, steps, broken, tmp_path):
    """Each source once, the verdict, and the refused."""
    models = [*steps(3), broken("x")]
    about = tmp_path / "about.json"
    weightscope("compare", *models, *SHOWN, "--provenance", about)
    kept = json.loads(about.read_text())
    assert [source["source"] for source in kept["sources"]] == models[:3]
    assert kept["refused"][0].startswith(models[3])
    assert kept["verdict"][0].startswith("step 100: related to the first")


def test_each_tensor_of_each_source_is_counted_once(weightscope, steps):
    """Whatever the number of its pairs."""
    done = weightscope("compare", *steps(4), *SHOWN)
    assert done.coverage == "16 of 16 tensors measured"


def test_strict(weightscope, steps, store):
    """A tensor that cannot be read in one step is an error."""
    odd = tensors() | {"z.phase": np.ones((2, 2), np.complex64)}
    models = [store(odd, f"step{i}.safetensors") for i in range(3)]
    columns = ("--columns", "tensor,relative", "--strict")
    assert weightscope("compare", *models, *columns).code == 4
    assert weightscope("compare", *steps(3), *columns).code == 0


def test_one_source_named_twice(weightscope, steps):
    """Steps that do not rise are numbered by position."""
    one, two = steps(2)
    done = weightscope("compare", one, one, two, *SHOWN)
    assert done.code == 0
    assert [row["status"] for row in rows(done)[:4]] == ["same"] * 4
    assert "plateau: step 1 changes nothing" in done.err


def test_an_animation(weightscope, steps, tmp_path, monkeypatch):
    """A frame a step; of few pixels, which are faster."""
    monkeypatch.setattr(frames, "DPI", 40)
    path = tmp_path / "p.gif"
    done = weightscope("compare", *steps(3), *SHOWN, "--plot", path)
    assert done.code == 0
    with Image.open(path) as image:
        assert image.n_frames == 3


@pytest.mark.parametrize("command", ["fit", "depth", "outliers"])
def test_only_a_series_is_animated(weightscope, steps, command):
    """Other commands refuse the ending."""
    done = weightscope(command, *steps(3), "--plot", "p.gif")
    assert (done.code, done.out) == (2, "")


def test_python(store):
    """Dicts in memory and files, mixed; options as keywords."""
    one, two = ({k: torch.from_numpy(v) for k, v in tensors(i).items()} for i in range(2))
    three = store(tensors(2), "three.safetensors")
    report = ws.compare(one, two, three, set=True)
    assert {"a", "b", "cosine"} <= set(report.table.columns)
    with pytest.raises(ws.UsageError, match="two tunings"):
        ws.compare(one, two, set=True)
