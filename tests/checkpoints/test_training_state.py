"""What a run saves beside its model is named: never measured, listed where it has tensors."""

from __future__ import annotations

import argparse
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import weightscope as ws
from weightscope.checkpoints.readers.pickle_scan import refusal_of
from weightscope.checkpoints.readers.training_state import state_without_tensors
from weightscope.errors import CheckpointError, UsageError

pytestmark = pytest.mark.usefixtures("laws_are_fitted_once")
STATE = torch.random.get_rng_state()
WEIGHTS = {"a.weight": torch.randn(8, 8), "a.bias": torch.randn(8)}
RANDOM = {  # as transformers, accelerate, Lightning and plain scripts save them
    "transformers": {
        "python": random.Random(0).getstate(),
        "numpy": np.random.RandomState(0).get_state(),
        "cpu": STATE,
        "cuda": [STATE[:16], STATE[16:32]],
    },
    "accelerate": {"step": 3, "torch_manual_seed": STATE, "torch_cuda_manual_seed": [STATE[:16]]},
    "lightning": {"rng_states": {"torch": STATE, "cuda": [STATE[:16]]}},
    "alone": STATE,
}


def saved(tmp_path, content):
    """The path of a torch file."""
    torch.save(content, tmp_path / "saved.pt")
    return tmp_path / "saved.pt"


@pytest.mark.parametrize("name", RANDOM)
def test_states_of_generators_are_no_weights(tmp_path, name):
    """They are refused by name; ls lists them, with a note and exit 0."""
    path = saved(tmp_path, RANDOM[name])
    with pytest.raises(CheckpointError, match="found the state of random number generators only"):
        ws.fit(path)
    rows = ws.ls(path).rows
    assert {row["role"] for row in rows} == {"optimizer"}
    assert all("state of a random number generator" in row["note"] for row in rows)


@pytest.mark.parametrize("key", ["rng_state", "cpu_generator", "torch_rng_state", "random_states"])
def test_a_state_beside_weights_is_not_fitted(tmp_path, key):
    """A flat file with a generator among its weights, as scripts save it."""
    report = ws.fit(saved(tmp_path, {**WEIGHTS, key: STATE}))
    assert [row["tensor"] for row in report.rows] == ["a.bias", "a.weight"]
    assert report.coverage == "2 of 3 tensors measured; left out: 1 of training state or averages"


@pytest.mark.parametrize(
    ("key", "tensor"),
    [
        ("a.qweight", STATE),  # codes
        ("a.weight.absmax", torch.zeros(5056, dtype=torch.uint8)),  # scales of nested codes
        ("random.weight", torch.randn(5056)),  # values
        ("rng_state", torch.zeros(4, 16, dtype=torch.uint8)),  # a matrix
        ("generator", {"a.absmax": torch.zeros(16, dtype=torch.uint8)}),  # a part of a GAN
        ("randomised.mask", torch.zeros(16, dtype=torch.uint8)),
    ],
)
def test_bytes_under_other_keys_stay_in_the_model(tmp_path, key, tensor):
    """Only a vector of bytes under a key of a generator is its state."""
    rows = ws.ls(saved(tmp_path, {**WEIGHTS, key: tensor})).rows
    notes = {row["tensor"]: row["note"] or "" for row in rows}
    assert len(notes) == 3
    assert not [note for note in notes.values() if "random number" in note]


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ({"last_epoch": 3, "base_lrs": [0.1], "_step_count": 4}, "a learning-rate scheduler"),
        ({"_last_lr": [0.1], "milestones": {}}, "a learning-rate scheduler"),
        ({"scale": 2.0, "growth_factor": 2.0, "growth_interval": 9}, "a gradient scaler"),
        ({"state": {}, "param_groups": [{"lr": 0.1}]}, "an optimizer without tensors"),
        ({"python": (3, ()), "numpy": ("MT19937",)}, "random number generators"),
    ],
)
def test_state_without_tensors_is_named(tmp_path, content, state):
    """By the keys of its dict."""
    with pytest.raises(
        CheckpointError, match=f"expected tensors; found the state of {state}; name"
    ):
        ws.fit(saved(tmp_path, content))


def test_other_files_without_tensors_have_no_name(tmp_path):
    """A dict of plain values, and a list."""
    assert state_without_tensors({"lr": 1}) == state_without_tensors([1]) == ""
    with pytest.raises(CheckpointError, match="expected tensors; no tensors in the file; name"):
        ws.fit(saved(tmp_path, {"lr": 1}))


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("transformers.training_args.TrainingArguments", True),
        ("trl.trainer.sft_config.SFTTrainingArguments", True),
        ("argparse.Namespace", False),
    ],
)
def test_arguments_of_a_run_are_named(name, named):
    """`training_args.bin` holds the object of a library, by its class."""
    text = str(refusal_of((name,)))
    assert ("found the arguments of a training run, a pickle that refers to" in text) == named


class Options:
    """Settings of a script."""


