"""Which pieces are matrices, and how many rows and columns they have: two dimensions do not make one."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column
from ...notes import Note
from ...statistics.elements.moments import EMPTY
from ..piece import Piece

SIDES = (
    Column(
        "m",
        "int",
        "rows, in math orientation (outputs); zero rows included; null where there is no matrix",
    ),
    Column(
        "n",
        "int",
        "columns, in math orientation (inputs); zero columns included; null where there is no matrix",
    ),
)


BUFFER = Note("buffer", "a buffer: no spectrum")
VECTOR = Note("vector", "a vector: no spectrum")
DEPTHWISE = Note("depthwise", "a depthwise kernel: no spectrum")
ONE_CHANNEL = Note("depthwise", "one input channel, depthwise or a bank of filters: no spectrum")


def lack(piece: Piece) -> Note | None:
    """Why a piece has no spectrum, None for a matrix, measurable or not: two dimensions do not make one."""
    kind, dims = piece.place.kind, piece.stored.dims
    if kind == "buffer" or piece.dtype == "BOOL":
        return BUFFER
    if piece.stored.coded:  # packed: the stored shape does not tell that of the weight
        return VECTOR if kind in ("norm", "bias") else None
    if kind in ("norm", "bias") or min(_shape(piece)) < 2:
        return VECTOR if piece.params else EMPTY
    if kind != "conv" or len(dims) < 3 or _channels(piece) > 1:
        return None
    return DEPTHWISE if piece.place.role == "conv.depthwise" else ONE_CHANNEL


def sides(piece: Piece) -> Mapping[str, int | None]:
    """SIDES of a matrix, measurable or not: what its header tells; of codes nothing."""
    shape = (None, None) if lack(piece) or piece.stored.coded else _shape(piece)
    return dict(zip((c.name for c in SIDES), shape, strict=True))


def _shape(piece: Piece) -> tuple[int, int]:
    """Rows and columns, also of what cannot be decoded."""
    if piece.entry:
        return piece.entry.shape
    place, stored = piece.place, piece.stored
    m, n = stored.shape if place.expert is None else stored.dims[1:3]
    if place.transpose:
        m, n = _turned(piece, m, n)
    return place.rows.size if place.rows else m, place.cols.size if place.cols else n


def _turned(piece: Piece, m: int, n: int) -> tuple[int, int]:
    """Rows and columns of what is stored (in, out): m x n."""
    dims = piece.stored.dims
    if piece.place.kind != "conv" or len(dims) < 3:
        return n, m
    outputs = dims[1] * piece.place.groups
    return outputs, m * n // max(outputs, 1)


def _channels(piece: Piece) -> int:
    """Input channels of one filter of a convolution."""
    place, dims = piece.place, piece.stored.dims
    return dims[0] // place.groups if place.transpose else dims[1]
