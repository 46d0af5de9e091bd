"""A folder holds one model in one of several forms: the first in a fixed order, named in a note.

Order: model.safetensors, its index, any other safetensors index, adapter_model.*,
pytorch_model.bin, its index, any other index, then the one file with a suffix of a reader. Forms
are never mixed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import CheckpointError
from ...escape import escaped, listed
from ..checkpoint import Checkpoint
from ..config import read_config
from . import read_file
from .index import read_index
from .inside import listing, within
from .members import SUFFIXES

if TYPE_CHECKING:
    from ..opening import Opening

_INDEX = ".index.json"
# names that Hugging Face libraries write, the preferred form first
_FIRST = (
    r"model\.safetensors",
    r"model\.safetensors\.index\.json",
    r".*\.safetensors\.index\.json",
    r"adapter_model\.safetensors",
    r"adapter_model\.bin",
    r"pytorch_model\.bin",
    r"pytorch_model\.bin\.index\.json",
    r".*\.index\.json",
)
# files that transformers and accelerate write beside the model
_NOT_MODELS = re.compile(
    r"(training_args|optimizer|scheduler|scaler|rng_state.*|random_states.*)\.(bin|pt|pth|pkl)"
)
_MODELS = (*SUFFIXES, _INDEX, ".gguf")  # suffixes of files that a user may take for the model
_RESHARD = (
    "convert it: python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt"
)


def read(path: str, opening: Opening) -> Checkpoint:
    """The model of a folder, with its config; raises CheckpointError."""
    names = listing(path)
    choice = _choice(path, names)
    file = os.path.join(path, choice)
    if choice.endswith(_INDEX):  # read_index adds the config itself
        return _with_note(read_index(file, opening), choice, names)
    within(path, choice, opening.follow_symlinks)
    config, config_flags = read_config(path)
    checkpoint = read_file(file, opening)
    checkpoint = replace(checkpoint, config=config, flags=(*checkpoint.flags, *config_flags))
    return _with_note(checkpoint, choice, names)


def _choice(path: str, names: Sequence[str]) -> str:
    """The first name in that order; raises CheckpointError where there is none or several."""
    for pattern in _FIRST:
        candidates = [name for name in names if re.fullmatch(pattern, name, re.DOTALL)]
        if candidates:
            return _only(candidates)
    for suffix in SUFFIXES:
        candidates = [name for name in names if _may_be_model(name, suffix)]
        if candidates:
            return _only(candidates)
    raise _no_model(path, names)


def _only(candidates: Sequence[str]) -> str:
    if len(candidates) == 1:
        return candidates[0]
    raise CheckpointError(
        "expected one model in the folder",
        f"found {len(candidates)}: {listed(candidates)}",
        "name the one to measure",
    )


def _may_be_model(name: str, suffixes: str | tuple[str, ...]) -> bool:
    if _NOT_MODELS.fullmatch(name):
        return False
    return name.lower().endswith(suffixes)


def _no_model(path: str, names: Sequence[str]) -> CheckpointError:
    """The refusal of a folder without a model, with its content."""
    if ".metadata" in names:
        return CheckpointError(
            "expected a model in the folder", "found a torch distributed checkpoint", _RESHARD
        )
    content = listed(_with_slashes(path, names)) or "nothing"
    return CheckpointError(
        "expected a model in the folder",
        f"found {content}",
        "name the file, or the folder that holds it",
    )


def _with_slashes(path: str, names: Iterable[str]) -> list[str]:
    """Names as a message lists them: folders end in a slash."""
    slashed = []
    for name in names:
        is_folder = os.path.isdir(os.path.join(path, name))
        slashed.append(f"{name}/" if is_folder else name)
    return slashed


def _with_note(checkpoint: Checkpoint, choice: str, names: Sequence[str]) -> Checkpoint:
    """The checkpoint with a note that names the choice and the other checkpoints of the folder."""
    files = {os.path.basename(path) for path, _, _ in checkpoint.files} | {choice}
    others = []
    for name in names:
        # "original" is the folder of the weights as their author published them, before conversion
        is_checkpoint = _may_be_model(name, _MODELS) or name == "original"
        if is_checkpoint and name not in files:
            others.append(name)
    note = f"read {escaped(choice)}"
    if others:
        note += f"; also there and not read: {listed(others)}"
    return replace(checkpoint, notes=(note, *checkpoint.notes))
