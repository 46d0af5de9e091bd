"""No output replaces what a run reads, and no file takes two outputs; `-o -` is stdout."""

import os
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

import weightscope as ws
from weightscope.errors import UsageError

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a file, a sharded model with its config, links to both.

    And an earlier report.
    """
    draw = np.random.default_rng(0).standard_normal
    monkeypatch.chdir(tmp_path)
    save_file({"h.0.mlp.w": draw((8, 4)).astype(np.float32)}, "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "rules.toml").write_text("rule = []\n")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "original").mkdir()
    weights = {f"h.{i}.w": shard for i, shard in enumerate(SHARDS)}
    for name, shard in weights.items():
        save_file({name: draw((8, 4)).astype(np.float32)}, f"m/{shard}")
    index = str({"metadata": {}, "weight_map": weights}).replace("'", '"')
    for name, text in {
        "model.safetensors.index.json": index,
        "config.json": "{}",
        "tokenizer.json": "{}",
        "original/params.json": "{}",
        "fit.csv": "tensor,std\nh.0.w,1.0\n",
        "fit.tsv": "tensor\tstd\n",
        "fit.json": '[\n{"tensor": "h.0.w"}\n]\n',
        "fit.jsonl": '{"std": 1.0}\n',
        "fit.md": "| tensor | row\\_spread |\n| --- | ---: |\n",
        "about.json": '{\n  "version": "0.1.0"\n}\n',
        "tags.csv": "tag_id,name,category,count\n",
        "data.parquet": "PAR1",
        "modules.json": '[\n  {"idx": 0}\n]\n',
    }.items():
        (tmp_path / "m" / name).write_text(text)
    os.symlink("model.safetensors", "link.csv")
    os.link("model.safetensors", "hard.csv")
    os.symlink(f"m/{SHARDS[0]}", "shard.csv")
    os.link(f"m/{SHARDS[0]}", "m/hard.csv")
    os.symlink("m", "n")
    (tmp_path / "m" / "a").mkdir()
    (tmp_path / "m" / "a" / "s1.dat").write_text("a shard")
    (tmp_path / "blob").write_text("a shard")
    os.symlink("../blob", "m/model-00003-of-00003.safetensors")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "sub").mkdir()
    return tmp_path


def content(folder):
    """Every file with its bytes."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


FILE, FOLDER, INDEX = "model.safetensors", "m", "m/model.safetensors.index.json"
REPLACED = [
    ("fit", FILE, ["-o", "model.safetensors", "-f", "csv"], "which this run reads"),
    ("fit", FILE, ["-o", "./sub/../model.safetensors", "-f", "csv"], "which this run reads"),
    ("fit", FILE, ["-o", "link.csv"], "which this run reads"),
    ("fit", FILE, ["-o", "hard.csv"], "which this run reads"),
    ("fit", FILE, ["-o", "config.json"], "which this run reads"),
    ("fit", FILE, ["-o", "r.csv", "-o", "link.csv"], "which this run reads"),
    ("fit", FILE, ["--provenance", "model.safetensors"], "which this run reads"),
    ("fit", FILE, ["--counts", "link.csv"], "which this run reads"),
    ("spectrum", FILE, ["--values", "link.csv"], "which this run reads"),
    (
        "fit",
        FILE,
        ["--name-map", "rules.toml", "--provenance", "rules.toml"],
        "which this run reads",
    ),
    ("ls", FILE, ["-o", "model.safetensors", "-f", "json"], "which this run reads"),
    ("fit", FILE, ["-o", f"m/{SHARDS[0]}", "-f", "csv"], "has the suffix of a checkpoint"),
    ("fit", FOLDER, ["-o", f"m/{SHARDS[1]}", "-f", "csv"], "has the suffix of a checkpoint"),
    ("fit", FOLDER, ["-o", "shard.csv"], "has the suffix of a checkpoint"),
    ("fit", FOLDER, ["-o", "m/hard.csv"], "an existing file of the model's folder"),
    ("ls", FOLDER, ["-o", "m/fit.jsonl"], "an existing file of the model's folder"),
    (
        "fit",
        FOLDER,
        ["-o", "m/model.safetensors.index.json"],
        "an existing file of the model's folder",
    ),
    ("fit", FOLDER, ["--provenance", "m/config.json"], "an existing file of the model's folder"),
    ("fit", FOLDER, ["-o", "n/tokenizer.json"], "an existing file of the model's folder"),
    ("fit", "n", ["-o", "m/tokenizer.json"], "an existing file of the model's folder"),
    ("fit", FOLDER, ["-o", "m/original/params.json"], "an existing file of the model's folder"),
    ("fit", FOLDER, ["-o", "m/tags.csv"], "an existing file of the model's folder"),
    ("fit", FOLDER, ["-o", "m/data.parquet"], "an existing file of the model's folder"),
    ("fit", FOLDER, ["-o", "m/modules.json"], "an existing file of the model's folder"),
    ("fit", INDEX, ["-o", "m/a/s1.dat", "-f", "csv"], "an existing file of the model's folder"),
    ("fit", INDEX, ["-o", "blob", "-f", "csv"], "an existing file of the model's folder"),
    ("fit", FILE, ["-o", "tokenizer.json"], "an existing file of the model's folder"),
    (
        "outliers",
        FILE,
        ["--base", FOLDER, "-o", "m/tokenizer.json"],
        "an existing file of the model's folder",
    ),
    ("outliers", FILE, ["--base", "hard.csv", "-o", "hard.csv"], "which this run reads"),
]


