"""Which pieces are matrices, and their numbers of rows and columns."""

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
        "rows, in math orientation (outputs); zero rows included; null where no matrix",
    ),
    Column(
        "n",
        "int",
        "columns, in math orientation (inputs); zero columns included; null where no matrix",
    ),
)


BUFFER = Note("buffer", "a buffer: no spectrum")
VECTOR = Note("vector", "a vector: no spectrum")
DEPTHWISE = Note("depthwise", "a depthwise kernel: no spectrum")
ONE_CHANNEL = Note("depthwise", "one input channel, depthwise or a bank of filters: no spectrum")


def lack(piece: Piece) -> Note | None:
    """The reason why a piece has no spectrum; None for a matrix, measurable or not.

    Two dimensions do not make a matrix: vectors, depthwise kernels and buffers may have them. A
    buffer that the selection names is a matrix if it has two.
    """
    kind = piece.place.kind
    if not piece.named and (kind == "buffer" or piece.dtype == "BOOL"):
        return BUFFER
    vector = kind in ("norm", "bias")
    if piece.stored.coded:  # packed: the stored shape is not that of the weight
        return VECTOR if vector else None
    if vector or min(_shape(piece)) < 2:
        return VECTOR if piece.params else EMPTY
    return _depthwise(piece)


def _depthwise(piece: Piece) -> Note | None:
    """The reason why a convolution has no spectrum: its kernels see one channel each."""
    if piece.place.kind != "conv" or len(piece.stored.dims) < 3 or _input_channels(piece) > 1:
        return None
    if piece.place.role == "conv.depthwise":
        return DEPTHWISE
    return ONE_CHANNEL


def sides(piece: Piece) -> Mapping[str, int | None]:
    """SIDES of a matrix, measurable or not, from its header; null for codes."""
    if lack(piece) or piece.stored.coded:
        return {"m": None, "n": None}
    m, n = _shape(piece)
    return {"m": m, "n": n}


def _shape(piece: Piece) -> tuple[int, int]:
    """Rows and columns, also of a matrix that cannot be decoded."""
    if piece.entry:
        return piece.entry.shape
    place, stored = piece.place, piece.stored
    if place.expert is None:
        m, n = stored.shape
    else:
        m, n = stored.dims[1:3]  # of (experts, m, n)
    if place.transpose:
        m, n = _transposed(piece, m, n)
    if place.rows:
        m = place.rows.size
    if place.cols:
        n = place.cols.size
    return m, n


def _transposed(piece: Piece, m: int, n: int) -> tuple[int, int]:
    """Rows and columns in math orientation of a matrix that is stored (in, out) as m x n."""
    dims = piece.stored.dims
    if piece.place.kind != "conv" or len(dims) < 3:
        return n, m
    # Only the channels of a convolution change places: (in, out/groups, ...) to (out, in ...).
    outputs = dims[1] * piece.place.groups
    return outputs, m * n // max(outputs, 1)


def _input_channels(piece: Piece) -> int:
    """Input channels of one filter of a convolution."""
    place, dims = piece.place, piece.stored.dims
    if place.transpose:
        return dims[0] // place.groups
    return dims[1]
