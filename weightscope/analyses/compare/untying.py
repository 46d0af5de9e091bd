"""Tied tensors: names that share storage in one checkpoint, stored on their own in the other.

Torch files keep tied tensors once; a conversion to safetensors may write both. Such a name gets its
tensor, so that it meets its namesake.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from ...checkpoints import Checkpoint
from ...naming import bare
from ...order import natural
from .renaming import Renaming


def untied(a: Checkpoint, b: Checkpoint, renaming: Renaming) -> tuple[Checkpoint, Checkpoint]:
    """Both checkpoints, with the shared names that the other stores on its own as tensors."""
    of_a = {name: bare(renaming.in_a(name)) for name in _names(a)}
    of_b = {name: bare(renaming.in_b(name)) for name in _names(b)}
    stored_in_a = {of_a[tensor.name] for tensor in a.tensors}
    stored_in_b = {of_b[tensor.name] for tensor in b.tensors}
    return (
        _with_own(a, {name for name in a.aliases if of_a[name] in stored_in_b}),
        _with_own(b, {name for name in b.aliases if of_b[name] in stored_in_a}),
    )


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
