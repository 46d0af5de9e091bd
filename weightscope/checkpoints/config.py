"""config.json and adapter_config.json: read when they are there, never trusted over the tensors.

A file that is broken or contradicts the tensors is a flag; names alone then decide.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..errors import CheckpointError
from ..escape import escaped
from . import files, limits, strict_json
from .checkpoint import Checkpoint

CONFIG, ADAPTER = "config.json", "adapter_config.json"
_MODEL_FILE = re.compile(
    r"(diffusion_pytorch_|pytorch_|adapter_)?model\b|consolidated\b|(\d+_)?adapters\b"
)

Config = dict[str, object]


def read_config(folder: str) -> tuple[Config, tuple[str, ...]]:
    """(config.json with adapter_config.json under "peft", flags) of a folder; empty where neither is there."""
    config, flags = _read(os.path.join(folder, CONFIG))
    adapter, odd = _read(os.path.join(folder, ADAPTER))
    return {**config, "peft": adapter} if adapter else config, (*flags, *odd)


def config_beside(path: str) -> tuple[Config, tuple[str, ...]]:
    """The config beside a file whose name says that it is a folder's model; a file of another name stands alone."""
    name = os.path.basename(path)
    return read_config(os.path.dirname(path)) if _MODEL_FILE.match(name) else ({}, ())


def configs_beside(path: str) -> tuple[str, ...]:
    """The files that `config_beside` looks for."""
    folder, name = os.path.split(path)
    return (
        tuple(os.path.join(folder, config) for config in (CONFIG, ADAPTER))
        if _MODEL_FILE.match(name)
        else ()
    )


def config_flags(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Where config.json contradicts the tensors."""
    config, flags = checkpoint.config, []
    width = _hidden(config)
    matrices = [t for t in checkpoint.tensors if len(t.dims) >= 2]
    if width and matrices and not any(width in t.dims for t in checkpoint.tensors):
        flags.append(
            f"{CONFIG} says hidden_size {width}, no tensor has such a dimension: names only"
        )
    tied, head = config.get("tie_word_embeddings"), _head(checkpoint)
    if tied is True and head is not None:
        flags.append(f"{CONFIG} ties the word embeddings, yet {escaped(head)} is stored of its own")
    if (
        tied is False
        and head is None
        and _generates(config)
        and not checkpoint.aliases
        and "peft" not in config
    ):
        flags.append(f"{CONFIG} unties the word embeddings, yet no lm_head is stored")
    return tuple(flags)


def config_notes(checkpoint: Checkpoint) -> tuple[str, ...]:
    """What config.json explains about the tensors."""
    if checkpoint.config.get("tie_word_embeddings") is True and _head(checkpoint) is None:
        return (
            "word embeddings are tied: one matrix serves as input and as lm_head, and counts once",
        )
    return ()


def as_dict(value: object) -> object:
    """Plain dicts of what strict_json read: the last of doubled keys counts."""
    if isinstance(value, tuple):
        return {key: as_dict(inner) for key, inner in value}
    return [as_dict(inner) for inner in value] if isinstance(value, list) else value


def _read(path: str) -> tuple[Config, tuple[str, ...]]:
    """One file as a dict; broken, oversized or no object: a flag and an empty dict."""
    name = os.path.basename(path)
    if not os.path.lexists(path):
        return {}, ()
    try:
        size, _ = files.identity(path)
        if size > limits.CONFIG:
            return {}, (f"{name} has {size} bytes, at most {limits.CONFIG} are read: names only",)
        value = as_dict(strict_json.parse(files.read_bytes(path, 0, size), name))
    except CheckpointError as fault:
        return {}, (f"{fault}: names only",)
    return (
        (value, ())
        if isinstance(value, dict)
        else ({}, (f"{name} is not a JSON object: names only",))
    )


def _hidden(config: Mapping[str, object]) -> int | None:
    """The width that a config states, in its own spelling."""
    text = config.get("text_config")
    for part in (config, text if isinstance(text, Mapping) else {}):
        for key in ("hidden_size", "n_embd", "d_model"):
            width = part.get(key)
            if type(width) is int and 0 < width < 1 << 63:
                return width
    return None


def _head(checkpoint: Checkpoint) -> str | None:
    """The stored output matrix of a language model, None where it is absent."""
    return next(
        (t.name for t in checkpoint.tensors if (t.weight or t.name).endswith("lm_head.weight")),
        None,
    )


def _generates(config: Mapping[str, object]) -> bool:
    names = config.get("architectures")
    return isinstance(names, list) and any(
        isinstance(n, str) and n.endswith("ForCausalLM") for n in names
    )