OBJECTS = {
    "a command line": (argparse.Namespace(lr=0.1), "the arguments of a training run, a pickle"),
    "names": (SimpleNamespace(lr=0.1), "the arguments of a training run, a pickle"),
    "an object": (Options(), "no tensors but objects, such as settings or the state of a run"),
    "beside numbers": (
        {"args": argparse.Namespace(lr=0.1), "epoch": 3},
        "no tensors but objects, such as settings or the state of a run",
    ),
    "of a scheduler": (
        {"last_epoch": 3, "args": Options()},
        "the state of a learning-rate scheduler, a pickle that refers to",
    ),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize(("content", "found"), OBJECTS.values(), ids=OBJECTS)
def test_objects_without_tensors_are_no_model(tmp_path, content, found, legacy):
    """`training_args.bin` of any class: no advice on a model that the file does not hold."""
    path = tmp_path / "training_args.bin"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    for command in (ws.ls, ws.fit):
        with pytest.raises(CheckpointError) as refusal:
            command(path)
        assert refusal.value.found.startswith(f"found {found}")
        assert refusal.value.advice == "name a file that holds a state dict"


def test_objects_of_a_known_package_keep_its_advice():
    """A converter is named also where the file has no tensors."""
    text = str(refusal_of(("deepspeed.runtime.zero.Config",), state="settings"))
    assert "zero_to_fp32.py" in text
    assert "name a file" not in text


def test_ls_lists_optimizer_state_alone(tmp_path):
    """It needs no model; what measures one refuses the file."""
    moments = {0: {"exp_avg": torch.randn(8, 8), "exp_avg_sq": torch.randn(8, 8)}}
    path = saved(tmp_path, {"state": moments, "param_groups": []})
    report = ws.ls(path)
    assert [row["tensor"] for row in report.rows] == ["state.0.exp_avg", "state.0.exp_avg_sq"]
    assert report.notes[0] == "the file holds optimizer state only, no tensors of a model"
    with pytest.raises(CheckpointError, match="found optimizer state only"):
        ws.fit(path)


def test_ls_lists_equal_dicts(tmp_path):
    """All tensors by their full names, the rest as training state; other commands ask for one."""
    twin = {name: tensor + 1 for name, tensor in WEIGHTS.items()}
    content = {"g": WEIGHTS, "d": twin, "optimizer": {"m": torch.randn(99)}}
    path = saved(tmp_path, content)
    report = ws.ls(path)
    roles = {row["tensor"]: row["role"] for row in report.rows}
    assert list(roles) == ["d.a.bias", "d.a.weight", "g.a.bias", "g.a.weight", "optimizer.m"]
    assert [name for name, role in roles.items() if role == "optimizer"] == ["optimizer.m"]
    assert report.notes[0] == (
        "no model is chosen: 2 dicts of 72 parameters, g, d (--root chooses one)"
    )
    assert len(ws.ls(path, root="g").rows) == 5
    with pytest.raises(UsageError, match="found 2 of 72 parameters: g, d"):
        ws.fit(path)


@pytest.mark.parametrize(
    ("name", "kind", "codes"),
    [
        ("_flat_param", "matrix", "flat-parameter"),
        ("_fsdp_wrapped_module.layers.0._fsdp_wrapped_module._flat_param", "matrix", "flat-p"),
        ("module.flat_param_0", "matrix", "flat-parameter"),
        ("module.flat_params", "norm", None),
        ("flat_param.scale", "norm", None),
    ],
)
def test_a_flat_parameter_is_no_norm(name, kind, codes):
    """A vector of all weights of a module has a note, and the kind of no vector."""
    (row,) = ws.ls({name: torch.randn(64)}).rows
    assert row["kind"] == kind
    assert (row["note_codes"] or "").startswith(codes or "")
    assert (row["note_codes"] is None) == (codes is None)


def test_storages_without_tensors_are_stated(tmp_path):
    """Views of a large storage; clones, small files and storages half in use have no note."""
    storage = torch.randn(200, 200)
    views = {"a.weight": storage[:4, :8], "b.weight": storage[10:14, :8]}
    notes = ws.fit(saved(tmp_path, views)).notes
    size = (tmp_path / "saved.pt").stat().st_size
    assert notes[0] == (
        f"159,744 of {size:,} bytes belong to no tensor: "
        "the tensors are views of larger storages, torch.save of their clones is smaller"
    )
    sound = (
        {name: view.clone() for name, view in views.items()},
        {"a.weight": torch.randn(40, 40)[:4]},
        {"a.weight": storage[:110]},
        {"a.weight": storage, "b.weight": storage.T, "c.weight": storage[:3]},
        {"model": {"a.weight": storage[0]}, "optimizer": {"m": storage[1:]}},
    )
    for content in sound:
        assert not [note for note in ws.ls(saved(tmp_path, content)).notes if "belong to" in note]


@pytest.mark.parametrize("command", ["ls", "fit", "spectrum", "outliers", "depth"])
def test_a_save_without_elements_is_refused(tmp_path, command):
    """As a file without tensors: ZeRO-3 saves shapes of (0,) where it does not gather."""
    content = {f"layers.{i}.up.weight": torch.empty(0) for i in range(3)}
    empty = saved(tmp_path, content)
    with pytest.raises(CheckpointError, match=r"found 3 tensors without elements.*zero_to_fp32"):
        getattr(ws, command)(empty)
    with pytest.raises(CheckpointError, match="every tensor is empty"):
        ws.compare(empty, WEIGHTS)
    with pytest.raises(CheckpointError, match="every tensor is empty"):
        ws.outliers(WEIGHTS, base=empty)
    assert len(ws.ls(content).rows) == 3
    path = saved(tmp_path, {**content, **WEIGHTS})
    assert ws.fit(path).coverage == "2 of 5 tensors measured; left out: 3 empty"
