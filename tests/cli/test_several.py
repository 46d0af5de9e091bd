"""One broken file among several MODELs: the others are measured, the broken ones are named."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import weightscope as ws
from tests.cli.conftest import tensors

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 9\n"
BROKEN = {
    "pointer": LFS,
    "page": b"<!DOCTYPE html><html>404</html>",
    "empty": b"",
    "zeros": bytes(64),
    "pickle": b"\x80\x02cos\nsystem\nX\1\0\0\0x\x85R.",
    "absent": None,
    "without tensors": b"\2\0\0\0\0\0\0\0{}",
}
COMMANDS = ("fit", "spectrum", "outliers", "depth", "ls")


def written(path, kind):
    """The path of a broken file of a kind."""
    if BROKEN[kind] is not None:
        path.write_bytes(BROKEN[kind])
    return str(path)


@pytest.fixture
def broken(tmp_path):
    """The path of a git-LFS pointer."""
    return written(tmp_path / "broken.safetensors", "pointer")


def rows(done):
    """The rows of a CSV report."""
    return list(csv.DictReader(io.StringIO(done.out)))


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_among_several(weightscope, model, tmp_path, kind):
    """Whatever its fault, the others have the same rows as alone, and the run exits with 3."""
    path = written(tmp_path / "broken.bin", kind)
    done = weightscope("ls", model, path)
    alone = weightscope("ls", model)
    assert done.code == 3
    assert f"not measured: {path}: expected" in done.err
    assert {row["source"] for row in rows(done)} == {model}
    without = [{key: row[key] for key in row if key != "source"} for row in rows(done)]
    assert without == rows(alone)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("first", [True, False], ids=["broken first", "broken last"])
def test_every_command(weightscope, model, broken, command, first):
    """Each command that takes several MODELs measures the others, in either order."""
    models = (broken, model) if first else (model, broken)
    done = weightscope(command, *models)
    assert done.code == 3
    assert {row["source"] for row in rows(done)} == {model}
    assert "git-LFS pointer" in done.err


def test_every_broken_one_is_named(weightscope, model, tmp_path):
    """Also with --quiet, which hides warnings and no failures."""
    paths = [written(tmp_path / f"{number}.bin", "zeros") for number in range(30)]
    done = weightscope("ls", *paths[:15], model, *paths[15:], "-q")
    assert done.code == 3
    assert done.err.count("not measured: ") == 30
    assert all(path in done.err for path in paths)


def test_only_broken(weightscope, tmp_path):
    """Without a sound MODEL there is no report, and each one is named with its fault."""
    paths = [written(tmp_path / kind, kind) for kind in BROKEN]
    done = weightscope("fit", *paths)
    assert (done.code, done.out) == (3, "")
    lines = done.err.splitlines()
    assert len(lines) == len(paths)
    for line, path in zip(lines, paths, strict=True):
        assert line.startswith(f"weightscope: {path}: expected")


def test_one_broken_alone(weightscope, broken):
    """A single MODEL ends as before, with one message."""
    done = weightscope("fit", broken)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"weightscope: {broken}: expected a checkpoint; found a git-LFS")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_fail_fast(weightscope, model, tmp_path, broken, command):
    """--fail-fast ends at the first broken MODEL, and names no other."""
    other = written(tmp_path / "other.bin", "zeros")
    done = weightscope(command, model, broken, other, "--fail-fast")
    assert (done.code, done.out) == (3, "")
    assert broken in done.err
    assert other not in done.err


@pytest.mark.parametrize("broken_is_first", [True, False], ids=["A", "B"])
def test_compare_needs_both(weightscope, model, broken, broken_is_first):
    """A broken A or B ends a comparison at once."""
    models = (broken, model) if broken_is_first else (model, broken)
    done = weightscope("compare", *models)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"weightscope: {broken}: expected")


def test_broken_base(weightscope, model, broken):
    """A broken --base ends at once, also beside several MODELs."""
    done = weightscope("outliers", model, model, "--base", broken)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"weightscope: {broken}: expected")


def test_gates_and_files(weightscope, model, broken, tmp_path):
    """A gate sees the rows that were measured, files are written, exit 3 outweighs 1."""
    output, about = tmp_path / "r.json", tmp_path / "about.json"
    options = ("-o", output, "--provenance", about, "--fail-if", "std > 0")
    done = weightscope("fit", model, broken, *options)
    assert done.code == 3
    assert "std > 0" in done.err
    assert len(json.loads(output.read_text())) == 4
    provenance = json.loads(about.read_text())
    assert [source["source"] for source in provenance["sources"]] == [model]
    assert len(provenance["refused"]) == 1
    assert provenance["refused"][0].startswith(broken)


def test_grouped_rows_have_their_source(weightscope, model, broken):
    """Groups of the one sound MODEL keep the column `source` filled."""
    done = weightscope("fit", model, broken, "--by", "role")
    assert {row["source"] for row in rows(done)} == {model}


def test_sound_models_have_no_such_key(model):
    """The provenance of a complete report is as before."""
    report = ws.ls(model, model)
    assert "refused" not in report.provenance
    assert (report.refused, report.failures) == ((), ())


def test_wrong_usage_still_ends_at_once(weightscope, model, broken):
    """A wrong demo is an error of usage (2), not a broken MODEL."""
    assert weightscope("ls", model, broken, "demo:none").code == 2


@pytest.fixture
def ambiguous(tmp_path):
    """The path of a file with two dicts of equal size."""
    path = tmp_path / "two.pt"
    torch.save({"gen": {"a.weight": torch.ones(4, 4)}, "disc": {"a.weight": torch.eye(4)}}, path)
    return str(path)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "ls"])
def test_several_equal_dicts(weightscope, model, ambiguous, command):
    """The others have their rows; alone, with --fail-fast, and where no other is left: exit 2."""
    done = weightscope(command, ambiguous, model)
    assert done.code == 3
    assert {row["source"] for row in rows(done)} == {model}
    assert f"not measured: {ambiguous}: expected one largest dict of tensors; found 2" in done.err
    for models in ((ambiguous,), (ambiguous, ambiguous), (model, ambiguous, "--fail-fast")):
        refused = weightscope(command, *models)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith(f"weightscope: {ambiguous}: expected one largest dict")


def test_a_list_of_several_equal_dicts(weightscope, model, ambiguous):
    """`ls` needs no model: all tensors are listed, exit 0."""
    done = weightscope("ls", ambiguous, model)
    assert done.code == 0
    assert [row["tensor"] for row in rows(done)][:2] == ["disc.a.weight", "gen.a.weight"]


def test_a_dict_that_one_file_lacks(weightscope, model, ambiguous, tmp_path):
    """--root names a dict of one file: the other is named; a dict that both lack is wrong usage."""
    other = tmp_path / "other.pt"
    torch.save({"model": {"a.weight": torch.ones(4, 4)}}, other)
    done = weightscope("fit", ambiguous, other, "--root", "gen")
    assert done.code == 3
    assert {row["source"] for row in rows(done)} == {ambiguous}
    assert f"not measured: {other}: expected --root to name" in done.err
    assert weightscope("fit", ambiguous, other, "--root", "none").code == 2


def test_no_layers_among_several(weightscope, model, broken, tmp_path):
    """`depth` measures those that have layers, and names every other one."""
    flat = tmp_path / "flat.safetensors"
    save_file({"x.weight": np.ones((4, 4), np.float32)}, flat)
    done = weightscope("depth", flat, model, broken)
    assert done.code == 3
    assert {row["source"] for row in rows(done)} == {model}
    assert f"not measured: {flat}: expected names with a layer index" in done.err
    assert f"not measured: {broken}: " in done.err
    assert "flat" not in done.coverage
    alone = weightscope("depth", flat, flat)
    assert (alone.code, alone.out) == (2, "")
    assert weightscope("depth", model, flat, "--fail-fast").code == 2
    neither = weightscope("depth", flat, broken)
    assert neither.code == 3
    assert [line.split(": ")[1] for line in neither.err.splitlines()] == [broken, str(flat)]


def test_a_base_that_does_not_fit_one_of_several(weightscope, model, tmp_path):
    """`outliers` compares those that the base fits."""
    other = tmp_path / "other.safetensors"
    save_file({"x.weight": np.ones((4, 4), np.float32)}, other)
    done = weightscope("outliers", other, model, "--base", model)
    assert done.code == 3
    assert {row["source"] for row in rows(done)} == {model}
    assert f"not measured: {other}: expected a base with tensors of the same names" in done.err
    assert weightscope("outliers", other, "--base", model).code == 2


def test_hostile_name_among_several(weightscope, model, tmp_path):
    """Control characters of a path are escaped in the message."""
    path = written(tmp_path / "a\x1b[31m.bin", "zeros")
    done = weightscope("ls", model, path)
    assert done.code == 3
    assert "\x1b" not in done.err
    assert "a\\x1b[31m.bin" in done.err


def test_message_is_escaped(weightscope, model, broken, monkeypatch):
    """Whatever a message quotes, no control character of it reaches the terminal."""

    def refusing(source, opening):
        if source == broken:
            raise ws.CheckpointError("expected \x1b[31m")
        return ws.open_checkpoint(source)

    monkeypatch.setattr("weightscope.analyses.gathering.open_checkpoint", refusing)
    done = weightscope("ls", model, broken)
    assert done.code == 3
    assert "not measured: expected \\x1b[31m" in done.err


def test_python(model, broken):
    """In Python the broken one is a warning and a failure with code 3; fail_fast raises."""
    with pytest.warns(UserWarning, match="git-LFS pointer"):
        report = ws.fit(model, broken)
    assert len(report.rows) == 4
    assert [failure.code for failure in report.failures] == [3]
    with pytest.raises(ws.CheckpointError, match="git-LFS"):
        ws.fit(model, broken, fail_fast=True)
    with pytest.raises(ws.CheckpointError, match="git-LFS") as raised:
        ws.ls(broken, f"{broken}.none")
    assert len(raised.value.__notes__) == 1


def test_salvaged_and_broken(weightscope, model, broken, tmp_path):
    """--salvage measures a truncated MODEL and leaves a broken one out."""
    path = tmp_path / "cut.safetensors"
    save_file(tensors() | {"z": np.ones((8, 8), np.float32)}, path)
    path.write_bytes(path.read_bytes()[:-4])
    done = weightscope("ls", model, str(path), broken, "--salvage")
    assert done.code == 3
    assert {row["source"] for row in rows(done)} == {model, str(path)}
