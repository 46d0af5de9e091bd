"""Buffers are not weights: they are checked for NaN and Inf only, since these break a model too.

Every floating buffer is counted once. A buffer with a NaN or an Inf gets a row with the two
numbers, a note and a finding; a sound one gets no row. Attention masks hold -Inf by design. A
buffer that the selection names is measured as a weight, and gets its row; findings are the same.
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
# Matched with the last word of a name: the running_mean of a mask head is not a mask.
MASK = re.compile(r"(?i)(\w*_)?mask(ed_bias)?")
CHECKED = Note("buffer", "a buffer: checked for NaN and Inf only")
# Its numbers are those of a weight; masks and tables would be judged as broken weights.
NAMED = Note("buffer", "a buffer: findings on NaN and Inf only")


def _nan_and_inf(evidence: Evidence) -> Mapping[str, object]:
    counts = evidence.sketches[Count()]
    notes = united(nonfinite(counts, evidence.shape))
    return {"nan": counts.nan, "inf": counts.inf, "notes": notes}


# Pools: a group of buffers has the sums of its tensors.
NONFINITE = Statistic(
    (Column("nan", "int", "NaN values"), Column("inf", "int", "infinite values, both signs")),
    frozenset({Count()}),
    _nan_and_inf,
    pools=True,
)


def is_buffer(piece: Piece) -> bool:
    """Whether a piece is not a weight.

    Masks, rotary tables, counters, running statistics, scales of quantised codes.
    """
    return piece.place.kind == "buffer"


def is_checked(piece: Piece) -> bool:
    """Whether a piece can be measured and, if it is no weight, may hold NaN or Inf."""
    if piece.entry is None:
        return False
    return piece.is_weight or DTYPES[piece.dtype].kind in FLOATING


def is_sound(piece: Piece, counts: ValueCounts) -> bool:
    """Whether a buffer has neither NaN nor Inf, or only the -Inf of a mask."""
    if counts.nan + counts.inf == 0:
        return True
    return is_mask(piece, counts)


def is_mask(piece: Piece, counts: ValueCounts) -> bool:
    """-Inf in a tensor that is named a mask, or in one of two dimensions that is zero elsewhere."""
    if counts.nan or counts.inf > counts.minus_inf:
        return False
    last_word = piece.name.rpartition(".")[2]
    if MASK.fullmatch(last_word):
        return True
    # A mask of 1 x 1 x 1024 x 1024 has two dimensions.
    dimensions = sum(size > 1 for size in piece.stored.dims)
    zero_elsewhere = counts.n > 0 and counts.zeros == counts.n
    return dimensions > 1 and zero_elsewhere
