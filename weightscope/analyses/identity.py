"""The columns by which a row is known, for one tensor and for a group; every analysis begins its rows with them."""

from __future__ import annotations

from collections.abc import Sequence

from ..columns import Column
from .analysis import Model, Piece

SOURCE = Column("source", "str", "which MODEL, as given; where there are several", shown=True)
TENSOR = (
    Column("tensor", "str", "name as stored, with [part] for a split piece and [lora] for a pair", shown=True),
    Column("layer", "int", "layer index; null outside the stack"),
    Column("role", "str", "what the tensor does (closed list); `unknown` where no rule matches", shown=True),
    Column("part", "str", "which part of a fused tensor: q, k, v, gate, up, an expert"),
    Column("stack", "str", "tower of a model that has several"),
    Column("kind", "str", "matrix, conv, embedding, norm, bias, router or buffer"),
    Column("shape", "str", "dimensions as stored", shown=True),
    Column("dtype", "str", "element type as safetensors spells it", shown=True),
    Column("quantised", "bool", "stored as codes of a quantised layout, decoded or not"),
    Column("params", "int", "number of elements"),
)
NOTE = Column("note", "str", "why a value is missing, or what is odd about the tensor")
KIND = Column("kind", "str", "matrix, conv, embedding, norm, bias or router: never mixed in one row", shown=True)
KEYS = {
    "role": (Column("role", "str", "what the tensors do", shown=True),),
    "layer": (
        Column("stack", "str", "tower of a model that has several"),
        Column("layer", "int", "layer index", shown=True),
    ),
    "model": (),
    "dtype": (Column("dtype", "str", "element type as safetensors spells it", shown=True),),
}
SIZES = (
    Column("tensors", "int", "tensors in the group", shown=True),
    Column("params", "int", "their elements", shown=True),
)


def of_tensor(piece: Piece) -> dict[str, object]:
    """The identity of one piece; empty text is null."""
    place = piece.place
    return {
        "tensor": piece.name,
        "layer": place.layer,
        "role": place.role,
        "part": place.part or None,
        "stack": place.stack or None,
        "kind": place.kind,
        "shape": piece.shape,
        "dtype": piece.dtype,
        "quantised": bool(piece.stored.coded),
        "params": piece.params,
    }


def of_group(piece: Piece, by: str) -> dict[str, object]:
    """The keys of the group that a piece belongs to."""
    return {c.name: of_tensor(piece)[c.name] for c in KEYS[by]}


def sourced(models: Sequence[Model], model: Model) -> dict[str, object]:
    """The column `source` where there are several models."""
    return {"source": model.source} if len(models) > 1 else {}
