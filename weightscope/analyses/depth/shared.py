"""Layers that share the tensors of another layer: stored once, and so one point of a series.

Their names are placed like all others, so that the note of a series can name these layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...checkpoints import Checkpoint, Stored
from .. import pieces
from ..name_options import NameOptions
from ..piece import Model, Piece


def measured(checkpoint: Checkpoint, options: NameOptions) -> Model:
    """The weights of a checkpoint, with the pieces of the names that share their storage."""
    model = pieces.measured(checkpoint, options)
    copies = _copies(checkpoint)
    if not copies:
        return replace(model, last_layer=_last_layer(model.pieces))
    every = replace(checkpoint, tensors=(*checkpoint.tensors, *copies.values()), aliases={})
    placed = pieces.measured(every, options)
    aliases = tuple(piece for piece in placed.pieces if piece.stored.name in copies)
    last_layer = _last_layer((*model.pieces, *aliases))
    return replace(model, aliases=aliases, last_layer=last_layer)


def _last_layer(pieces: Iterable[Piece]) -> int | None:
    """The largest layer index, before anything is selected; None without a layer."""
    layers = [piece.place.layer for piece in pieces if piece.place.layer is not None]
    return max(layers, default=None)


def owner(model: Model, alias: Piece) -> str:
    """The stored name of the tensor with which an alias shares its storage."""
    return model.checkpoint.aliases[alias.stored.name]


def _copies(checkpoint: Checkpoint) -> Mapping[str, Stored]:
    """A tensor for each alias whose name has a number: others are in no layer."""
    tensors = {tensor.name: tensor for tensor in checkpoint.tensors}
    copies = {}
    for name, target in checkpoint.aliases.items():
        has_number = any(letter.isdecimal() for letter in name)
        if has_number and target in tensors and name not in tensors:
            copies[name] = replace(tensors[target], name=name)
    return copies