@pytest.mark.parametrize(
    ("command", "source", "outputs", "said"), REPLACED, ids=lambda x: "".join(x)[:40]
)
def test_an_output_never_replaces_an_input(
    weightscope, place, monkeypatch, command, source, outputs, said
):
    """Exit 2 before anything is read, and every file stays as it is."""
    monkeypatch.setattr("weightscope.api.open_checkpoint", None)  # a call would fail
    before = content(place)
    done = weightscope(command, source, *outputs)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert content(place) == before


def test_a_picture_never_replaces_an_input(weightscope, place):
    """A link with the suffix of a picture leads to the checkpoint."""
    os.symlink("model.safetensors", "p.png")
    done = weightscope("fit", FILE, "--plot", "p.png")
    assert done.code == 2
    assert "which this run reads" in done.err


def test_the_demo_stays(weightscope, tmp_path):
    """`demo:gpt` is a file too."""
    path = ws.open_checkpoint("demo:gpt").files[0][0]
    copy = tmp_path / "copy"
    shutil.copy(path, copy)
    assert weightscope("ls", "demo:gpt", "-o", path, "-f", "csv").code == 2
    with open(path, "rb") as file:
        assert file.read() == copy.read_bytes()


ALLOWED = [
    (FILE, ["-o", "new.csv"], "new.csv"),
    (FILE, ["-o", "m/new.json"], "m/new.json"),
    (FOLDER, ["-o", "m/fit.csv"], "m/fit.csv"),
    (FOLDER, ["-o", "m/new.json"], "m/new.json"),
    (FOLDER, ["-o", "config.json"], "config.json"),
    (FOLDER, ["-o", "m/fit.tsv"], "m/fit.tsv"),
    (FOLDER, ["-o", "m/fit.json"], "m/fit.json"),
    (FOLDER, ["-o", "m/fit.md"], "m/fit.md"),
    (FOLDER, ["-o", "m/about.json"], "m/about.json"),
    (INDEX, ["-o", "m/fit.csv"], "m/fit.csv"),
    (FILE, ["-o", "./-", "-f", "csv", "-o", "-"], "-"),
    (FILE, ["-o", "-", "-o", "new.parquet"], "new.parquet"),
]


@pytest.mark.parametrize(("source", "outputs", "written"), ALLOWED, ids=lambda x: "".join(x)[:40])
def test_other_files_are_written(weightscope, place, source, outputs, written):
    """A new file, an earlier report in the model's folder.

    And a file that only stands beside the source.
    """
    done = weightscope("fit", source, *outputs)
    assert done.code == 0, done.err
    assert "h." in (place / written).read_bytes().decode("latin-1")


TWICE = [
    ["-o", "a.csv", "--provenance", "./a.csv"],
    ["-o", "a.csv", "-o", "sub/../a.csv"],
    ["-o", "a.csv", "--counts", "{}/a.csv"],
    ["--plot", "a.png", "--provenance", "sub/../a.png"],
    ["-o", "-", "-o", "-"],
]


@pytest.mark.parametrize("outputs", TWICE, ids=" ".join)
def test_one_file_takes_one_output(weightscope, place, outputs):
    """Exit 2 whatever the spelling; nothing is written."""
    before = content(place)
    done = weightscope("fit", FILE, *(word.format(place) for word in outputs))
    assert (done.code, done.out) == (2, "")
    assert "twice" in done.err
    assert content(place) == before


def test_a_device_takes_several_outputs(weightscope, place):
    """/dev/null loses nothing."""
    done = weightscope("fit", FILE, "-o", "/dev/null", "-f", "csv", "--provenance", "/dev/null")
    assert (done.code, done.out) == (0, "")


def test_a_dash_is_stdout(weightscope, place):
    """`-o -` prints what a run without it prints; other outputs take no dash."""
    plain = weightscope("fit", FILE, "--columns", "tensor,std")
    assert weightscope("fit", FILE, "--columns", "tensor,std", "-o", "-").out == plain.out
    both = weightscope("fit", FILE, "--columns", "tensor,std", "-o", "-", "-o", "r.csv")
    assert both.out == plain.out == (place / "r.csv").read_text()
    json = weightscope("fit", FILE, "-o", "-", "-f", "json")
    assert json.out.startswith("[")
    for option in ("--provenance", "--counts", "--plot"):
        done = weightscope("fit", FILE, option, "-")
        assert (done.code, done.out) == (2, "")
        assert "stdout" in done.err
    assert not (place / "-").exists()


def test_a_report_in_python_replaces_no_input(place):
    """`save`, `save_provenance` and `plot` refuse what the call has read."""
    os.symlink("model.safetensors", "p.png")
    report = ws.fit(FILE)
    before = content(place)
    with pytest.raises(UsageError, match="which this run reads"):
        report.save("model.safetensors", "csv")
    with pytest.raises(UsageError, match="which this run reads"):
        report.save_provenance("link.csv")
    with pytest.raises(UsageError, match="which this run reads"):
        report.plot("p.png")
    with pytest.raises(UsageError, match="an existing file of the model's folder"):
        ws.ls(ws.open_checkpoint(FOLDER)).save("m/tokenizer.json")
    assert content(place) == before
    report.save("r.csv")
    report.save("r.csv")


def test_a_report_knows_its_inputs_after_a_change_of_folder(place, monkeypatch):
    """Names relative to the folder of the call."""
    report = ws.ls(FOLDER)
    monkeypatch.chdir(place / "sub")
    with pytest.raises(UsageError, match="the model's folder"):
        report.save("../m/tokenizer.json")
