"""Tensors of equal content: each names the first one with that content."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from ...columns import Column
from ...sketches import Beyond, Duplicates
from ...statistics.lines.margins import MARGINS
from ...statistics.lines.marked_lines import content
from ..piece import Piece

DUPLICATE = Column("duplicate_of", "str", "an earlier tensor of the same content")
SMALL = 1024  # elements: smaller tensors are often equal by accident or by design


def duplicate_of(
    piece: Piece, sketches: Mapping[Any, Any], first_by_content: dict[object, str]
) -> str | None:
    """The first tensor of the same type, shape and content, other than the piece; None without one.

    Small and constant tensors do not count. `first_by_content` is extended by new content.

    Content is a 32-bit sum of the words of each row (`DuplicateRows.sums`) and all margins. Tensors
    that differ in one element of a row are distinguished (in 64-bit types nearly always). Where
    rows differ in more elements, each such row adds 16 bits or more that would have to agree,
    besides its margins. Zeros of either sign are equal.
    """
    margins = sketches.get(MARGINS)
    beyond = sketches.get(Beyond())
    rows = sketches.get(Duplicates())
    if margins is None or beyond is None or rows is None or piece.params < SMALL:
        return None
    # Constant, or without any finite value: then minimum is +inf and maximum -inf.
    if beyond.counts.minimum >= beyond.counts.maximum:
        return None
    digest = blake2b(rows.sums.tobytes())
    digest.update(content(margins.rows).tobytes())
    digest.update(content(margins.cols).tobytes())
    # Equal values of different types are not duplicates: sums are of stored words.
    key = (piece.dtype, piece.shape, digest.digest())
    first = first_by_content.setdefault(key, piece.name)
    if first == piece.name:
        return None
    return first
