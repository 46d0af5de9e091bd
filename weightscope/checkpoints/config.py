"""config.json and adapter_config.json: read where they exist; the tensors take precedence.

A file that is broken or contradicts the tensors is a flag; then only names decide.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from ..errors import CheckpointError
from ..escape import escaped
from . import files, limits, strict_json
from .checkpoint import Checkpoint
from .readers.inside import within

CONFIG, ADAPTER = "config.json", "adapter_config.json"
_MODEL_FILE = re.compile(
    r"(diffusion_pytorch_|pytorch_|adapter_)?model\b|consolidated\b|(\d+_)?adapters\b"
)

Config = dict[str, object]


def read_config(folder: str, follow: bool = False) -> tuple[Config, tuple[str, ...]]:
    """(config.json with adapter_config.json under "peft", flags) of a folder.

    A link that leaves the folder is refused, as one of a shard is, unless `follow`.
    """
    config, flags = _read(folder, CONFIG, follow)
    adapter, adapter_flags = _read(folder, ADAPTER, follow)
    if adapter:  # under the key that the rest of the program uses
        config = {**config, "peft": adapter}
    return config, (*flags, *adapter_flags)


def config_beside(path: str, follow: bool = False) -> tuple[Config, tuple[str, ...]]:
    """The config in the folder of a file that has the name of a folder's model; else empty."""
    folder, name = os.path.split(path)
    if not _MODEL_FILE.match(name):
        return {}, ()
    return read_config(folder, follow)


def configs_beside(path: str) -> tuple[str, ...]:
    """The paths that `config_beside` tries."""
    folder, name = os.path.split(path)
    if not _MODEL_FILE.match(name):
        return ()
    return os.path.join(folder, CONFIG), os.path.join(folder, ADAPTER)


def config_flags(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Contradictions between config.json and the tensors."""
    return (*_width_flags(checkpoint), *_tie_flags(checkpoint))


def _width_flags(checkpoint: Checkpoint) -> Iterator[str]:
    width = _hidden(checkpoint.config)
    has_matrices = any(len(t.dims) >= 2 for t in checkpoint.tensors)
    if width and has_matrices and not any(width in t.dims for t in checkpoint.tensors):
        yield f"{CONFIG} states hidden_size {width}, no tensor has such a dimension: names only"


def _tie_flags(checkpoint: Checkpoint) -> Iterator[str]:
    tied = checkpoint.config.get("tie_word_embeddings")
    head = _head(checkpoint)
    if tied is True and head is not None:
        yield f"{CONFIG} ties the word embeddings, yet {escaped(head)} is stored separately"
    if tied is False and head is None and _needs_head(checkpoint):
        yield f"{CONFIG} unties the word embeddings, yet no lm_head is stored"


def _needs_head(checkpoint: Checkpoint) -> bool:
    """A language model stores its head, except as an alias; an adapter has none."""
    config = checkpoint.config
    return _is_causal(config) and not checkpoint.aliases and "peft" not in config


def config_notes(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Facts about the tensors that config.json explains."""
    tied = checkpoint.config.get("tie_word_embeddings")
    if tied is True and _head(checkpoint) is None:
        return (
            "word embeddings are tied: one matrix serves as input and as lm_head, and counts once",
        )
    return ()


def as_dict(value: object) -> object:
    """A value of strict_json with plain dicts: the last of doubled keys counts."""
    if isinstance(value, tuple):
        return {key: as_dict(item) for key, item in value}
    if isinstance(value, list):
        return [as_dict(item) for item in value]
    return value


def _read(folder: str, name: str, follow: bool) -> tuple[Config, tuple[str, ...]]:
    """One file as a dict; a broken or oversized file is a flag and an empty dict."""
    path = os.path.join(folder, name)
    if not os.path.lexists(path):  # a broken link is a flag
        return {}, ()
    within(folder, name, follow)
    try:
        size, _ = files.identity(path)
        if size > limits.CONFIG:  # before anything is read
            return {}, (f"{name} has {size} bytes, at most {limits.CONFIG} are read: names only",)
        value = as_dict(strict_json.parse(files.read_bytes(path, 0, size), name))
    except CheckpointError as fault:
        return {}, (f"{fault}: names only",)
    if not isinstance(value, dict):
        return {}, (f"{name} is not a JSON object: names only",)
    return value, ()


def _hidden(config: Mapping[str, object]) -> int | None:
    """The width that a config or its `text_config` states, in any spelling."""
    parts = [config]
    text = config.get("text_config")
    if isinstance(text, Mapping):
        parts.append(text)
    for part in parts:
        for key in ("hidden_size", "n_embd", "d_model"):
            width = part.get(key)
            if type(width) is int and 0 < width < 1 << 63:  # True is an integer too
                return width
    return None


def _head(checkpoint: Checkpoint) -> str | None:
    """The name of the stored output matrix of a language model, None without one."""
    for tensor in checkpoint.tensors:
        weight = tensor.weight or tensor.name
        if weight.endswith("lm_head.weight"):
            return tensor.name
    return None


def _is_causal(config: Mapping[str, object]) -> bool:
    architectures = config.get("architectures")
    if not isinstance(architectures, list):
        return False
    return any(isinstance(name, str) and name.endswith("ForCausalLM") for name in architectures)
