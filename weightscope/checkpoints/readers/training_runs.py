"""Folders of training programs that store a model in the parts of their ranks: DeepSpeed, Megatron,
torch distributed checkpoints. Where one file holds all weights its path is named, else what
converts the run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ...errors import CheckpointError
from ...escape import escaped
from .below import Folder, parts_listed, refusal, to_use

_STATES = re.compile(r"mp_rank_\d+_model_states\.pt")
_LAYERS = re.compile(r"layer_\d+-model_.*states\.pt")
_STAGE_3 = re.compile(r"(bf16_)?zero_pp_rank_\d+_.*_model_states\.pt")
_OPTIMIZER = re.compile(r".*_optim_states\.pt")
_STEP = re.compile(r"global_step\d+")
_RANK = re.compile(r"mp_rank_\d+(_\d+)*")
_ITERATION = re.compile(r"iter_\d+|release")
_MEGATRON = ("model_optim_rng.pt", "model_rng.pt")
_STEPS = 20  # of a run, the last ones are looked at
_ARGUMENTS = "common.pt"  # what Megatron stores beside a distributed checkpoint


def training_run(folder: Folder) -> CheckpointError | None:
    """The refusal of such a folder, None for any other."""
    return _distributed(folder) or _deepspeed(folder) or _megatron(folder)


def part_of_run(folder: Folder) -> CheckpointError | None:
    """The refusal of a folder with the files of ranks, which are no models to choose from."""
    if _has(folder.names, _STATES, _LAYERS, _STAGE_3, _OPTIMIZER):
        return _deepspeed(folder)
    if set(_MEGATRON) & set(folder.names):
        return _megatron(folder)
    return None


def is_distributed(names: Sequence[str]) -> bool:
    """Whether names are those of a torch distributed checkpoint."""
    return ".metadata" in names or any(name.endswith(".distcp") for name in names)


def is_slice(name: str) -> bool:
    """Whether a file of DeepSpeed holds no weights that can be measured alone."""
    return bool(_STAGE_3.fullmatch(name) or _OPTIMIZER.fullmatch(name))


def only_arguments(choice: object, names: Sequence[str]) -> bool:
    """Whether the one candidate is Megatron's file of arguments, which holds no weights."""
    return choice == _ARGUMENTS and is_distributed(names)


def _distributed(folder: Folder) -> CheckpointError | None:
    if is_distributed(folder.names):
        return refusal("a torch distributed checkpoint", _reshard(folder.path))
    below = [name for name in folder.folders[-_STEPS:] if is_distributed(folder.inner(name).names)]
    if not below:
        return None
    found = f"torch distributed checkpoints in {parts_listed(below)}"
    return refusal(found, _reshard(os.path.join(folder.path, below[-1])))


def _reshard(path: str) -> str:
    command = "python -m torch.distributed.checkpoint.format_utils dcp_to_torch"
    return f"convert it: {command} {escaped(path)} model.pt"


def _deepspeed(folder: Folder) -> CheckpointError | None:
    step = ""
    run = folder.path
    if _has(folder.names, _STATES, _LAYERS, _STAGE_3, _OPTIMIZER):
        run = os.path.dirname(os.path.abspath(folder.path))
    else:
        step = _newest(folder, "latest", _STEP)
        if not step:
            return None
    inner = folder.inner(step).names
    states = [os.path.join(step, name) for name in inner if _STATES.fullmatch(name)]
    convert = f"convert the run: python zero_to_fp32.py {escaped(run)} model"
    if _has(inner, _STAGE_3):
        return refusal("a DeepSpeed run of ZeRO stage 3, in slices", convert)
    if len(states) == 1:
        return refusal("a DeepSpeed run", f"{to_use(folder, states)}, which holds the weights")
    if states:
        found = f"a DeepSpeed run in {len(states)} slices: {parts_listed(states)}"
        return refusal(found, f"{to_use(folder, states)}, or {convert}")
    layers = [os.path.join(step, name) for name in inner if _LAYERS.fullmatch(name)]
    if layers:
        found = f"a DeepSpeed run with a file for each layer: {parts_listed(layers)}"
        return refusal(found, to_use(folder, layers))
    if _has(inner, _OPTIMIZER):
        return refusal("a DeepSpeed run with optimizer states alone", convert)
    return None


def _megatron(folder: Folder) -> CheckpointError | None:
    step = ""
    own = [name for name in _MEGATRON if name in folder.names]
    if own:
        return refusal("the part of one rank of a Megatron run", to_use(folder, own))
    if not any(_RANK.fullmatch(name) for name in folder.folders):
        step = _newest(folder, "latest_checkpointed_iteration.txt", _ITERATION)
        if not step:
            return None
    home = folder.inner(step)
    if is_distributed(home.names):
        return refusal("a Megatron run", _reshard(home.path))
    parts = []
    for rank in home.folders:
        if _RANK.fullmatch(rank):
            here = home.inner(rank).names
            parts += [os.path.join(step, rank, name) for name in _MEGATRON if name in here]
    if not parts:
        return None
    if len(parts) == 1:
        return refusal("a Megatron run", f"{to_use(folder, parts)}, which holds the weights")
    found = f"a Megatron run of {len(parts)} ranks, each with a slice: {parts_listed(parts)}"
    return refusal(found, f"{to_use(folder, parts)}, or convert the run with Megatron's tools")


def _has(names: Sequence[str], *patterns: re.Pattern[str]) -> bool:
    states = [name for name in names if name.endswith("_states.pt")]
    return any(pattern.fullmatch(name) for name in states for pattern in patterns)


def _newest(folder: Folder, tracker: str, pattern: re.Pattern[str]) -> str:
    """The folder of the step that a file names, else the last by number; "" without one."""
    if tracker in folder.names:
        tag = folder.line(tracker)
        for name in (tag, f"iter_{tag.zfill(7)}"):
            if name in folder.folders:
                return name
    steps = [name for name in folder.folders if pattern.fullmatch(name)]
    if not steps:
        return ""
    return steps[-1]  # in natural order
