"""A folder holds one model in one of several forms: the first in a fixed order, named in a note.

Order: model.safetensors, its index, any other safetensors index, adapter_model.*,
pytorch_model.bin, its index, any other index, then the one file with a suffix of a reader, or the
one set of numbered shards. Forms are never mixed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import CheckpointError
from ...escape import escaped, listed
from ..checkpoint import Checkpoint
from ..config import read_config
from . import read_file
from .below import Folder
from .hub_cache import only_snapshot
from .index import read_index
from .inside import listing, within
from .members import SUFFIXES
from .numbered import Numbered, numbered_sets, read_numbered
from .other_folders import other_folder
from .training_runs import is_slice, only_arguments, part_of_run

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


def read(path: str, opening: Opening) -> Checkpoint:
    """The model of a folder, with its config; raises CheckpointError."""
    names = listing(path)
    folder = Folder(path, names)
    choice = _chosen(folder)
    if choice is None:
        snapshot = only_snapshot(folder)
        if snapshot is None:
            raise other_folder(folder, _models)
        return _of_snapshot(path, snapshot, opening)
    if isinstance(choice, Numbered):
        return _with_note(read_numbered(path, choice, opening), choice.label, names)
    file = os.path.join(path, choice)
    within(path, choice, opening.follow_symlinks)
    if choice.endswith(_INDEX):  # read_index adds the config itself
        return _with_note(read_index(file, opening), choice, names)
    config, config_flags = read_config(path, opening.follow_symlinks)
    checkpoint = read_file(file, opening)
    checkpoint = replace(checkpoint, config=config, flags=(*checkpoint.flags, *config_flags))
    return _with_note(checkpoint, choice, names)


def _of_snapshot(path: str, snapshot: str, opening: Opening) -> Checkpoint:
    """The model of the one snapshot in a folder of the Hub's cache."""
    checkpoint = read(os.path.join(path, snapshot), opening)
    note = f"the folder is of the Hub's cache: its one snapshot is {escaped(snapshot)}"
    return replace(checkpoint, notes=(note, *checkpoint.notes))


def _chosen(folder: Folder) -> str | Numbered | None:
    """The model of a folder; raises CheckpointError for several, or for the parts of ranks."""
    try:
        choice = _choice(folder.files(_MODELS))
    except CheckpointError as several:
        raise part_of_run(folder) or several from None
    if only_arguments(choice, folder.names):
        return None
    return choice


def _models(folder: Folder) -> Sequence[str]:
    """Relative paths: an empty one where a folder opens as one model, else files to choose from."""
    files = folder.files(_MODELS)
    try:
        choice = _choice(files)
    except CheckpointError:
        return [name for name in files if _may_be_model(name, SUFFIXES) and not is_slice(name)]
    if choice is None or only_arguments(choice, folder.names):
        return ()
    if isinstance(choice, Numbered) and choice.lack:
        return ()
    return ("",)


def _choice(names: Sequence[str]) -> str | Numbered | None:
    """The first model in that order, None without one; raises CheckpointError for several."""
    for pattern in _FIRST:
        candidates = [name for name in names if re.fullmatch(pattern, name, re.DOTALL)]
        if candidates:
            return _only(candidates)
    for suffix in SUFFIXES:
        candidates = [name for name in names if _may_be_model(name, suffix)]
        if candidates:
            return _only(candidates)
    return None


def _only(candidates: Sequence[str]) -> str | Numbered:
    """The one model among files of a kind: a file, or the shards of one set."""
    sets, files = numbered_sets(candidates)
    models: list[str | Numbered] = [*sets, *files]
    if len(models) == 1:
        return models[0]
    labels = [*(numbered.label for numbered in sets), *files]
    advice = "name the one to measure"
    if sets:
        advice += "; of shards without an index, the folder that holds only them"
    raise CheckpointError(
        "expected one model in the folder", f"found {len(models)}: {listed(labels)}", advice
    )


def _may_be_model(name: str, suffixes: str | tuple[str, ...]) -> bool:
    if _NOT_MODELS.fullmatch(name):
        return False
    return name.lower().endswith(suffixes)


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
