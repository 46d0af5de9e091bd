"""A view of several boxes of one entry: their spans, and the stored tensors that each box needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...geometry import Box
from ..entry import Entry, Span

if TYPE_CHECKING:
    from torch import Tensor


def needed(of: Entry, boxes: Iterable[Box]) -> tuple[Span, ...]:
    """The spans of all boxes, in order."""
    spans: list[Span] = []
    for box in boxes:
        spans += of.needs(box)
    return tuple(spans)


def made(
    of: Entry, boxes: Iterable[Box], stored: tuple[Tensor, ...]
) -> Iterator[tuple[Box, Tensor]]:
    """Each box with its values: `stored` has the tensors of the spans that `needed` lists."""
    at = 0
    for box in boxes:
        end = at + len(of.needs(box))
        yield box, of.make(box, stored[at:end])
        at = end
