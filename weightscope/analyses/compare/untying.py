"""Tied tensors: names that share storage in one checkpoint, stored on their own in the other.

Torch files keep tied tensors once; a conversion to safetensors may write both. Such a name gets its
tensor, so that it meets its namesake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import chain

from ...checkpoints import Checkpoint
from ...naming import bare
from ...order import natural
from .renaming import Renaming


def untied(checkpoints: Sequence[Checkpoint], renaming: Renaming) -> tuple[Checkpoint, ...]:
    """The checkpoints, with the shared names that another stores on its own as tensors.

    The first is A, whose names are renamed.
    """
    compared = []
    for i, checkpoint in enumerate(checkpoints):
        spelled = renaming.in_b if i else renaming.in_a
        compared.append({name: bare(spelled(name)) for name in _names(checkpoint)})
    stored = []
    for checkpoint, names in zip(checkpoints, compared, strict=True):
        stored.append({names[tensor.name] for tensor in checkpoint.tensors})
    times = Counter(chain.from_iterable(stored))
    untied = []
    for checkpoint, names, own in zip(checkpoints, compared, stored, strict=True):
        aliases = checkpoint.aliases
        elsewhere = {name for name in aliases if times[names[name]] > (names[name] in own)}
        untied.append(_with_own(checkpoint, elsewhere))
    return tuple(untied)


def _names(checkpoint: Checkpoint) -> set[str]:
    """Of every stored tensor, and those that share its storage."""
    return {tensor.name for tensor in checkpoint.tensors} | checkpoint.aliases.keys()


def _with_own(checkpoint: Checkpoint, names: Set[str]) -> Checkpoint:
    """The checkpoint with a tensor for each of these shared names."""
    tensors = {tensor.name: tensor for tensor in checkpoint.tensors}
    own = []
    for name in names - tensors.keys():
        target = checkpoint.aliases[name]
        if target in tensors:
            own.append(replace(tensors[target], name=name))
    if not own:
        return checkpoint
    every = sorted([*checkpoint.tensors, *own], key=lambda tensor: natural(tensor.name))
    shared = {name: target for name, target in checkpoint.aliases.items() if name not in names}
    return replace(checkpoint, tensors=tuple(every), aliases=shared)
