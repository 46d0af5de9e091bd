"""Folders of DeepSpeed, Megatron and distributed runs: the file of the weights, or a conversion."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from tests.checkpoints.corpus import write, zeros
from tests.checkpoints.folders import (
    MODEL,
    OPTIMIZER,
    STATES,
    deepspeed,
    megatron,
    opens,
    refusal,
)
from weightscope.checkpoints import open_checkpoint


def test_deepspeed(tmp_path: Path) -> None:
    """The file of the weights is named, from the run and from its step."""
    run = deepspeed(tmp_path, STATES, OPTIMIZER)
    for folder in (run, run / "global_step9"):
        message = refusal(folder)
        assert "found a DeepSpeed run; name" in message
        assert f"global_step9/{STATES}, which holds the weights" in message
        assert opens(message) == ["w"]


def test_deepspeed_without_latest(tmp_path: Path) -> None:
    """The last step is named where no file names one, or names one that is gone."""
    run = deepspeed(tmp_path, STATES, OPTIMIZER)
    for latest in (b"global_step7", b"../../etc", bytes(300)):
        write(run / "latest", latest)
        assert f"global_step10/{STATES}" in refusal(run)
    os.unlink(run / "latest")
    assert f"global_step10/{STATES}" in refusal(run)


def test_deepspeed_stage_3(tmp_path: Path) -> None:
    """Slices are converted: the command has the folder of the run."""
    run = deepspeed(tmp_path, "zero_pp_rank_0_mp_rank_00_model_states.pt", OPTIMIZER)
    for folder in (run, run / "global_step9"):
        message = refusal(folder)
        assert "ZeRO stage 3" in message
        assert f"python zero_to_fp32.py {run} model" in message


def test_deepspeed_slices_and_layers(tmp_path: Path) -> None:
    """Tensor-parallel slices and the layers of a pipeline are listed."""
    slices = deepspeed(tmp_path / "a", STATES, "mp_rank_01_model_states.pt")
    message = refusal(slices)
    assert "a DeepSpeed run in 2 slices: global_step9/mp_rank_00" in message
    assert opens(message) == ["w"]
    layers = ("layer_00-model_00-model_states.pt", "layer_01-model_00-model_states.pt")
    message = refusal(deepspeed(tmp_path / "b", *layers))
    assert "with a file for each layer: global_step9/layer_00" in message
    assert opens(message) == ["w"]


def test_deepspeed_optimizer_alone(tmp_path: Path) -> None:
    """Optimizer states alone are converted."""
    assert "with optimizer states alone; convert" in refusal(deepspeed(tmp_path, OPTIMIZER))


def test_lightning_run_of_deepspeed(tmp_path: Path) -> None:
    """Lightning names a folder like a file: it is no file of a model, and the weights are named."""
    folder = tmp_path / "last.ckpt"
    write(folder / "latest", b"checkpoint")
    (folder / "checkpoint").mkdir()
    for name in (STATES, OPTIMIZER):
        torch.save({"module": {"w": torch.ones(2, 3)}}, folder / "checkpoint" / name)
    for source in (tmp_path, folder):
        message = refusal(source)
        assert f"name {folder}/checkpoint/{STATES}" in message
        assert opens(message) == ["w"]


def test_folder_named_like_a_model(tmp_path: Path) -> None:
    """A folder with the name of a model's file is entered by the search, not opened as a file."""
    write(tmp_path / "model.safetensors" / "model.safetensors", MODEL)
    message = refusal(tmp_path)
    assert "found model.safetensors/; name the file" in message
    assert opens(message) == ["w"]
    write(tmp_path / "net.safetensors", zeros("net"))
    assert open_checkpoint(tmp_path).tensors[0].name == "net"


def test_megatron(tmp_path: Path) -> None:
    """The file of one rank is named, from the run, its iteration and its rank."""
    run = megatron(tmp_path, "mp_rank_00")
    file = run / "iter_0000200" / "mp_rank_00" / "model_optim_rng.pt"
    for folder in (run, run / "iter_0000200"):
        message = refusal(folder)
        assert f"found a Megatron run; name {file}, which holds the weights" in message
        assert opens(message) == ["w"]
    write(file.parent / "distrib_optim.pt", b"x")
    message = refusal(file.parent)
    assert "the part of one rank of a Megatron run" in message
    assert opens(message) == ["w"]


def test_megatron_ranks(tmp_path: Path) -> None:
    """Several ranks hold slices, and are listed."""
    message = refusal(megatron(tmp_path, "mp_rank_00_000", "mp_rank_00_001"))
    assert "a Megatron run of 2 ranks, each with a slice: iter_0000200/mp_rank_00_000/" in message
    assert opens(message) == ["w"]


def test_megatron_distributed(tmp_path: Path) -> None:
    """A distributed checkpoint of Megatron: its arguments are no model."""
    run = megatron(tmp_path)
    step = run / "iter_0000200"
    write(step / "__0_0.distcp", b"x")
    write(step / ".metadata", b"\x80\2")
    torch.save({"args": {"w": torch.ones(1)}}, step / "common.pt")
    for folder in (run, step):
        assert f"format_utils dcp_to_torch {step} model.pt" in refusal(folder)
    torch.save({"w": torch.ones(2, 3)}, step / "model.pt")  # as the message advises
    os.unlink(step / "common.pt")
    assert open_checkpoint(step).tensors[0].name == "w"


def test_distributed_below(tmp_path: Path) -> None:
    """The folders of steps of a distributed run are named, the last as the example."""
    for step in ("step-9", "step-10"):
        write(tmp_path / step / ".metadata", b"\x80\2")
        write(tmp_path / step / "__0_0.distcp", b"x")
    message = refusal(tmp_path)
    assert "torch distributed checkpoints in step-9, step-10" in message
    assert f"dcp_to_torch {tmp_path}/step-10 model.pt" in message
