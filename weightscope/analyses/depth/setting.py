"""What an initialisation scheme knows of a matrix: its inputs and outputs, its depth, its side.

fan_in are the columns of the matrix (out, in). fan_out are its rows, of a convolution times the
positions of the kernel; of a part of a fused tensor the rows of that tensor, which was drawn as a
whole. L counts the layers of the stack, in the whole file, whatever is selected. The width of the
residual stream are the inputs of a reader and the outputs of a writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ...statistics.schemes import Setting
from .. import residual
from ..piece import Model, Piece
from ..residual import READERS, WRITERS

DRAWN = ("matrix", "conv", "router")  # kinds with a law


def layer_counts(model: Model) -> Mapping[str, int]:
    """The number of layers of each stack: different indices over all roles."""
    layers: dict[str, set[int]] = {}
    for piece in model.placed or model.pieces:
        place = piece.place
        if place.layer is not None and piece.is_weight:
            layers.setdefault(place.stack, set()).add(place.layer)
    return {stack: len(indices) for stack, indices in layers.items()}


def setting_of(piece: Piece, counts: Mapping[str, int], target: float) -> Setting | None:
    """The setting of a matrix; None for a vector, and where inputs and outputs are not known."""
    place = piece.place
    if piece.entry is None or place.layer is None or place.kind not in DRAWN:
        return None
    outputs, inputs = piece.entry.shape
    if min(outputs, inputs) < 2:
        return None
    if place.orientation == "unknown" and outputs != inputs:
        return None
    group = residual.group_of(place)
    width = None
    if group == READERS:
        width = inputs
    elif group == WRITERS:
        width = outputs
    return Setting(
        fan_in=inputs,
        fan_out=_fan_out(piece, outputs),
        width=width,
        layers=counts.get(place.stack, 1),
        layer=place.layer,
        writes=group == WRITERS,
        target=target,
    )


def _fan_out(piece: Piece, outputs: int) -> int:
    dims = piece.stored.dims
    if piece.place.kind == "conv":
        return outputs * prod(dims[2:])
    if piece.place.rows is not None and len(dims) == 2:
        return dims[1] if piece.place.transpose else dims[0]
    return outputs
