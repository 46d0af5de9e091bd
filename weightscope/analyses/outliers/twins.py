"""Tensors of equal content: each names the first one like it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from ...columns import Column
from ...sketches import Beyond, Twins
from ...statistics.lines.margins import MARGINS
from ...statistics.lines.marked_lines import content
from ..piece import Piece

TWIN = Column("duplicate_of", "str", "an earlier tensor of the same content")
SMALL = 1024  # elements: smaller tensors are equal by chance or by design


def twin(piece: Piece, sketches: Mapping[Any, Any], seen: dict[object, str]) -> str | None:
    """The first tensor of the same type, shape and content, if it is not this one; constant ones do not count.

    Content is 32 bits a row of its words (`TwinRows.sums`) and all margins. What differs in one element of a row is no
    twin (in 64-bit types nearly never); where rows differ in more, each adds 16 bits or more that would have to agree,
    beside its margins. Zeros of either sign are equal.
    """
    found, counted, rows = (sketches.get(measure) for measure in (MARGINS, Beyond(), Twins()))
    if found is None or counted is None or rows is None or piece.params < SMALL:
        return None
    if counted.counts.minimum >= counted.counts.maximum:  # nothing finite among them
        return None
    digest = blake2b(rows.sums.tobytes())
    for side in (found.rows, found.cols):
        digest.update(content(side).tobytes())
    first = seen.setdefault((piece.dtype, piece.shape, digest.digest()), piece.name)
    return None if first == piece.name else first
