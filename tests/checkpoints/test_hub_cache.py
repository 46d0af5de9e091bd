"""The cache of the Hub: one snapshot opens, of several the paths are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.checkpoints.corpus import write
from tests.checkpoints.folders import MODEL, hub_model, opens, refusal
from weightscope.checkpoints import inputs, open_checkpoint


def test_one_snapshot(tmp_path: Path) -> None:
    """models--org--name with one snapshot opens as that snapshot, with its config and a note."""
    folder = hub_model(tmp_path / "models--o--n", "c0ffee", main="c0ffee")
    write(folder / "snapshots" / "c0ffee" / "config.json", b'{"n_head": 2}')
    found = open_checkpoint(folder)
    assert [tensor.name for tensor in found.tensors] == ["w"]
    assert found.config == {"n_head": 2}
    assert found.source == str(folder)
    snapshot = os.path.join("snapshots", "c0ffee")
    assert found.notes[0] == f"the folder is of the Hub's cache: its one snapshot is {snapshot}"
    assert inputs(folder) == ((), (str(folder),))


def test_one_snapshot_of_a_renamed_folder(tmp_path: Path) -> None:
    """Its content identifies such a folder after it was renamed or moved."""
    assert open_checkpoint(hub_model(tmp_path / "mine", "c0ffee")).tensors[0].name == "w"


def test_links_of_a_snapshot_stay_inside(tmp_path: Path) -> None:
    """A snapshot that is opened by its parent follows no link into another model."""
    folder = hub_model(tmp_path / "models--o--n", "c0ffee")
    other = hub_model(tmp_path / "models--o--other", "c0ffee")
    link = folder / "snapshots" / "c0ffee" / "model.safetensors"
    os.unlink(link)
    os.symlink(other / "blobs" / "1234", link)
    assert "leads to" in refusal(folder)


def test_several_snapshots(tmp_path: Path) -> None:
    """Of several snapshots none is guessed; the one of main is the example."""
    message = refusal(hub_model(tmp_path / "models--o--n", "a1", "b2", "c3", main="b2\n"))
    assert (
        "a model of the Hub with 3 snapshots: snapshots/a1, snapshots/b2, snapshots/c3" in message
    )
    assert "(main is b2)" in message
    assert "models--o--n/snapshots/b2" in message
    assert opens(message) == ["w"]


@pytest.mark.parametrize("main", ["", "../../x", "zz", "\x1b[31m"])
def test_several_snapshots_without_main(main: str, tmp_path: Path) -> None:
    """A branch that is no snapshot is not repeated."""
    message = refusal(hub_model(tmp_path / "models--o--n", "a1", "b2", main=main))
    assert "main is" not in message
    assert opens(message) == ["w"]


def test_no_snapshot(tmp_path: Path) -> None:
    """A download that was interrupted is named as one."""
    folder = hub_model(tmp_path / "models--o--n")
    assert "a model of the Hub without a snapshot; the download is not complete" in refusal(folder)


def test_snapshot_without_a_model(tmp_path: Path) -> None:
    """The one snapshot is a pipeline: the path leads into it."""
    folder = tmp_path / "models--o--n"
    snapshot = folder / "snapshots" / "c0ffee"
    write(snapshot / "model_index.json", b"{}")
    write(snapshot / "unet" / "diffusion_pytorch_model.safetensors", MODEL)
    message = refusal(folder)
    assert "a diffusers pipeline with models in unet" in message
    assert opens(message) == ["w"]


def test_cache_root(tmp_path: Path) -> None:
    """The cache itself, and the folder above it, name the models; each path opens."""
    for name in ("models--a--x", "models--b--y"):
        hub_model(tmp_path / "hub" / name, "c0ffee")
    hub_model(tmp_path / "hub" / "datasets--c--z", "c0ffee")
    for folder, first in ((tmp_path / "hub", "models--a--x"), (tmp_path, "hub/models--a--x")):
        message = refusal(folder)
        assert f"a cache of the Hub with 2 models: {first}" in message
        assert "datasets" not in message
        assert opens(message) == ["w"]


def test_cache_of_one_model(tmp_path: Path) -> None:
    """A cache of one model is not opened in its place: the next download would change it."""
    hub_model(tmp_path / "models--a--x", "c0ffee")
    message = refusal(tmp_path)
    assert f"with 1 model: models--a--x; name {tmp_path}/models--a--x" in message
    assert opens(message) == ["w"]


def test_dataset_of_the_hub(tmp_path: Path) -> None:
    """The folder of a data set is named as such, not as an interrupted download."""
    folder = tmp_path / "datasets--c--z"
    write(folder / "snapshots" / "c0ffee" / "train.parquet", b"PAR1")
    write(folder / "blobs" / "1", b"PAR1")
    assert "a repository of datasets from the Hub" in refusal(folder)
