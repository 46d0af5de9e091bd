"""The spans that tiles need, and those that every tile needs, such as a factor of a product."""

from __future__ import annotations

from collections.abc import Sequence

from ..checkpoints import Entry, Span
from ..geometry import Box


def needed(entries: Sequence[Entry], box: Box) -> list[Span]:
    """Spans that a box of the entries needs, each once."""
    spans: dict[Span, None] = {}
    for entry in entries:
        spans.update(dict.fromkeys(entry.needs(box)))
    return list(spans)


def fixed(entries: Sequence[Entry], boxes: Sequence[Box]) -> list[Span]:
    """Spans that every one of several tiles needs: read once."""
    if len(boxes) == 1:
        return []
    last = set(needed(entries, boxes[-1]))
    return [span for span in needed(entries, boxes[0]) if span in last]
