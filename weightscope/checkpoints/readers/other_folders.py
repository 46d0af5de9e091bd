"""Folders without a model at their top: each is named for what it is, with the path to use below.

Markers are names only. A folder that holds a model is read and never comes here.
"""

from __future__ import annotations

import os
import re

from ...errors import CheckpointError
from ...escape import LISTED, escaped, listed
from .below import Folder, Models, models_below, parts_listed, refusal, to_use
from .hub_cache import hub_cache
from .ollama_store import ollama_store
from .training_runs import training_run

_PIPELINE = "model_index.json"
_MAIN_PARTS = ("unet", "transformer", "prior")  # what a pipeline is mostly asked about
_ORBAX = {"_CHECKPOINT_METADATA", "_METADATA", "_sharding", "manifest.ocdbt", "ocdbt.process_0"}
_STEP = re.compile(r"(checkpoint_)?\d+")
_STEPS = 20  # of a run, the last ones are looked at
_CONVERT = "this version does not read it: convert it to safetensors"
_FORMATS = (
    (r"saved_model\.pbt?xt|saved_model\.pb", "a TensorFlow SavedModel"),
    (r".*\.data-\d{5}-of-\d{5}", "a TensorFlow checkpoint"),
    (r".*\.msgpack", "a flax file"),
    (r".*\.(h5|keras)", "a Keras file"),
    (r".*\.onnx", "an ONNX file"),
    (r".*\.gguf", "a GGUF file"),
    (r".*\.(mlmodel|mlpackage)", "a CoreML model"),
    (r".*\.tflite", "a TFLite file"),
    (r".*\.nemo", "a NeMo archive"),
)


def other_folder(folder: Folder, models: Models) -> CheckpointError:
    """The refusal of a folder without a model."""
    return (
        hub_cache(folder)
        or _pipeline(folder, models)
        or training_run(folder)
        or _orbax(folder)
        or ollama_store(folder)
        or _any_other(folder, models)
    )


def _pipeline(folder: Folder, models: Models) -> CheckpointError | None:
    """A folder of diffusers: each part of the pipeline has its own folder."""
    if _PIPELINE not in folder.names:
        return None
    parts = models_below(folder, models, depth=1)
    if not parts:
        return refusal("a diffusers pipeline without weights", "download the weights of its parts")
    found = f"a diffusers pipeline with models in {parts_listed(parts)}"
    main = [part for part in parts if part.split(os.sep)[0] in _MAIN_PARTS]
    return refusal(found, to_use(folder, [*main, *(part for part in parts if part not in main)]))


def _orbax(folder: Folder) -> CheckpointError | None:
    """A checkpoint of JAX: the folder of one step, or of a run."""
    step = ""
    if not _ORBAX & set(folder.names):
        steps = [name for name in folder.folders if _STEP.fullmatch(name)]
        orbax = [name for name in steps[-_STEPS:] if _ORBAX & _with_items(folder.inner(name))]
        if not orbax:
            return None
        step = orbax[-1]
    home = folder.inner(step)
    for item in home.folders:
        inner = home.inner(item)
        if _ORBAX & set(inner.names):
            home = inner
            break
    advice = (
        f"restore {escaped(home.path)} with orbax.checkpoint and write it with "
        "safetensors.flax.save_file"
    )
    return refusal("an Orbax checkpoint (JAX)", advice)


def _with_items(step: Folder) -> set[str]:
    """The names in the folder of a step, and in the folders of its items."""
    names = set(step.names)
    for item in step.folders[:_STEPS]:
        names.update(step.inner(item).names)
    return names


def _any_other(folder: Folder, models: Models) -> CheckpointError:
    """Any other folder: what is in it, and the models below it."""
    content = listed(_with_slashes(folder)) or "nothing"
    below = models_below(folder, models)
    if below:
        advice = "name the file, or the folder that holds it"
        if len(below) > 1:
            advice += f"; models are in {parts_listed(below)}"
        return refusal(content, f"{advice}: {to_use(folder, below)}")
    for pattern, label in _FORMATS:
        form = re.compile(pattern, re.DOTALL)
        matching = [name for name in folder.names if form.fullmatch(name)]
        if matching:
            return refusal(f"{label} ({listed(matching)})", _CONVERT)
    return refusal(content, "name the file, or the folder that holds it")


def _with_slashes(folder: Folder) -> list[str]:
    """Names as a message lists them: folders end in a slash."""
    slashed = list(folder.names)
    # a message shows the first ones only
    for i, name in enumerate(slashed[:LISTED]):
        if os.path.isdir(os.path.join(folder.path, name)):
            slashed[i] = f"{name}/"
    return slashed
