"""Whether a matrix reads the residual stream or writes to it."""

from __future__ import annotations

from ..naming import Place

READERS, WRITERS, CONVOLUTIONS, OTHERS = "readers", "writers", "convolutions", "other matrices"
# keys and values of cross-attention read the output of the encoder
CROSS, ENCODED = "cross", ("attn.k", "attn.v")
RESIDUAL = "residual"  # the index set of the residual stream
DRAWN = {READERS: "reader", WRITERS: "writer"}  # the groups of a picture; all others: other


def group_of(place: Place) -> str:
    """Readers, writers, convolutions, or other matrices."""
    if place.kind == "conv":
        return CONVOLUTIONS
    if place.slot == CROSS and place.role in ENCODED:
        return OTHERS
    if place.kind == "matrix" and place.in_set == RESIDUAL:
        return READERS
    if place.kind == "matrix" and place.out_set == RESIDUAL:
        return WRITERS
    return OTHERS


def drawn_group(place: Place) -> str:
    """The group of a picture over depth or steps: reader, writer or other."""
    return DRAWN.get(group_of(place), "other")
