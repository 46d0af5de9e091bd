"""Held: several entries for which nothing more is read: their stored bytes lie on the device, each once.

Every box is cut from them as the entry asks, so entries of one unit may be cut along different axes and share leaves.
Values would take more room: a difference beside its terms is a third tensor. One entry alone is held as `made` instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checkpoints import Entry, Span, Stored, joined
from ..geometry import Axis, Box, Shape, whole
from ..sketches.tile import Scratch
from .reading import Check, load, load_apart

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class StoredLines:
    """Stored lines by leaf: spans that overlap or touch lie in one run."""

    device: str
    runs: Mapping[Stored, list[tuple[Span, Tensor]]]

    def of(self, span: Span) -> Tensor:
        """What loading the span gives: a view, converted where its bytes are no plain elements."""
        offset, length = span.bytes
        if not length:
            return load((span,), Scratch(self.device), 0)[span]
        run, stored = next(
            (r, x) for r, x in self.runs[span.leaf] if r.first <= span.first and span.last <= r.last
        )
        if span.leaf.tensor is not None:
            return stored.narrow(span.leaf.cut, span.first - run.first, span.last - span.first)
        at = offset - run.bytes[0]
        return span.typed(stored[at : at + length])


@dataclass(frozen=True, eq=False)
class Held:
    """The same matrix as `entry`, needing nothing more."""

    entry: Entry
    lines: StoredLines

    @property
    def name(self) -> str:
        """As stored."""
        return self.entry.name

    @property
    def shape(self) -> Shape:
        """As stored."""
        return self.entry.shape

    @property
    def dtype(self) -> str:
        """As stored."""
        return self.entry.dtype

    @property
    def cut(self) -> Axis:
        """As stored."""
        return self.entry.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Nothing: it is all there."""
        return ()

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """Made of the lines that are there."""
        spans = self.entry.needs(box)
        return self.entry.make(box, tuple(self.lines.of(span) for span in spans))


def read_lines(entries: Iterable[Entry], scratch: Scratch, check: Check) -> StoredLines:
    """Reads what the entries need, each byte once."""
    runs: dict[Stored, list[tuple[Span, Tensor]]] = {}
    spans = [span for entry in entries for span in entry.needs(whole(entry.shape))]
    for span in joined(spans):
        runs.setdefault(span.leaf, []).append((span, load_apart(span, scratch, check)))
    return StoredLines(scratch.device, runs)
