"""Buffers are no weights, but a NaN in running statistics breaks a model all the same: they are checked, not analysed.

Every floating buffer is counted once. One with a NaN or an Inf gets a row with the two numbers, a note and a finding;
a sound one gets none. Attention masks hold -Inf by design.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...columns import Column
from ...dtypes import DTYPES
from ...notes import Note, united
from ...sketches import Count, ValueCounts
from ...statistics.elements.moments import nonfinite
from ...statistics.statistic import Evidence, Statistic
from ..piece import Piece

FLOATING = ("float", "code")  # kinds of element types that may hold NaN or Inf
MASK = re.compile(
    r"(?i)(\w*_)?mask(ed_bias)?"
)  # the last word of a name: running_mean of a mask head is none
ALONE = Note("buffer", "a buffer: checked for NaN and Inf alone")


def _of(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    return {
        "nan": counts.nan,
        "inf": counts.inf,
        "notes": united(nonfinite(counts, evidence.shape)),
    }


NONFINITE = Statistic(
    (Column("nan", "int", "NaN values"), Column("inf", "int", "infinite values, both signs")),
    frozenset({Count()}),
    _of,
    pools=True,
)


def is_buffer(piece: Piece) -> bool:
    """Whether a piece is no weight: masks, rotary tables, counters, running statistics, scales of quantised codes."""
    return piece.place.kind == "buffer"


def is_checked(piece: Piece) -> bool:
    """Whether a piece can be measured and, if it is a buffer, may hold NaN or Inf."""
    if piece.entry is None:
        return False
    return not is_buffer(piece) or DTYPES[piece.dtype].kind in FLOATING


def is_sound(piece: Piece, counts: ValueCounts) -> bool:
    """Whether a buffer has neither NaN nor Inf, or only the -Inf of a mask."""
    return not counts.nan + counts.inf or _is_mask(piece, counts)


def _is_mask(piece: Piece, counts: ValueCounts) -> bool:
    """-Inf in a tensor that is named a mask, or in one of two dimensions that is zero elsewhere."""
    if counts.nan or counts.inf > counts.minus_inf:
        return False
    long = sum(size > 1 for size in piece.stored.dims)  # a mask of 1 x 1 x 1024 x 1024 has two
    zeros = counts.n > 0 and counts.zeros == counts.n
    return bool(MASK.fullmatch(piece.name.rpartition(".")[2])) or (long > 1 and zeros)
